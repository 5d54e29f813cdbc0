/*
 * bus.c - what is known about a bus; and that a child of the process that opened it lets go of it.
 */
#include "bus.h"

void bus_abandon(struct mbus_bus *bus)
{
        if (bus_usable(bus, true) == 0 || bus->abandoned)
                return;
        bus->abandoned = true;
        one_fd_deinit(&bus->parts.one_fd);
        if (bus->mode)
                bus->mode->ops->abandon(bus->mode);
}

const char *mbus_bus_get_url(const struct mbus_bus *bus)
{
        return bus ? bus->parts.url : NULL;
}

uint64_t mbus_bus_get_dropped(const struct mbus_bus *bus, enum mbus_drop reason)
{
        if (!bus || (unsigned)reason >= MBUS_DROP_MAX)
                return 0;
        return bus->mode->ops->get_dropped(bus->mode, reason);
}

void mbus_bus_get_sizes(const struct mbus_bus *bus, size_t *ret_size, size_t *ret_largest)
{
        size_t size = 0, largest = 0;

        if (bus)
                bus->mode->ops->get_sizes(bus->mode, &size, &largest);
        if (ret_size)
                *ret_size = size;
        if (ret_largest)
                *ret_largest = largest;
}

const char *mbus_bus_get_warning(const struct mbus_bus *bus, size_t i)
{
        return bus && i < bus->parts.remarks.n ? bus->parts.remarks.texts[i] : NULL;
}

const char *mbus_bus_get_interface(const struct mbus_bus *bus)
{
        return bus && bus->mode->ops->get_interface ? bus->mode->ops->get_interface(bus->mode)
                                                    : NULL;
}

const char *mbus_bus_get_network(struct mbus_bus *bus, enum mbus_network network)
{
        if (!bus || !bus->mode->ops->get_network || (unsigned)network >= MBUS_NETWORK_MAX)
                return NULL;
        return bus->mode->ops->get_network(bus->mode, network);
}

int mbus_bus_resolve(struct mbus_bus *bus)
{
        int r = bus_usable(bus, true);

        if (r != 0 || !bus->mode->ops->resolve)
                return r;
        return bus->mode->ops->resolve(bus->mode);
}
