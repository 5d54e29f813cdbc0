/*
 * silence.h - a broker that says nothing at all ends tickets.
 *
 * Every ticket ends of itself as long as there is a broker: one that is stopped says nothing. The
 * age of a ticket tells nothing, for it may wait for its turn, or for its destination; so what
 * counts is how long the link gave no sign of life, from when something is awaited.
 */
#ifndef MBUS_LINK_SILENCE_H
#define MBUS_LINK_SILENCE_H

#include "link.h"

/* When it has been silent for so long that tickets end. */
uint64_t link_silent_at(struct link *l);
/* Ends them if that is now. */
void link_check_silence(struct link *l);

#endif
