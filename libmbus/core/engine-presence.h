/*
 * engine-presence.h - peers come and go, and the owner is told (sections 8 and 9.2).
 *
 * What depends on a peer goes with it: tickets to it fail, acknowledgements that it is owed are
 * dropped. EVENT_LEFT always finds room: its node is reserved when the peer joins.
 */
#ifndef MBUS_CORE_ENGINE_PRESENCE_H
#define MBUS_CORE_ENGINE_PRESENCE_H

#include "engine-inbound.h"

/* Makes the source of @in known; NULL if it cannot be. */
struct peer *join_peer(struct engine *e, const struct inbound *in, struct peer *tombstone);
/* The source started again under the address it had: its acknowledgements are of the past. False if
 * there is no room: then nothing has happened, and its next message tells again. */
bool restart_peer(struct engine *e, const struct inbound *in, struct peer *peer);
/* A peer is gone: its tickets fail, observers of peers learn it. */
void leave_peer(struct engine *e, uint64_t now, struct peer *peer, enum mbus_reason reason);
/* The engine ends: what there is of @peer goes without a word. */
void forget_peer(struct engine *e, struct peer *peer);

#endif
