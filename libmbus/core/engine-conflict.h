/*
 * engine-conflict.h - somebody else has the address of an entity of ours (spec/errata.md, 27).
 */
#ifndef MBUS_CORE_ENGINE_CONFLICT_H
#define MBUS_CORE_ENGINE_CONFLICT_H

#include "engine-inbound.h"

/* A message bears the address of one of our own entities. */
void receive_own(struct engine *e, const struct inbound *in, struct entity *entity);
/* How long it keeps the address that it takes now, whoever else uses it (spec/errata.md, 27). */
void pause_conflicts(struct entity *entity, uint64_t now);

#endif
