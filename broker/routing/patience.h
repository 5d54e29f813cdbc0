/*
 * patience.h - reliable messages of clients that wait until their destination is known.
 *
 * Whoever asks for patience when it attaches (spec/attach.md) has its messages held here while the
 * destination is asked to announce itself on the bus main; core/search.h has the rules. A message that
 * waits counts as under way: for TICKETS, and with its octets. What was asked is charged to its user as a
 * message that it sent.
 */
#ifndef BROKER_ROUTING_PATIENCE_H
#define BROKER_ROUTING_PATIENCE_H

#include <core/search.h>

#include "inbound.h"

void patience_open(struct broker *b);
void patience_close(struct broker *b);

/* How long messages of @a may wait, in ns. */
uint64_t patience_of(const struct broker *b, const struct attachment *a);
/* Whether @p, a reliable message, waits for its destination, which is known to be @is_one or not. */
bool patience_is_wanted(const struct passage *p, bool is_one);
/* It does, or is refused; either is all that is to be done about it. */
void patience_hold(struct passage *p);
/* An entity is known on the bus main from now on. */
void patience_note(struct broker *b, const struct address *address);
/* @a goes away, and what waits of it. */
void patience_forget(struct broker *b, const struct attachment *a);
/* Asks, sends what may go, gives up. */
void patience_process(struct broker *b);
uint64_t patience_deadline(const struct broker *b);

#endif
