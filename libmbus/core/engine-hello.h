/*
 * engine-hello.h - the entities of an engine say that they are there (sections 8.1, 9.1 and 9.3).
 *
 * hello.h has the rules of the timer of one entity; here is for whom it runs, and what it counts.
 */
#ifndef MBUS_CORE_ENGINE_HELLO_H
#define MBUS_CORE_ENGINE_HELLO_H

#include "engine-state.h"

/* How many entities the hello interval is for. */
size_t hello_entities(const struct engine *e);
/* @entity has a new address and will say hello with it. */
void start_hello(struct engine *e, uint64_t now, struct entity *entity);
/* Says hello for @entity at once. A conflict about it that was reported may be reported again. */
void announce_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity);
/* A ping came for the local entities that @dest matches: they answer on the bus. */
void answer_ping(struct engine *e, uint64_t now, const struct address *dest);
/* Says the hellos that are due. */
void say_hellos(struct engine *e, uint64_t now, uint64_t wall_ms);
/* Reverse reconsideration (8.1.4), once for all that left since the last tick. */
void shrink_hellos(struct engine *e, uint64_t now);

#endif
