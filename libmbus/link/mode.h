/*
 * mode.h - a link as the mode of a bus.
 */
#ifndef MBUS_LINK_MODE_H
#define MBUS_LINK_MODE_H

#include "link.h"

/* Takes over @fd, which is connected, also on failure: NULL when memory is short. */
struct link *link_new(struct bus_parts *bus, int fd, uint64_t patience);
/* Without any patience. Returns NULL. */
struct link *link_free(struct link *l);

#endif
