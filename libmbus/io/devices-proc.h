/*
 * devices-proc.h - interfaces without netlink, as well as can be.
 */
#ifndef MBUS_IO_DEVICES_PROC_H
#define MBUS_IO_DEVICES_PROC_H

#include "devices.h"

/* All interfaces, their names and addresses. 0 or -errno. */
int devices_read_proc(struct devices *d);
/* The routes to @group. 0 or -errno. */
int devices_read_proc_routes(const union socket_address *group, struct devices *d);

#endif
