/*
 * ask.h - what the library asks the broker (spec/attach.md).
 */
#ifndef MBUS_LINK_ASK_H
#define MBUS_LINK_ASK_H

#include "link.h"

/* Each puts a question into the output: 0, MBUS_E_NOT_READY, MBUS_E_TOO_LARGE, MBUS_E_FULL or
 * -ENOMEM. */

/* Asks for the address that @entity had, if any and not @anew, else for the one it was given. */
int link_attach(struct link_entity *entity, bool anew);
int link_detach(struct link *l, struct span address);
int link_watch(struct link *l, struct watch *watch);
int link_observe(struct link *l);
/* Sends @payload, a command that any client may give, to the broker; reliably. */
int link_ask(struct link *l, struct span payload);

#endif
