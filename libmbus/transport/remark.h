/*
 * remark.h - what is remarked of a broker whose bus was asked for.
 */
#ifndef MBUS_TRANSPORT_REMARK_H
#define MBUS_TRANSPORT_REMARK_H

#include <bus/mode.h>

struct link_proof;

/* It does not know the question of @p. */
void remark_old(struct bus_parts *bus, const char *path, const struct link_proof *p);
/* It is not on the bus that was named, as @p says. */
void remark_other_bus(struct bus_parts *bus, const char *path, const struct link_proof *p);

#endif
