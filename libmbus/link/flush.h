/*
 * flush.h - which messages the broker has not taken yet.
 */
#ifndef MBUS_LINK_FLUSH_H
#define MBUS_LINK_FLUSH_H

#include "link.h"

/* mode_ops.n_left. Asks the broker if need be. */
size_t link_n_left(struct link *l);
/* @seq was answered; whether it was that question. */
bool link_on_flushed(struct link *l, uint32_t seq);
/* The link is gone, with all that the broker had not taken. */
void link_forget_flush(struct link *l);

#endif
