/*
 * stats.c - the figures of the broker, in one table for broker.stats() and for /metrics.
 */
#include "stats.h"

#include <assert.h>
#include <string.h>

#include <core/hello.h>

/* ---- the table ----------------------------------------------------------------------------- */

struct sink {
        const struct ops *ops;
        void (*put)(void *data, const struct figure *figure);
        void *data;
};

static void gauge(const struct sink *s, const char *name, const char *help, uint64_t value)
{
        s->put(s->data, &(struct figure){ .name = name, .help = help, .value = value });
}

static void seconds(const struct sink *s, const char *name, const char *help, uint64_t ns)
{
        s->put(s->data,
               &(struct figure){
                       .name = name, .help = help, .value = ns / NSEC_PER_MSEC, .in_ms = true });
}

static void labelled(const struct sink *s, enum figure_type type, const char *name,
                     const char *help, const char *label, const char *labels, uint64_t value)
{
        s->put(s->data, &(struct figure){ .name = name,
                                          .help = help,
                                          .type = type,
                                          .label = label,
                                          .labels = labels,
                                          .value = value });
}

static void both_ways(const struct sink *s, const char *name, const char *help, uint64_t in,
                      uint64_t out)
{
        labelled(s, FIGURE_COUNTER, name, help, "direction", "in", in);
        labelled(s, FIGURE_COUNTER, name, help, "direction", "out", out);
}

static void put_state(const struct sink *s)
{
        static const char entities[] = "Entities, of local clients and of the rest of the bus.";
        const struct routing *routing = s->ops->routing;
        const struct connections *net = s->ops->net;
        const struct quota *quota = s->ops->quota;
        size_t local = engine_n_entities(routing->engine);
        size_t remote = engine_n_peers(routing->engine), queued = 0;

        for (const struct connection *c = connections_first(net); c; c = connection_next(c))
                queued += c->queue.n_messages;
        seconds(s, "uptime_seconds", "How long the broker has been running.",
                s->ops->it->now - s->ops->started);
        gauge(s, "clients", "Links of local clients.", net->n);
        labelled(s, FIGURE_GAUGE, "entities", entities, "where", "local", local);
        labelled(s, FIGURE_GAUGE, "entities", entities, "where", "remote", remote);
        gauge(s, "watchers", "Clients that watch entities come and go.", routing->n_watchers);
        gauge(s, "observers", "Clients that observe messages.", routing->n_observers);
        seconds(s, "hello_interval_seconds",
                "Time between two hellos of an entity (RFC 3259, 8.1).",
                hello_interval(local + remote));
        gauge(s, "queued_messages", "Messages that wait for clients.", queued);
        gauge(s, "queued_bytes", "Octets that wait for clients, or to be acknowledged on a bus.",
              quota->use[QUOTA_BYTES]);
        gauge(s, "retained_messages", "Last values kept for entities that come late.",
              routing->n_retained);
        gauge(s, "retained_bytes", "Octets of these.", quota->use[QUOTA_RETAINED]);
}

static void put_reloads(const struct sink *s)
{
        static const char help[] = "How often the configuration was read again.";

        labelled(s, FIGURE_COUNTER, "reloads_total", help, "result", "used", s->ops->n_reloads);
        labelled(s, FIGURE_COUNTER, "reloads_total", help, "result", "refused",
                 s->ops->n_reloads_refused);
}

static void put_links(const struct sink *s)
{
        const struct connections *net = s->ops->net;

        both_ways(s, "link_messages_total", "Messages from clients, and queued for clients.",
                  net->in.n, net->out.n);
        both_ways(s, "link_bytes_total", "Octets of these messages.", net->in.bytes,
                  net->out.bytes);
}

#define DROP_LABEL(name, label) label,

static void put_drops(const struct sink *s)
{
        static const char lost[] = "Messages that were not passed on.";
        static const char *const causes[DROP_MAX] = { DROP_CAUSES(DROP_LABEL) };

        for (unsigned i = 0; i < DROP_MAX; i++)
                labelled(s, FIGURE_COUNTER, "dropped_total", lost, "cause", causes[i],
                         s->ops->quota->drops[i]);
}

static void put_rejections(const struct sink *s)
{
        static const char help[] = "TCP connections that were closed since they are no clients.";
        static const char *const causes[TCP_REJECTION_MAX] = {
                [TCP_TOO_MANY] = "too_many", [TCP_TOO_LATE] = "too_late",
                [TCP_FORGED] = "wrong_key",  [TCP_STRANGE] = "wrong_protocol",
                [TCP_HUNG_UP] = "hung_up",
        };

        for (unsigned i = 0; i < TCP_REJECTION_MAX; i++)
                labelled(s, FIGURE_COUNTER, "tcp_rejected_total", help, "cause", causes[i],
                         tcp_listener_n_rejected(s->ops->tcp, (enum tcp_rejection)i));
}

/* ---- the table, for each bus --------------------------------------------------------------- */

/* A figure of each bus, which @value tells. */
static void of_buses(const struct sink *s, const struct figure *figure,
                     uint64_t (*value)(const struct bus *bus, unsigned which), unsigned which)
{
        struct figure f = *figure;
        const struct bus *bus;

        assert(!f.label || f.labels);
        for (size_t i = 0; (bus = buses_get(s->ops->buses, i)); i++) {
                f.bus = bus->name;
                f.value = value(bus, which);
                s->put(s->data, &f);
        }
}

static uint64_t queued(const struct bus *bus, unsigned which)
{
        (void)which;
        return engine_n_datagrams(bus->engine);
}

static uint64_t memory(const struct bus *bus, unsigned which)
{
        (void)which;
        return engine_memory(bus->engine);
}

static uint64_t datagrams(const struct bus *bus, unsigned out)
{
        const struct udp_traffic *t = udp_traffic(bus->udp);

        return out ? t->datagrams_out : t->datagrams_in;
}

static uint64_t bytes(const struct bus *bus, unsigned out)
{
        const struct udp_traffic *t = udp_traffic(bus->udp);

        return out ? t->bytes_out : t->bytes_in;
}

static uint64_t dropped(const struct bus *bus, unsigned drop)
{
        return engine_dropped(bus->engine, (enum mbus_drop)drop);
}

static void put_bus_traffic(const struct sink *s)
{
        static const char *const directions[2] = { "in", "out" };
        struct figure f = { .name = "bus_queued_datagrams",
                            .help = "Datagrams that wait for the network." };

        of_buses(s, &f, queued, 0);
        f.name = "bus_memory_bytes";
        f.help = "Memory for known entities and outstanding messages.";
        of_buses(s, &f, memory, 0);
        f.type = FIGURE_COUNTER;
        f.label = "direction";
        f.name = "bus_datagrams_total";
        f.help = "Datagrams from the bus, and to it.";
        for (unsigned out = 0; out < 2; out++) {
                f.labels = directions[out];
                of_buses(s, &f, datagrams, out);
        }
        f.name = "bus_bytes_total";
        f.help = "Octets of these datagrams.";
        for (unsigned out = 0; out < 2; out++) {
                f.labels = directions[out];
                of_buses(s, &f, bytes, out);
        }
}

static void put_bus_drops(const struct sink *s)
{
        static const char *const drops[MBUS_DROP_MAX] = {
                [MBUS_DROP_SHORT] = "short",         [MBUS_DROP_FORMAT] = "format",
                [MBUS_DROP_DIGEST] = "digest",       [MBUS_DROP_CIPHERTEXT] = "ciphertext",
                [MBUS_DROP_PROTOCOL] = "protocol",   [MBUS_DROP_VERSION] = "version",
                [MBUS_DROP_MALFORMED] = "malformed", [MBUS_DROP_OWN] = "own",
                [MBUS_DROP_DUPLICATE] = "duplicate", [MBUS_DROP_STALE] = "stale",
                [MBUS_DROP_DEPARTED] = "departed",   [MBUS_DROP_SUBSET] = "subset",
                [MBUS_DROP_PEERS] = "peers",         [MBUS_DROP_EVENTS] = "events",
                [MBUS_DROP_SOCKET] = "socket",       [MBUS_DROP_SENT] = "sent",
        };
        struct figure f = { .name = "bus_dropped_total",
                            .help = "Datagrams that did not become messages, or were not sent.",
                            .type = FIGURE_COUNTER,
                            .label = "cause" };

        for (unsigned i = 0; i < MBUS_DROP_MAX; i++) {
                f.labels = drops[i];
                if (drops[i])
                        of_buses(s, &f, dropped, i);
        }
}

void stats_each(const struct ops *ops, void (*put)(void *data, const struct figure *figure),
                void *data)
{
        struct sink sink = { ops, put, data };

        put_state(&sink);
        put_reloads(&sink);
        put_links(&sink);
        put_drops(&sink);
        put_rejections(&sink);
        put_bus_traffic(&sink);
        put_bus_drops(&sink);
}

/* ---- broker.stats() ------------------------------------------------------------------------ */

static void answer_figure(void *data, const struct figure *f)
{
        struct answer *a = data;

        buffer_add_text(&a->items, " (");
        figure_format_symbol(f, &a->items);
        buffer_add_char(&a->items, ' ');
        figure_format_value(f, &a->items);
        answer_end_item(a);
}

static void on_stats(struct request *request)
{
        struct answer a = answer_to(request, "broker.stats");

        stats_each(request->room, answer_figure, &a);
        answer_end(&a);
}

void stats_init(struct ops *ops, struct control *control)
{
        static const struct command_entry entries[] = {
                { "broker.stats", SPEAKER_OWNER, on_stats },
        };

        ops->commands = (struct command_table){ entries, 1, ops };
        control_add(control, &ops->commands);
}
