/*
 * entity-id.h - the form of the value of an id element (RFC 3259, section 4.1).
 *
 * Ids of others are opaque to us: they may have any form. Only our own must have this one.
 */
#ifndef MBUS_CORE_ENTITY_ID_H
#define MBUS_CORE_ENTITY_ID_H

#include "bytes.h"

/* Whether @id is 1*10DIGIT "-" 1*5DIGIT "@" host-id. */
bool entity_id_is_proper(struct span id);

#endif
