/*
 * devices-read.h - asks the system for its interfaces, by netlink or, where there is none,
 * otherwise.
 */
#ifndef MBUS_IO_DEVICES_READ_H
#define MBUS_IO_DEVICES_READ_H

#include "devices.h"

/*
 * Asks the kernel, by @netlink (netlink_open()) or, if that is -1, as well as can be without it. 0
 * or -errno.
 */
int devices_read(int netlink, struct devices *ret_devices);
/* Adds the routes of the main table that lead to @group. 0 or -errno. */
int devices_read_routes(int netlink, const union socket_address *group, struct devices *d);

#endif
