/*
 * send.h - messages of the application go out.
 */
#ifndef MBUS_LINK_SEND_H
#define MBUS_LINK_SEND_H

#include "link.h"

/* Those of mode_ops. 0, MBUS_E_NOT_READY, MBUS_E_TOO_LARGE, MBUS_E_FULL or -ENOMEM. */
int link_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
              uint64_t *ret_ticket);
int link_ping(struct mbus_entity *entity, const struct address *dest);

/* What waits until @entity is attached goes: it is, or there is room in the output again. */
void link_send_early(struct link_entity *entity);
void link_send_early_all(struct link *l);

#endif
