/*
 * pending-relays.h - reliable messages that are under way from one bus to another (relay.c).
 *
 * Each stands in the books of two proxies: of the one that says it there (`sent`), and of the one
 * on this bus to which it came (`awaited`). Whichever goes first takes it along, and whoever waits
 * for its end is told.
 *
 * Invariants: the two are of one bridge, and on different sides of it. A relay is in both books
 * from relay_new() to relay_free(), and ends exactly once (RFC 3259, 7: it is acknowledged, or its
 * sender finds out that it is not): the engine ends its ticket, or, if it is `local`, the session
 * acknowledges it or its deadline passes; or one of the proxies goes. What `session` was charged is
 * given back then.
 */
#ifndef BROKER_BRIDGE_PENDING_RELAYS_H
#define BROKER_BRIDGE_PENDING_RELAYS_H

#include "state.h"

/* A reliable message under way to whom `to` stands for, by the sender's proxy there. */
struct relay {
        struct deadline deadline; /* with `local` only */
        struct proxy *by;
        struct proxy *to;
        bool local;              /* it was given to a session */
        uint64_t ticket;         /* of the engine; `local`: its SeqNum on the link */
        uint32_t seq;            /* of the sender's message */
        struct session *session; /* that it is charged to; NULL: it came from a bus */
        size_t bytes;            /* charged */
        struct relay *previous;  /* of by->sent */
        struct relay *next;
        struct relay *previous_awaited; /* of to->awaited */
        struct relay *next_awaited;
};

/* Enters the message @seq that came to @to and that @by says. NULL: @by has too many, or memory
 * is short. */
struct relay *relay_new(struct proxy *by, struct proxy *to, uint32_t seq);
/* It is the message of @session, which has it under way until it is struck off. */
void relay_charge(struct relay *relay, struct session *session, size_t bytes);
/* It was given to a session, which has T_k of the RFC for its acknowledgement. */
void relay_await_session(struct relay *relay);
/* Strikes it off, and tells nobody. Returns NULL. */
struct relay *relay_free(struct relay *relay);
/* Ends what @p has sent, and what was sent to it. @told: senders on sessions learn it. */
void relay_forget(struct proxy *p, bool told);
/* The engine ended @ticket of @by; MBUS_REASON_NONE: it was delivered. */
void relay_finish(struct proxy *by, uint64_t ticket, enum mbus_reason reason);
/* An entity of a session, @from, acknowledged @seq, which @by gave it. False if that is not
 * waited for. */
bool relay_acknowledge(struct proxy *by, uint32_t seq, const struct local_entity *from);
/* Ends what sessions did not acknowledge in time. Whether there was anything. */
bool relays_expire(struct bridges *all);

#endif
