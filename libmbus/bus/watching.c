/*
 * watching.c - which other entities the application wants to hear of, and those that are there now.
 */
#include "bus.h"

#include <stdlib.h>

static int watching_parse(struct mbus_bus *bus, const char *text, struct address *ret_address)
{
        struct parse_error error = { 0, "" };
        int r = address_parse(span_of(text), LENIENT, ret_address, NULL, &error);

        return bus_refuse_text(bus, r, text, error.at, error.what);
}

int mbus_bus_watch(struct mbus_bus *bus, const char *address)
{
        struct watches *watches;
        struct address parsed;
        struct watch *watch;
        int r = bus_usable(bus, address);

        if (r == 0)
                r = watching_parse(bus, address, &parsed);
        else
                r = bus_refuse(bus, r);
        if (r != 0)
                return r;
        watches = &bus->parts.watches;
        if (watches->n >= WATCHES_MAX)
                return bus_refuse(bus, MBUS_E_FULL);
        watch = watches_add(watches, &parsed);
        if (!watch)
                return -ENOMEM;
        r = bus->mode->ops->watch(bus->mode, watch);
        if (r != 0)
                watches_remove(watches, watches->n - 1);
        bus_changed(bus);
        return bus_refuse(bus, r);
}

int mbus_peers_new(struct mbus_bus *bus, const char *address, struct mbus_peers **ret_peers)
{
        struct mbus_peers *peers;
        struct address dest;
        int r = bus_usable(bus, address && ret_peers);

        if (r == 0)
                r = watching_parse(bus, address, &dest);
        else
                r = bus_refuse(bus, r);
        if (r != 0)
                return r;
        peers = peer_list_new();
        if (!peers)
                return -ENOMEM;
        r = bus->mode->ops->list(bus->mode, &dest, peers);
        if (r != 0)
                mbus_peers_free(peers);
        else
                *ret_peers = peers;
        return r;
}
