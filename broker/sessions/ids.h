/*
 * ids.h - ids that the broker gives entities of its clients (RFC 3259, 4.1).
 *
 * The first number is that of the client's process, the second counts for all sessions: two
 * entities of one process must not have the same.
 */
#ifndef BROKER_SESSIONS_IDS_H
#define BROKER_SESSIONS_IDS_H

#include "local-entity.h"

/* Room for the text of an address with an id added. */
#define IDS_TEXT_SIZE (ADDRESS_TEXT_MAX + 128)

/* The first number for entities of @s. */
uint32_t ids_first(struct session *s);
/* Whether an entity of the bus has the id of @address. */
bool ids_in_use(struct sessions *all, const struct address *address);
/*
 * Adds an id that nobody has to @text, an address without one. @room is what *@ret_address looks
 * at. 0, MBUS_E_MALFORMED: it has no room for one, or MBUS_E_FULL.
 */
int ids_complete(struct sessions *all, uint32_t first, struct span text,
                 char room[static IDS_TEXT_SIZE], struct address *ret_address);
/* Gives @e another id, because somebody else on the bus has its address. Its client is told. */
void ids_renew(struct local_entity *e);
/* Takes @e off the bus, because somebody else has its address, which its client relies on:
 * is_given. */
void ids_yield(struct local_entity *e);

#endif
