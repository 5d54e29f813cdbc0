/*
 * network.c - see network.h.
 */
#include "network.h"

#include <stdlib.h>

static const char *const network_names[MBUS_NETWORK_MAX] = {
        [MBUS_NETWORK_OK] = "ok",     [MBUS_NETWORK_MOVED] = "moved",
        [MBUS_NETWORK_MUTE] = "mute", [MBUS_NETWORK_DEAF] = "deaf",
        [MBUS_NETWORK_KEY] = "key",   [MBUS_NETWORK_DIALECT] = "dialect",
};

/* Replaces *@text by a copy of @span, which may be empty. */
static void network_set_text(char **text, struct span span)
{
        free(*text);
        *text = why_string(span);
}

void network_set_interface(struct link_network *n, struct span interface)
{
        if (interface.n > 0)
                network_set_text(&n->interface, interface);
}

void network_forget(struct link_network *n)
{
        for (unsigned i = 0; i < MBUS_NETWORK_MAX; i++)
                network_set_text(&n->texts[i], SPAN_NULL);
        network_set_text(&n->interface, SPAN_NULL);
}

/* Who attaches several entities is told of one trouble several times. */
static bool network_is_known(const struct link_network *n, unsigned network, struct span why)
{
        const char *text = n->texts[network];

        return text && span_equal_text(why, text);
}

void network_told(struct link_network *n, struct event_queue *events, struct span name,
                  struct span interface, struct span why)
{
        network_set_interface(n, interface);
        for (unsigned i = 0; i < MBUS_NETWORK_MAX; i++) {
                if (!span_equal_text(name, network_names[i]) || network_is_known(n, i, why))
                        continue;
                if (i == MBUS_NETWORK_OK)
                        for (unsigned k = 0; k < MBUS_NETWORK_MAX; k++)
                                network_set_text(&n->texts[k], SPAN_NULL);
                else if (i != MBUS_NETWORK_MOVED)
                        network_set_text(&n->texts[i], why);
                event_queue_network(events, (enum mbus_network)i, why);
        }
}
