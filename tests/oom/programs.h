/*
 * programs.h - three programs on one bus, by the public library, for runs in which something fails.
 *
 * The clock is virtual, so each run is like the others and silence takes no time. Tickets are
 * followed: each ends in exactly one event.
 */
#ifndef MBUS_TESTS_PROGRAMS_H
#define MBUS_TESTS_PROGRAMS_H

#include <stdint.h>

#include "mbus.h"
#include "trial.h"

#define PROGRAMS 3
#define TICKETS_MAX 64

struct ticket {
        const struct mbus_entity *entity; /* NULL: ended, or its entity was removed */
        uint64_t number;
};

struct program {
        struct mbus_bus *bus;   /* NULL: it could not be opened */
        struct mbus_entity *me; /* NULL: it could not be added */
        struct ticket tickets[TICKETS_MAX];
        size_t n_tickets;
        unsigned n_breaks; /* of its link */
        bool heard;        /* the message that all must hear in the end */
};

struct setting {
        const char *url;
        const char *text;               /* of the configuration, or NULL */
        const char *(*get_cause)(void); /* what a bus that cannot be opened has in its error */
        bool (*is_trouble)(int r);      /* whether a call may fail so */
        bool (*turn)(struct trial *t);  /* NULL, or somebody else's part; true: it did something */
        unsigned n_breaks;              /* how often the link is broken on purpose */
        void (*stop)(void);             /* nothing fails from here on */
};

extern struct program programs[PROGRAMS];
extern const char *const program_names[PROGRAMS];

/* Opens all buses, adds an entity each, watches all, and lets them get to know each other. */
void programs_begin(struct trial *t, const struct setting *setting);
/* Nothing fails any more: all has to work. Then closes all. */
void programs_end(struct trial *t);

/* True if @r is 0; an error must be one of the setting's. */
bool programs_ok(struct trial *t, int r);
void program_notice_drops(struct trial *t, const struct program *p);
void program_add_entity(struct trial *t, struct program *p);
void program_send_reliable(struct trial *t, struct program *p, const char *dest,
                           const struct mbus_commands *c);
void program_send_each(struct trial *t, struct program *p, const struct mbus_commands *c);
void programs_settle(struct trial *t);
void programs_run(struct trial *t, unsigned ms);

#endif
