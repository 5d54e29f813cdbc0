/*
 * engine-local.h - messages between the entities of one engine, which the bus does not bring back.
 */
#ifndef MBUS_CORE_ENGINE_LOCAL_H
#define MBUS_CORE_ENGINE_LOCAL_H

#include "engine-state.h"

/* The local entities that @dest matches, but for @except; NULL with *@ret_n 0 for none. -ENOMEM. */
int match_locals(const struct engine *e, const struct address *dest, const struct entity *except,
                 struct entity ***ret_entities, size_t *ret_n);
/* The message in e->text goes to the @n @recipients, too, which are taken over, also on failure. 0,
 * MBUS_E_FULL or -ENOMEM. */
int deliver_locally(struct engine *e, struct entity **recipients, size_t n);

#endif
