/*
 * engine-search.h - reliable messages to destinations that are not known well enough yet.
 *
 * Section 7 has a reliable message go to one entity, which takes to know who matches: all of them.
 * What a destination that is nobody's whole address stands for is known when those who match have
 * been asked and had the time to answer (9.3), or when the engine has listened for as long as
 * anybody is silent between two hellos (8.1). Until then the message waits (spec/errata.md, 48). A
 * whole address can be but one entity's, which is known when it is heard.
 */
#ifndef MBUS_CORE_ENGINE_SEARCH_H
#define MBUS_CORE_ENGINE_SEARCH_H

#include "engine-transmit.h"

void init_searches(struct engine *e);
void free_searches(struct engine *e);
/* See engine_knows_all() and engine_surveyed(). */
bool knows_all(struct engine *e, uint64_t now);
void end_survey(struct engine *e, uint64_t now, uint64_t wall_ms, bool all);
/* Whether a reliable message to @dest waits, which @n entities are known to match (0, 1, 2 for
 * more), the one being @address. */
bool must_search(struct engine *e, uint64_t now, const struct address *dest, unsigned n,
                 const struct address *address);
/* It does, with an event reserved for its @ticket. 0, MBUS_E_FULL or -ENOMEM. */
int await_destination(struct engine *e, uint64_t now, const struct outbound *out, uint64_t ticket);
/* Asks, sends what may go, gives up. */
void tick_searches(struct engine *e, uint64_t now, uint64_t wall_ms);
/* @entity goes away, and what it wanted to send, without an event. */
void forget_waiting(struct engine *e, const struct entity *entity);
/* The same with an event. */
void fail_waiting(struct engine *e, const struct entity *entity, enum mbus_reason reason);

#endif
