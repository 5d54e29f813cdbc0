/*
 * router.h - where a message goes: from a session to sessions and the bus, and from the bus to
 * sessions.
 */
#ifndef BROKER_ROUTING_ROUTER_H
#define BROKER_ROUTING_ROUTER_H

#include "inbound.h"

/* A whole frame of @n octets from the session on @c stands at @at in @chunk. */
void router_on_frame(struct connection *c, struct chunk *chunk, size_t at, size_t n);
/* Sends what waited until its destination was known, or gives it up. */
void router_process(struct routing *routing);
/* A message from the bus main for local entities. */
void router_message(struct routing *routing, const struct event *event);

#endif
