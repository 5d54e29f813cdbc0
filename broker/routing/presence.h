/*
 * presence.h - sessions that watch entities come and go.
 *
 * A session that watches an address is told of the entities that it matches: of those that are
 * there already, piece by piece (list-position.h), and of each that comes or leaves from then on.
 * Of what comes while it is told of those it may hear twice, never not at all; of what it attaches
 * itself in that time it hears nothing.
 */
#ifndef BROKER_ROUTING_PRESENCE_H
#define BROKER_ROUTING_PRESENCE_H

#include "list-position.h"
#include "state.h"

/* @s watches @address from now on. 0, -ENOMEM, or MBUS_E_FULL: *@ret_limit is reached. */
int presence_watch(struct routing *routing, struct session *s, const struct address *address,
                   enum limit *ret_limit);
bool presence_has_watch(const struct session *s, const struct address *address);
/* Tells of the next of those that are known already, in one message. Whether these were the
 * last. */
bool presence_tell(struct routing *routing, struct session *s, const struct address *address,
                   struct list_position *position);
/* Tells those who watch it of an entity that has come, but for the session that it is of (NULL:
 * none), which does not know yet that it is its own; or that it has left. */
void presence_joined(struct routing *routing, const struct session *own,
                     const struct address *address);
void presence_left(struct routing *routing, const struct address *address, enum mbus_reason reason);
/* Ends it if @s may not do that any more, and tells it. */
void presence_restrict(struct routing *routing, struct session *s);
/* @s watches nothing any more. */
void presence_forget(struct routing *routing, struct session *s);

#endif
