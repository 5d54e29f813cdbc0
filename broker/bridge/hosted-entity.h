/*
 * hosted-entity.h - an entity that the broker itself puts on one of its buses.
 */
#ifndef BROKER_BRIDGE_HOSTED_ENTITY_H
#define BROKER_BRIDGE_HOSTED_ENTITY_H

#include "state.h"

/* As engine_add_entity(). @proxy: what it stands for, or NULL. */
int hosted_entity_enter(struct hosted_entity *h, struct sessions *sessions, struct bus *bus,
                        const struct address *address, struct proxy *proxy);
/* @bye: not if somebody else has the address. Does nothing if it is not there. */
void hosted_entity_leave(struct hosted_entity *h, bool bye);

#endif
