/*
 * reconnect.h - losing the link and getting it back.
 *
 * A lost link ends every ticket and is tried again with back-off, which begins anew only when a
 * link was of use. Entities and watches are asked for anew, and what is not known any more has
 * left: nothing is lost silently.
 */
#ifndef MBUS_LINK_RECONNECT_H
#define MBUS_LINK_RECONNECT_H

#include "link.h"

/* The link is of no use any more. */
void link_down(struct link *l);
/* It is down: goes on with connecting, or begins, if that is due. */
void link_reconnect(struct link *l);
/* Entities whose address the old link had a moment ago ask for it again, if that is due. 0, or
 * -ENOMEM: start anew. */
int link_ask_for_taken(struct link *l);

#endif
