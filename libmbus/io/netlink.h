/*
 * netlink.h - what the kernel says about routes and interfaces: where a group would go out, and
 * when something changed.
 */
#ifndef MBUS_IO_NETLINK_H
#define MBUS_IO_NETLINK_H

#include "endpoint.h"

/*
 * The interface through which the kernel would send to @to if nobody named one. 0, -ENETUNREACH and
 * the like if there is no route, other -errno.
 */
int netlink_route(const union socket_address *to, unsigned *ret_index);

/* A descriptor that becomes readable when an interface or its addresses, or with @routes a route,
 * change. 0 or -errno. */
int netlink_watch(bool routes, int *ret_fd);
/* Empties the descriptor. True if anything had changed. */
bool netlink_changed(int fd);

#endif
