/*
 * router.h - where a message goes: from a link to links and the bus, and from the bus to links.
 */
#ifndef BROKER_ROUTING_ROUTER_H
#define BROKER_ROUTING_ROUTER_H

#include <core/events.h>

#include "inbound.h"

/* A whole frame of @n octets from @c stands at @at in @chunk. */
void router_frame(struct broker *b, struct client *c, struct chunk *chunk, size_t at, size_t n);
/* The same of @text, a reliable message of @c that has waited (patience.h). 0, or -ENOMEM. */
int router_again(struct broker *b, struct client *c, struct span text);
/* Says what reliable_check() or reliable_prepare_...() said of @p: it is the sender's own fault, and no
 * queue's. */
void router_refuse_more(struct passage *p, int r);
/* A message from the bus for local entities. */
void router_message(struct broker *b, const struct event *event);
/* Frees what is remembered for @c. */
void router_forget(struct client *c);

#endif
