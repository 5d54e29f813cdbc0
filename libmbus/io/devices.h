/*
 * devices.h - the network interfaces of this host at one moment: their names, states, addresses,
 * and where the routes lead that a bus may follow. devices-read.h asks the system for them.
 *
 * An interface is its index. Names are not: it may have several (altnames), addresses may have one
 * of their own (a label, as "eth0:1"), and another interface may take any of them over.
 */
#ifndef MBUS_IO_DEVICES_H
#define MBUS_IO_DEVICES_H

#include <net/if.h>

#include "endpoint.h"

/* ALTIFNAMSIZ of the kernel. */
#define DEVICE_NAME_MAX 128
/* More routes are not looked at: who has as many is a router, and its default is among the
 * first. */
#define DEVICE_ROUTES_MAX 4096

struct device {
        unsigned index;
        unsigned flags; /* IFF_UP, IFF_RUNNING (it has a carrier), IFF_LOOPBACK, ... */
        unsigned mtu;
        char name[IF_NAMESIZE];
};

/* An altname of a device, or the label of one of its addresses. */
struct device_name {
        unsigned index;
        bool label;
        char text[DEVICE_NAME_MAX];
};

struct device_address {
        unsigned index;
        union socket_address address;
};

/* A route that leads to a group and that somebody made, as no route to ff00::/8 of the kernel's
 * is. */
struct device_route {
        unsigned index;
        unsigned prefix; /* the longer, the more it is meant */
        unsigned metric; /* of two as long, the smaller counts */
};

struct devices {
        struct device *devices; /* by index */
        size_t n;
        struct device_name *names;
        size_t n_names;
        struct device_address *addresses;
        size_t n_addresses;
        struct device_route *routes; /* the best is the first */
        size_t n_routes;
};

void devices_deinit(struct devices *d);

const struct device *devices_find(const struct devices *d, unsigned index);
/* By name, altname, address, or label, in this order. NULL if there is none. */
const struct device *devices_find_name(const struct devices *d, const char *name);
/* The first address of @family of the device, with IPv6 the first in fe80::/64. NULL if it has
 * none. */
const union socket_address *devices_find_address(const struct devices *d, unsigned index,
                                                 int family);

/* ---- for those who read: netlink.h, devices-proc.h; 0 or -ENOMEM ---- */

int devices_add(struct devices *d, const struct device *device);
int devices_add_name(struct devices *d, unsigned index, bool label, const char *text);
int devices_add_address(struct devices *d, unsigned index, const union socket_address *address);
/* If it leads to @group: @prefix bits of @destination, of the group's family. */
int devices_add_route(struct devices *d, const union socket_address *group, const void *destination,
                      const struct device_route *route);

#endif
