/*
 * retain.h - last values, for those who come late.
 *
 * An entity names commands (broker.retain). Of the messages that it then sends to a group, the last
 * one whose first command has such a name is kept, and given to every local entity that attaches
 * later and that its destination matches, as a message to this entity alone: the others on its link
 * have it already. What an entity has kept goes with it.
 *
 * Bounds: RETAINED_NAMES_MAX names of an entity; QUOTA_RETAINED octets of a link, of a user and of
 * all. A name counts for at least RETAINED_COST octets, because it is looked at whenever somebody
 * attaches. A message that finds no room is not kept, and neither is the one before, which would be
 * wrong by now.
 *
 * Invariants: an entity has a retainer exactly while it has names, and it is in routing.retainers.
 * `charged` of a name is name_cost() and, while it has a value, what that takes; the sum over a
 * session is its `retained`. charge and discharge are the only ones to change either, and the quota
 * with them.
 */
#ifndef BROKER_ROUTING_RETAIN_H
#define BROKER_ROUTING_RETAIN_H

#include "state.h"

struct retainer;

/* Begins to keep messages of @e that begin with the command @name. 0, MBUS_E_FULL or -ENOMEM. */
int retain_begin(struct routing *routing, struct local_entity *e, struct span name);
/* Ends it. */
void retain_end(struct routing *routing, struct local_entity *e, struct span name);
/* Ends all of it: @e leaves. */
void retain_forget(struct routing *routing, struct local_entity *e);

/* @e, which has a retainer, sends the message of the header @h and @payload to the group @dest. */
void retain_note(struct routing *routing, struct local_entity *e, const struct header *h,
                 const struct address *dest, struct span payload);
/* @e has attached: gives it what it missed. */
void retain_give(struct routing *routing, const struct local_entity *e);

#endif
