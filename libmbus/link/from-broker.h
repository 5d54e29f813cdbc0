/*
 * from-broker.h - what the broker says to the library (spec/attach.md): answers to its questions,
 * who is on the bus, what was lost.
 */
#ifndef MBUS_LINK_FROM_BROKER_H
#define MBUS_LINK_FROM_BROKER_H

#include "link.h"

/* What the broker says in @m. Whether all of it was the library's business. */
bool link_on_broker_message(struct link *l, const struct message *m);
/* What @m of the broker acknowledges: what the library asked of it is done. */
void link_on_broker_acks(struct link *l, const struct message *m);

#endif
