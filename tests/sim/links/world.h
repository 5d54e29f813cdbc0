/*
 * world.h - brokers, and applications that use them or the network: both the real ones, on the virtual
 * machine.
 *
 * Processes 0 to n_brokers - 1 are brokers, then come applications, then one stranger. A person is one
 * life of one entity of an application; a place (process, slot) keeps its address from life to life.
 */
#ifndef MBUS_TESTS_SIM_LINKS_WORLD_H
#define MBUS_TESTS_SIM_LINKS_WORLD_H

#include <broker/broker.h>
#include <mbus.h>

#include "../members.h"
#include "machine.h"

#define ADDRESS_SIZE 128
#define TCP_PORT_FIRST 7000

struct person {
        uint32_t index; /* in links.people */
        uint32_t app;   /* process */
        uint32_t slot;
        struct mbus_entity *entity; /* NULL when it is over */
        bool ready;
        char address[ADDRESS_SIZE];
        uint64_t died; /* TIME_NEVER while it lives */
};

/* Whom an application knows. */
struct known {
        char (*addresses)[ADDRESS_SIZE];
        size_t n;
        size_t size;
};

struct app {
        struct process process;
        struct mbus_bus *bus; /* NULL: it does not run */
        bool direct;
        bool beyond;
        bool more;       /* it is to be called again soon */
        uint64_t pop_at; /* a slow one looks at its events then */
        struct person *slots[SLOTS];
        struct known known;
        uint64_t *troubles; /* when its link, its broker or itself ended or began */
        size_t n_troubles;
        uint64_t n_lost;     /* messages that it was told are lost, in this life */
        bool lost_of_others; /* and perhaps some that were not for it are among them */
        uint64_t since;      /* when this life began ... */
        uint64_t ready_at;   /* ... and the last of its entities was there */
        uint64_t wait_end;   /* when the time of its wait is over; 0: it waits for nothing */
};

struct post;

struct links {
        const struct scenario *scenario;
        uint32_t n_brokers;
        uint32_t n_apps;
        struct process *brokers;
        struct broker **running; /* NULL: it does not */
        char **configs;
        struct app *apps;
        struct process stranger;
        struct person **people;
        uint32_t n_people;
        uint32_t people_size;
        uint64_t aware_at;
        struct post *post;
        uint64_t n_checks;
};

extern struct links *links;

void links_init(const struct scenario *s);
void links_deinit(void);
/* Lets time pass, until @until or the first failure. */
void links_run(uint64_t until);

/* ---- brokers.c ---- */

char *config_of(uint32_t broker);
void broker_begin(uint32_t i);
/* At SIGTERM, or from one moment to the next. */
void broker_end(uint32_t i, bool killed);
void broker_turn(uint32_t i);
void stranger_babble(uint32_t broker, uint64_t seed);
/* All its clients are gone: what they took must be, too. */
void broker_check_empty(uint32_t i);

/* ---- app.c ---- */

void app_begin(struct app *app);
void app_end(struct app *app, bool killed);
bool app_is_due(const struct app *app);
uint64_t app_next(const struct app *app);
void app_turn(struct app *app);
void app_break(struct app *app);
void app_trouble(struct app *app);
/* Whether it had any from @from to @to. */
bool app_had_trouble(const struct app *app, uint64_t from, uint64_t to);
/* The broker of its link; NULL: it has none. */
struct process *app_broker(const struct app *app);
struct person *person_at(uint32_t process, uint32_t slot);
/* It knows all others that live, and nobody else. */
void app_check_awareness(const struct app *app);

/* ---- post.c ---- */

struct post *post_new(void);
void post_free(struct post *post);
/* From @from to what @seed chooses. */
void post_send(struct person *from, uint64_t seed, bool reliable);
void post_arrived(const struct person *at, const struct mbus_message *message);
void post_ended(const struct person *from, const struct mbus_event *event);
/* It is over, with all its tickets. */
void post_forget(const struct person *person);
/* Tickets are over in time. */
void post_check_open(void);
bool post_is_open(void);
/* The end: what was called delivered arrived, what is missing was told. */
void post_check_all(void);
void post_count(uint64_t *ret_messages, uint64_t *ret_delivered, uint64_t *ret_failed);

#endif
