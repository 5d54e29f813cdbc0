/*
 * reported.h - the entities that the application was told of.
 *
 * Modes report joins and leaves of everybody, some of them twice; here they are compared with what
 * is watched and what was reported, so that an application sees exactly one JOINED and one LEFT of
 * each stay of an entity, also when watches overlap and links break.
 *
 * Invariants: each peer in `peers` is matched by a watch, for with its last watch it is reported as
 * gone; n_stale of them are stale.
 */
#ifndef MBUS_BUS_REPORTED_H
#define MBUS_BUS_REPORTED_H

#include <core/index.h>

#include "events.h"
#include "watches.h"

struct reported {
        struct index peers;
        size_t n_stale;
        struct watches *watches;
        struct event_queue *events;
};

void reported_init(struct reported *r, uint64_t seed, struct watches *watches,
                   struct event_queue *events);
void reported_deinit(struct reported *r);
/* A remote entity is known: reports it if that is watched and new. */
void reported_joined(struct reported *r, const struct address *address, uint64_t since);
void reported_left(struct reported *r, const struct address *address, enum mbus_reason reason);
/* The link was lost: until reported_sweep(), those that are not reported anew are stale, and
 * then have left. */
void reported_mark(struct reported *r);
void reported_sweep(struct reported *r);
/* Watch @i is not granted, or ends: it is forgotten, and who is not watched any more leaves. */
void reported_unwatch(struct reported *r, size_t i, enum mbus_reason reason, struct span why);
/* mode_ops.list for a mode whose known entities are those that were reported. */
int reported_list(const struct reported *r, const struct address *dest, struct mbus_peers *peers);

#endif
