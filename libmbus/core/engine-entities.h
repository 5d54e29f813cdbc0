/*
 * engine-entities.h - the entities of an engine are added, renamed and removed (engine.h).
 */
#ifndef MBUS_CORE_ENGINE_ENTITIES_H
#define MBUS_CORE_ENGINE_ENTITIES_H

#include "engine-state.h"

int add_entity(struct engine *e, uint64_t now, const struct address *address, void *data,
               struct entity **ret_entity);
int rename_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                  const struct address *address);
/* @bye: with mbus.bye, or somebody else has the address and lives on. */
void remove_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                   bool bye);
/* Frees what nothing refers to any more. */
void free_entity(struct engine *e, struct entity *entity);

#endif
