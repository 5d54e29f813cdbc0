/*
 * fake-bus.h - a few engines on a virtual wire under a virtual clock, and peers that are played by
 * hand. For tests of the engine; the bus with loss, delay and hundreds of engines is tests/sim.
 *
 * What an engine sends is kept in a log and, unless the engine is muted, received by all others at
 * once (or by the one it is for, by directed unicast).
 */
#ifndef MBUS_TESTS_FAKE_BUS_H
#define MBUS_TESTS_FAKE_BUS_H

#include <check.h>
#include <stdlib.h>

#include "core/engine.h"
#include "core/error.h"

#define MS NSEC_PER_MSEC
#define FAKE_ENGINES_MAX 3
#define FAKE_WALL UINT64_C(1006271404000) /* ms, when `now` is 0 */

/* A datagram that an engine sent. */
struct fake_datagram {
        uint64_t at;
        size_t from; /* number of the engine */
        struct endpoint to;
        struct message *message;
        struct span bytes;
};

struct fake_bus {
        struct crypto *crypto;
        struct engine *engines[FAKE_ENGINES_MAX];
        bool muted[FAKE_ENGINES_MAX];
        size_t n;
        uint64_t now;
        struct fake_datagram *log;
        size_t n_log;
        size_t log_size;
};

/* Somebody whose messages the test writes. */
struct fake_peer {
        const char *address;
        uint32_t seq;   /* of the next message */
        uint8_t socket; /* makes its endpoint */
        bool unique;    /* it sends from a port of its own */
        bool old;       /* its digests end in LF */
};

void fake_bus_init(struct fake_bus *b);
void fake_bus_deinit(struct fake_bus *b);
/* A new engine; crypto and seed of @options are filled in, @options may be NULL. */
struct engine *fake_add(struct fake_bus *b, const struct engine_options *options);
uint64_t fake_wall(const struct fake_bus *b);

struct address fake_address(const char *text);
struct entity *fake_entity(struct fake_bus *b, struct engine *e, const char *address);

/* Ticks @e and carries what it has to send, and what that brings about, without time passing. */
void fake_settle(struct fake_bus *b);
/* Lets time pass, every engine being ticked exactly when it asks for it. */
void fake_run(struct fake_bus *b, uint64_t ms);
/* Forgets the log. */
void fake_forget(struct fake_bus *b);
/* How many in the log hold the command @name; "" stands for those without any command. */
size_t fake_count(const struct fake_bus *b, const char *name);
/* The i-th of them, which must exist. */
const struct fake_datagram *fake_find(const struct fake_bus *b, const char *name, size_t i);

/* Gives @text, a whole message, sealed to @e only, from the socket of @peer. */
void fake_inject(struct fake_bus *b, struct engine *e, const struct fake_peer *peer,
                 const char *text);
/* The same from parts; @type is U or R, @acks "()" for none. Takes the next SeqNum of @peer. */
void fake_say(struct fake_bus *b, struct engine *e, struct fake_peer *peer, char type,
              const char *dest, const char *acks, const char *payload);
/* mbus.hello to all. */
void fake_hello(struct fake_bus *b, struct engine *e, struct fake_peer *peer);
/* Acknowledges what @dg says as the one it is for. */
void fake_ack(struct fake_bus *b, struct engine *e, struct fake_peer *peer,
              const struct fake_datagram *dg);

int fake_send(struct fake_bus *b, struct engine *e, struct entity *entity, const char *dest,
              const char *payload);
int fake_send_reliable(struct fake_bus *b, struct engine *e, struct entity *entity,
                       const char *dest, const char *payload, uint64_t *ret_ticket);

/* The next event, which must be of @type. To be freed with event_deinit(). */
struct event fake_event(struct engine *e, enum event_type type);
/* The same, freed at once. */
void fake_expect(struct engine *e, enum event_type type);
/* The next event must be a message with @payload as its text. */
void fake_expect_message(struct engine *e, const char *payload);
void fake_expect_left(struct engine *e, const char *address, enum mbus_reason reason);
void fake_expect_ticket(struct engine *e, uint64_t ticket, enum mbus_reason reason);
void fake_expect_nothing(struct engine *e);
/* Throws all events away. */
void fake_skip(struct engine *e);
/* What was dropped, for any reason. */
uint64_t fake_dropped(const struct engine *e);

#endif
