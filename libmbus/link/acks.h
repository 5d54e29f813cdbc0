/*
 * acks.h - acknowledgements that are owed, gathered until the main loop turns (RFC 3259, section
 * 7).
 *
 * A reliable message is acknowledged by its SeqNum in the AckList of a message to its source. It
 * counts as received when its event is queued, so what is noted here has its event, and an entity
 * that is not attached any more acknowledges nothing.
 */
#ifndef MBUS_LINK_ACKS_H
#define MBUS_LINK_ACKS_H

#include "link.h"

/* Notes that @entity has the reliable message @m. */
void link_owe_ack(struct link *l, struct link_entity *entity, struct message *m);
void link_flush_acks(struct link *l);
/* Forgets what is owed: the link is gone. */
void link_drop_acks(struct link *l);

#endif
