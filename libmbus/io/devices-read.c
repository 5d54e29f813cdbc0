/*
 * devices-read.c - see devices-read.h.
 */
#include "devices-read.h"

#include <errno.h>
#include <stdlib.h>

#include "devices-proc.h"
#include "netlink.h"

static int compare_devices(const void *a, const void *b)
{
        unsigned x = ((const struct device *)a)->index, y = ((const struct device *)b)->index;

        return x < y ? -1 : x > y;
}

static int compare_routes(const void *a, const void *b)
{
        const struct device_route *x = a, *y = b;

        if (x->prefix != y->prefix)
                return x->prefix > y->prefix ? -1 : 1;
        if (x->metric != y->metric)
                return x->metric < y->metric ? -1 : 1;
        return x->index < y->index ? -1 : x->index > y->index;
}

int devices_read(int netlink, struct devices *ret_devices)
{
        struct devices d = { .n = 0 };
        int r = netlink < 0 ? -EAFNOSUPPORT : netlink_read(netlink, &d);

        if (netlink_is_missing(r)) {
                devices_deinit(&d);
                r = devices_read_proc(&d);
        }
        if (r < 0) {
                devices_deinit(&d);
                return r;
        }
        if (d.n > 0)
                qsort(d.devices, d.n, sizeof(*d.devices), compare_devices);
        *ret_devices = d;
        return 0;
}

int devices_read_routes(int netlink, const union socket_address *group, struct devices *d)
{
        int r = netlink < 0 ? -EAFNOSUPPORT : netlink_read_routes(netlink, group, d);

        if (netlink_is_missing(r)) {
                d->n_routes = 0;
                r = devices_read_proc_routes(group, d);
        }
        if (d->n_routes > 0)
                qsort(d->routes, d->n_routes, sizeof(*d->routes), compare_routes);
        return r;
}
