/*
 * engine-send.h - what an entity sends: to whom it goes, and what goes with it (engine.h).
 */
#ifndef MBUS_CORE_ENGINE_SEND_H
#define MBUS_CORE_ENGINE_SEND_H

#include "engine-state.h"

int send_unreliable(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                    const struct address *dest, struct span payload);
int send_reliable(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                  const struct address *dest, struct span payload, uint64_t *ret_ticket);
int send_ping(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
              const struct address *dest);

#endif
