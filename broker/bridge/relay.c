/*
 * relay.c - messages from one bus to another.
 *
 * An unreliable message of an entity that is hosted elsewhere is said there again by its proxy, unless
 * it is for one entity of the bus it came from. A reliable one that came to a proxy is sent again to
 * whom that stands for, by the sender's proxy; only when it was acknowledged there is it acknowledged
 * here. If it was not, its sender's own time-out tells.
 *
 * Only what real entities say is carried, and never by two: that cuts all loops.
 */
#include <stdlib.h>

#include <core/frame.h>

#include "bridge-state.h"
#include <broker/broker.h>
#include <broker/routing/monitor.h>
#include "pending-relays.h"
#include <broker/sessions/reliable.h>
#include <broker/routing/fanout.h>

/* ---- rules and time ------------------------------------------------------------------------ */

/* Whether some rule lets a command of @src pass. */
static bool admits_command(const struct bridge *bridge, unsigned from, const struct address *src,
                           struct span name)
{
        for (size_t i = 0; i < bridge->n_rules[from]; i++) {
                const struct rule *rule = bridge->rules[from][i];

                if (rule_admits(rule, name) && rule_is_about(rule, src))
                        return true;
        }
        return false;
}

/* A message passes whole or not at all. */
static bool admits(const struct bridge *bridge, unsigned from, const struct address *src,
                   struct span payload)
{
        struct span name;

        while (payload_next_name(&payload, &name))
                if (!admits_command(bridge, from, src, name))
                        return false;
        return true;
}

/* The sender's time stamp, within the life of the proxy: a clock that goes wrong on one bus must not
 * make everything look old on another. */
static uint64_t stamp(const struct proxy *p, uint64_t timestamp)
{
        uint64_t now = proxy_bus(p)->broker->it.wall_ms;

        if (timestamp < p->since)
                return p->since;
        return timestamp > now ? now : timestamp;
}

/* ---- clients ------------------------------------------------------------------------------- */

/* What @p says next. */
static struct header_spec spec_of(struct proxy *p, bool reliable, struct span dest,
                                  uint64_t timestamp)
{
        return (struct header_spec){ .seq = p->seq++,
                                     .timestamp = timestamp,
                                     .reliable = reliable,
                                     .src = proxy_address(p)->text,
                                     .dest = dest };
}

/* Makes a frame in the shared chunk. */
static bool make_frame(struct broker *b, const struct header_spec *spec, struct span payload,
                       size_t *ret_n)
{
        char *at;

        buffer_clear(&b->it.text);
        if (message_format(spec, payload, DIALECT_RFC3259, &b->it.text) || b->it.text.n > FRAME_MAX)
                return false;
        at = iteration_reserve(&b->it, FRAME_HEADER_SIZE + b->it.text.n);
        if (!at)
                return false;
        frame_put_length(at, b->it.text.n, false);
        memcpy(at + FRAME_HEADER_SIZE, b->it.text.at, b->it.text.n);
        b->it.chunk->n += FRAME_HEADER_SIZE + b->it.text.n;
        *ret_n = FRAME_HEADER_SIZE + b->it.text.n;
        return true;
}

/* Those who observe get a copy; of what goes to the network the engine makes it. */
static void show(struct broker *b, const struct header_spec *spec, struct span payload)
{
        if (b->bus.n_observers == 0)
                return;
        buffer_clear(&b->it.text);
        if (message_format(spec, payload, DIALECT_RFC3259, &b->it.text) == 0 && b->it.text.n <= FRAME_MAX)
                monitor_copy(&b->bus, buffer_span(&b->it.text), false);
}

/* Gives an unreliable message to all clients with an entity that @dest matches; @only: to that. */
static void say_to_clients(struct broker *b, const struct address *dest,
                           const struct attachment *only, const struct header_spec *spec,
                           struct span payload)
{
        size_t n_matches, n = 0;

        if (!route_match(b, dest, &n_matches))
                return;
        b->mark++;
        for (size_t i = 0; i < n_matches; i++) {
                struct attachment *a = entity_data(b->matches[i]);

                if (!a->client || a->client->mark == b->mark || (only && a != only))
                        continue;
                a->client->mark = b->mark;
                if (n == 0 && !make_frame(b, spec, payload, &n))
                        return;
                client_push(a->client, b->it.chunk, b->it.chunk->n - n, n, KIND_UNRELIABLE);
        }
}

static bool has_peers(const struct broker *b, const struct address *dest)
{
        struct peer_info info;
        size_t cursor = 0;

        return engine_next_peer(b->engine, dest, &cursor, &info);
}

/* Says it on the bus main. Whether the network is to have it, too. */
static bool say_on_main(struct broker *b, const struct address *dest,
                        const struct header_spec *spec, struct span payload)
{
        const struct attachment *only = dest->n > 0 ? attachment_find(b, dest) : NULL;

        say_to_clients(b, dest, only, spec, payload);
        if (only)
                return false;
        return b->options.multicast == MULTICAST_ALWAYS || engine_has_peer(b->engine, dest) ||
               (b->options.multicast == MULTICAST_WHEN_REMOTE && has_peers(b, dest));
}

/* ---- unreliable ---------------------------------------------------------------------------- */

static void say(struct proxy *p, const struct address *dest, uint64_t timestamp,
                struct span payload)
{
        struct bus *bus = proxy_bus(p);
        struct broker *b = bus->broker;
        struct header_spec spec;
        int r;

        timestamp = stamp(p, timestamp);
        spec = spec_of(p, false, dest->text, timestamp);
        if (bus_is_main(bus) && !say_on_main(b, dest, &spec, payload)) {
                show(b, &spec, payload);
                return;
        }
        r = engine_send(bus->engine, b->it.now, timestamp, p->stand.entity, dest, payload);
        if (r)
                broker_count(b, COUNT_BUS_FULL, NULL,
                             r == MBUS_E_TOO_LARGE
                                     ? "a message is too large for another bus"
                                     : "messages come faster than another bus takes them");
}

/* Whether a message to @dest is for other buses, too; *@ret_only: only for that one, if not NULL. */
static bool leads_away(const struct bus *bus, const struct address *dest,
                       const struct bridge **ret_only)
{
        struct entity *entity = engine_find(bus->engine, dest);
        struct proxy *p = entity ? proxy_of(bus, entity) : NULL;

        *ret_only = p ? p->bridge : NULL;
        return p || (!entity && !engine_has_peer(bus->engine, dest));
}

static void carry(struct bus *bus, const struct address *src, const struct address *dest,
                  uint64_t timestamp, struct span payload)
{
        struct bridges *all = bus->broker->bridges;
        const struct bridge *only;
        struct bridge *bridge;
        size_t cursor = 0;
        unsigned from;

        if (!leads_away(bus, dest, &only))
                return;
        while ((bridge = bridges_next(all, bus, &cursor, &from))) {
                struct proxy *p = bridge_find(bridge, 1 - from, src);

                if (p && (!only || bridge == only) && admits(bridge, from, src, payload))
                        say(p, dest, timestamp, payload);
        }
}

bool bridge_exports(struct broker *b, const struct address *src)
{
        struct bridge *bridge;
        size_t cursor = 0;
        unsigned from;

        while (b->bridges && (bridge = bridges_next(b->bridges, &b->bus, &cursor, &from)))
                if (bridge_find(bridge, 1 - from, src))
                        return true;
        return false;
}

void bridge_forward(struct broker *b, const struct attachment *src, const struct address *dest,
                    uint64_t timestamp, struct span payload)
{
        carry(&b->bus, entity_address(src->entity), dest, timestamp, payload);
}

/* ---- reliable ------------------------------------------------------------------------------ */

/* To a client of ours. */
static int give_client(struct proxy *by, struct proxy *to, struct attachment *target, uint32_t seq,
                       uint64_t timestamp, struct span payload)
{
        struct broker *b = target->client->broker;
        struct header_spec spec = spec_of(by, true, attachment_text(target), timestamp);
        struct relay *relay;
        size_t n;

        if (!make_frame(b, &spec, payload, &n))
                return MBUS_E_FULL;
        relay = relay_new(by, to, seq);
        if (!relay)
                return MBUS_E_FULL;
        relay->local = true;
        relay->ticket = spec.seq;
        if (client_push(target->client, b->it.chunk, b->it.chunk->n - n, n, KIND_RELIABLE)) {
                relay_free(relay);
                return MBUS_E_FULL;
        }
        relay_await_client(relay);
        show(b, &spec, payload);
        return 0;
}

/* To the bus. */
static int give_engine(struct proxy *by, struct proxy *to, struct client *client, uint32_t seq,
                       uint64_t timestamp, struct span payload)
{
        struct bus *bus = proxy_bus(by);
        struct relay *relay;
        int r;

        /* Whom it was for has left, and its place is taken already. */
        if (engine_find(bus->engine, proxy_address(to)))
                return MBUS_E_UNKNOWN;
        relay = relay_new(by, to, seq);
        if (!relay)
                return MBUS_E_FULL;
        r = engine_send_reliable(bus->engine, bus->broker->it.now, timestamp, by->stand.entity,
                                 proxy_address(to), payload, &relay->ticket);
        if (r)
                relay_free(relay);
        else if (client)
                relay_charge(
                        relay, client,
                        reliable_size(proxy_address(by)->text, proxy_address(to)->text, payload));
        return r;
}

/* Sends @seq of @src, which came to @to, where that one is. @client: @src is an entity of it. */
static int relay(struct proxy *to, const struct address *src, struct client *client, uint32_t seq,
                 uint64_t timestamp, struct span payload)
{
        struct bridge *bridge = to->bridge;
        struct bus *home = proxy_home(to);
        struct proxy *by = bridge_find(bridge, 1 - to->side, src);
        struct attachment *target;

        if (!by || !admits(bridge, to->side, src, payload))
                return MBUS_E_UNKNOWN;
        timestamp = stamp(by, timestamp);
        target = bus_is_main(home) ? attachment_find(home->broker, proxy_address(to)) : NULL;
        if (target && target->client)
                return give_client(by, to, target, seq, timestamp, payload);
        return give_engine(by, to, client, seq, timestamp, payload);
}

int bridge_send_reliable(const struct attachment *src, struct proxy *to, uint32_t seq,
                         uint64_t timestamp, struct span payload)
{
        return relay(to, entity_address(src->entity), src->client, seq, timestamp, payload);
}

/* ---- from a bus ---------------------------------------------------------------------------- */

static bool is_of_the_bus(struct span name)
{
        return span_equal_text(name, "mbus.hello") || span_equal_text(name, "mbus.bye") ||
               span_equal_text(name, "mbus.ping");
}

/* The commands of @m for applications, in the RFC's dialect. Empty when memory is short. */
static struct span payload_of(struct bridges *all, const struct bus *bus, const struct message *m)
{
        struct payload passing = m->payload;
        size_t n = 0;

        for (size_t i = 0; i < m->payload.n; i++)
                n += !is_of_the_bus(m->payload.commands[i].name);
        if (n == m->payload.n && bus->dialect == DIALECT_RFC3259)
                return span_from(m->text, m->header.payload);
        passing.commands = malloc(n * sizeof(*passing.commands));
        if (!passing.commands)
                return SPAN_NULL;
        passing.n = 0;
        for (size_t i = 0; i < m->payload.n; i++)
                if (!is_of_the_bus(m->payload.commands[i].name))
                        passing.commands[passing.n++] = m->payload.commands[i];
        buffer_clear(&all->text);
        payload_format(&passing, DIALECT_RFC3259, &all->text);
        free(passing.commands);
        return all->text.failed ? SPAN_NULL : buffer_span(&all->text);
}

static void take_reliable(struct bus *bus, struct entity *recipient, const struct header *h,
                          struct span payload)
{
        struct proxy *to = proxy_of(bus, recipient);
        int r;

        if (!to)
                return;
        r = relay(to, &h->src, NULL, h->seq, header_timestamp_ms(h), payload);
        if (r == 0)
                return;
        engine_refuse(bus->engine, recipient, &h->src, h->seq);
        broker_count(bus->broker, r == MBUS_E_UNKNOWN ? COUNT_DENIED : COUNT_BUS_FULL, NULL,
                     r == MBUS_E_UNKNOWN ? "no route lets a reliable message pass to another bus"
                                         : "a reliable message did not get to another bus");
}

void bridge_message(struct bus *bus, const struct event *event)
{
        struct bridges *all = bus->broker->bridges;
        const struct message *m = event->message;
        struct span payload;

        if (!all)
                return;
        payload = payload_of(all, bus, m);
        if (payload.n == 0)
                return;
        if (!m->header.reliable)
                carry(bus, &m->header.src, &m->header.dest, header_timestamp_ms(&m->header),
                      payload);
        else if (event->n_recipients == 1)
                take_reliable(bus, event->recipients[0], &m->header, payload);
}
