/*
 * network-news.c - see network-news.h. Without a broker the library would notice all this itself,
 * so clients are told what it would tell (MBUS_EVENT_NETWORK in mbus.h).
 */
#include "network-news.h"

#include <assert.h>

#include <core/filter.h>
#include <core/value.h>

static const char *const names[MBUS_NETWORK_MAX] = {
        [MBUS_NETWORK_OK] = "ok",     [MBUS_NETWORK_MOVED] = "moved",
        [MBUS_NETWORK_MUTE] = "mute", [MBUS_NETWORK_DEAF] = "deaf",
        [MBUS_NETWORK_KEY] = "key",   [MBUS_NETWORK_DIALECT] = "dialect",
};

static bool is_concerned(const struct session *s, const struct bus *bus)
{
        return (bus_is_main(bus) && (s->n_entities > 0 || s->routing->watches)) ||
               (s->routing->observes && filters_name_bus(s->routing->filters, bus->name));
}

/* broker.network(STATE "INTERFACE" "WHY") */
static void network_say(struct session *s, const struct bus *bus, enum mbus_network network,
                        const char *text)
{
        struct buffer payload = BUFFER_INIT;

        assert(network < MBUS_NETWORK_MAX && names[network]);
        buffer_add_text(&payload, "broker.network(");
        buffer_add_text(&payload, names[network]);
        buffer_add_char(&payload, ' ');
        value_format_string(span_of(udp_interface(bus->udp)), &payload);
        buffer_add_char(&payload, ' ');
        value_format_string(span_of(text), &payload);
        buffer_add_char(&payload, ')');
        if (payload.failed)
                connection_kill(&s->link, "memory is short");
        else
                reply_say(s, buffer_span(&payload));
        buffer_deinit(&payload);
}

void network_note(struct bridges *all, struct bus *bus, enum mbus_network network, const char *text)
{
        if (network == MBUS_NETWORK_OK)
                log_info("bus %s: %s", bus->name, text);
        else
                log_warning("bus %s: %s", bus->name, text);
        for (struct session *s = sessions_first(all->sessions); s; s = session_next(s))
                if (!s->link.is_dead && is_concerned(s, bus))
                        network_say(s, bus, network, text);
}

void network_tell(struct session *s)
{
        const struct bus *bus = &s->all->buses->main;
        const char *text;

        for (unsigned network = 0; network < MBUS_NETWORK_MAX; network++) {
                text = udp_network(bus->udp, bus->engine, (enum mbus_network)network);
                if (text)
                        network_say(s, bus, (enum mbus_network)network, text);
        }
}
