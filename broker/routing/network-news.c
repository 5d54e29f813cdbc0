/*
 * network-news.c - see outlook.h. Without a broker the library would notice all this itself, so clients are
 * told what it would tell (MBUS_EVENT_NETWORK in mbus.h).
 */
#include "network-news.h"

#include <core/filter.h>
#include <core/value.h>

#include <broker/broker.h>
#include <broker/control/control.h>
#include <broker/base/log.h>

static const char *const names[MBUS_NETWORK_MAX] = {
        [MBUS_NETWORK_OK] = "ok",     [MBUS_NETWORK_MOVED] = "moved",
        [MBUS_NETWORK_MUTE] = "mute", [MBUS_NETWORK_DEAF] = "deaf",
        [MBUS_NETWORK_KEY] = "key",   [MBUS_NETWORK_DIALECT] = "dialect",
};

static bool is_main(const struct bus *bus)
{
        return bus == &bus->broker->bus;
}

static bool is_concerned(const struct client *c, const struct bus *bus)
{
        return (is_main(bus) && (c->attachments || c->watches)) ||
               (c->observes && filters_name_bus(c->filters, bus->name));
}

/* broker.network(STATE "INTERFACE" "WHY") */
static void say(struct client *c, const struct bus *bus, enum mbus_network network,
                const char *text)
{
        struct buffer payload = BUFFER_INIT;

        buffer_add_text(&payload, "broker.network(");
        buffer_add_text(&payload, names[network]);
        buffer_add_char(&payload, ' ');
        value_format_string(span_of(udp_interface(bus->udp)), &payload);
        buffer_add_char(&payload, ' ');
        value_format_string(span_of(text), &payload);
        buffer_add_char(&payload, ')');
        if (payload.failed)
                client_kill(c, "memory is short");
        else
                control_say(c, buffer_span(&payload));
        buffer_deinit(&payload);
}

void outlook_note(struct bus *bus, enum mbus_network network, const char *text)
{
        if (network == MBUS_NETWORK_OK)
                log_info("bus %s: %s", bus->name, text);
        else
                log_warning("bus %s: %s", bus->name, text);
        for (struct client *c = bus->broker->clients; c; c = c->next)
                if (!c->dead && is_concerned(c, bus))
                        say(c, bus, network, text);
}

void outlook_tell(struct client *c)
{
        struct broker *b = c->broker;
        const char *text;

        for (unsigned network = 0; network < MBUS_NETWORK_MAX; network++) {
                text = udp_network(b->udp, b->engine, (enum mbus_network)network);
                if (text)
                        say(c, &b->bus, (enum mbus_network)network, text);
        }
}
