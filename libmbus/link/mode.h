/*
 * mode.h - a link as the mode of a bus.
 */
#ifndef MBUS_LINK_MODE_H
#define MBUS_LINK_MODE_H

#include "link.h"

/* A link over @t, which is connected and taken over, also on failure; its URL is @scheme and
 * @name. 0 or -ENOMEM. */
int link_new(struct bus_parts *bus, struct transport *t, const char *scheme, const char *name,
             uint64_t patience, struct mode **ret_mode);

#endif
