/*
 * network.c - what the broker says of the network that its bus is on: what is the matter with it
 * now, and on which interface it is (spec/attach.md).
 */
#include "link.h"

#include <stdlib.h>

static const char *const names[MBUS_NETWORK_MAX] = {
        [MBUS_NETWORK_OK] = "ok",     [MBUS_NETWORK_MOVED] = "moved",
        [MBUS_NETWORK_MUTE] = "mute", [MBUS_NETWORK_DEAF] = "deaf",
        [MBUS_NETWORK_KEY] = "key",   [MBUS_NETWORK_DIALECT] = "dialect",
};

/* Replaces *@text by a copy of @span, which may be empty. */
static void set_text(char **text, struct span span)
{
        free(*text);
        *text = why_string(span);
}

void link_set_interface(struct link *l, struct span interface)
{
        if (interface.n > 0)
                set_text(&l->network.interface, interface);
}

void link_forget_network(struct link *l)
{
        for (unsigned i = 0; i < MBUS_NETWORK_MAX; i++)
                set_text(&l->network.texts[i], SPAN_NULL);
        set_text(&l->network.interface, SPAN_NULL);
}

/* Who attaches several entities is told of one trouble several times. */
static bool is_known(const struct link *l, unsigned network, struct span why)
{
        const char *text = l->network.texts[network];

        return text && span_equal_text(why, text);
}

void link_on_network(struct mbus_bus *bus, struct span name, struct span interface, struct span why)
{
        struct link *l = bus->impl;

        link_set_interface(l, interface);
        for (unsigned i = 0; i < MBUS_NETWORK_MAX; i++) {
                if (!span_equal_text(name, names[i]) || is_known(l, i, why))
                        continue;
                if (i == MBUS_NETWORK_OK)
                        for (unsigned k = 0; k < MBUS_NETWORK_MAX; k++)
                                set_text(&l->network.texts[k], SPAN_NULL);
                else if (i != MBUS_NETWORK_MOVED)
                        set_text(&l->network.texts[i], why);
                event_queue_network(bus, (enum mbus_network)i, why);
        }
}

const char *link_get_interface(const struct mbus_bus *bus)
{
        const struct link *l = bus->impl;

        return l->network.interface;
}

const char *link_get_network(struct mbus_bus *bus, enum mbus_network network)
{
        const struct link *l = bus->impl;

        return l->network.texts[network];
}
