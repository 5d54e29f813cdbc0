/*
 * patience.h - reliable messages of clients that wait until their destination is known.
 *
 * Whoever asks for patience when it attaches (spec/attach.md) has its messages held here while the
 * destination is asked to announce itself on the bus main; core/search.h has the rules. A message
 * that waits counts as under way: for TICKETS, and with its octets. What was asked is charged to
 * its user as a message that it sent.
 *
 * Invariants: n_held of an entity is how many of its messages wait in searches; each is charged to
 * its session as one ticket and with size_of() octets, the same when it is taken and when it goes.
 * held_until rises from one message of an entity to its next while some are held, so none is given
 * up before an earlier one.
 */
#ifndef BROKER_ROUTING_PATIENCE_H
#define BROKER_ROUTING_PATIENCE_H

#include "inbound.h"

void patience_open(struct routing *routing);
void patience_close(struct routing *routing);

/* How long messages of @e may wait, in ns. */
uint64_t patience_of(const struct routing *routing, const struct local_entity *e);
/* Whether @in, a reliable message, waits for its destination, which is known to be @is_one or
 * not. */
bool patience_is_wanted(const struct inbound *in, bool is_one);
/* It does, or is refused; either is all that is to be done about it. */
void patience_hold(struct inbound *in);
/* An entity is known on the bus main from now on. */
void patience_note(struct routing *routing, const struct address *address);
/* @e goes away, and what waits of it. */
void patience_forget(struct routing *routing, const struct local_entity *e);
/* Asks, gives @resend the messages of sessions that may go, gives up. That takes the message and
 * does all that is to be done about it: 0, or -ENOMEM. */
void patience_process(struct routing *routing,
                      int (*resend)(struct routing *routing, struct session *s, struct span text));
uint64_t patience_deadline(const struct routing *routing);

#endif
