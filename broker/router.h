/*
 * router.h - where a message goes: from a link to links and the bus, and from the bus to links.
 */
#ifndef BROKER_ROUTER_H
#define BROKER_ROUTER_H

#include <core/events.h>

#include "client.h"

/* A whole frame of @n octets from @c stands at @at in @chunk. */
void router_frame(struct broker *b, struct client *c, struct chunk *chunk, size_t at, size_t n);
/* A message from the bus for local entities. */
void router_message(struct broker *b, const struct event *event);
/* Frees what is remembered for @c. */
void router_forget(struct client *c);

#endif
