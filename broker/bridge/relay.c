/*
 * relay.c - messages from one bus to another.
 *
 * An unreliable message of an entity that is hosted elsewhere is said there again by its proxy,
 * unless it is for one entity of the bus it came from. A reliable one that came to a proxy is sent
 * again to whom that stands for, by the sender's proxy; only when it was acknowledged there is it
 * acknowledged here. If it was not, its sender's own time-out tells.
 *
 * Only what real entities say is carried, and never by two: that cuts all loops.
 */
#include "relay.h"

#include <assert.h>
#include <stdlib.h>

#include <core/frame.h>

#include "pending-relays.h"

/* ---- rules and time ------------------------------------------------------------------------ */

/* Whether some rule lets a command of @src pass. */
static bool admits_command(const struct bridge *bridge, unsigned from, const struct address *src,
                           struct span name)
{
        for (size_t i = 0; i < bridge->n_rules[from]; i++) {
                const struct export_rule *rule = bridge->rules[from][i];

                if (export_rule_admits(rule, name) && export_rule_is_about(rule, src))
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

/* The sender's time stamp, within the life of the proxy: a clock that goes wrong on one bus must
 * not make everything look old on another. */
static uint64_t stamp(const struct proxy *p, uint64_t timestamp)
{
        uint64_t now = p->bridge->all->it->wall_ms;

        if (timestamp < p->since)
                return p->since;
        return timestamp > now ? now : timestamp;
}

/* ---- sessions ------------------------------------------------------------------------------ */

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
static bool relay_make_frame(struct bridges *all, const struct header_spec *spec,
                             struct span payload, struct frame_slice *ret_frame)
{
        struct buffer *text = &all->it->text;

        buffer_clear(text);
        return message_format(spec, payload, DIALECT_RFC3259, text) == 0 &&
               iteration_put_frame(all->it, buffer_span(text), false, ret_frame);
}

/* Those who observe get a copy; of what goes to the network the engine makes it. */
static void show(struct bridges *all, const struct header_spec *spec, struct span payload)
{
        struct buffer *text = &all->it->text;

        if (all->buses->main.n_observers == 0)
                return;
        buffer_clear(text);
        if (message_format(spec, payload, DIALECT_RFC3259, text) == 0 && text->n <= FRAME_MAX)
                monitor_copy_main(all->routing, buffer_span(text), false);
}

/* Gives an unreliable message to all sessions with an entity that @dest matches; @only: to that. */
static void say_to_sessions(struct bridges *all, const struct address *dest,
                            const struct local_entity *only, const struct header_spec *spec,
                            struct span payload)
{
        struct frame_slice frame = { .n = 0 };
        size_t n_matches;

        if (!match_entities(all->routing, dest, &n_matches))
                return;
        sessions_visit(all->sessions);
        for (size_t i = 0; i < n_matches; i++) {
                struct local_entity *e = matches_at(all->routing, i);

                if (!e->session || (only && e != only) || !session_is_new(e->session))
                        continue;
                if (frame.n == 0 && !relay_make_frame(all, spec, payload, &frame))
                        return;
                connection_push(&e->session->link, frame.chunk, frame.at, frame.n, KIND_UNRELIABLE);
        }
}

static bool has_peers(const struct engine *engine, const struct address *dest)
{
        struct peer_info info;
        size_t cursor = 0;

        return engine_next_peer(engine, dest, &cursor, &info);
}

/* Says it on the bus main. Whether the network is to have it, too. */
static bool say_on_main(struct bridges *all, const struct address *dest,
                        const struct header_spec *spec, struct span payload)
{
        const struct local_entity *only =
                dest->n > 0 ? local_entity_find(all->sessions, dest) : NULL;
        enum multicast multicast = all->routing->options->multicast;
        const struct engine *engine = all->buses->main.engine;

        say_to_sessions(all, dest, only, spec, payload);
        if (only)
                return false;
        return multicast == MULTICAST_ALWAYS || engine_has_peer(engine, dest) ||
               (multicast == MULTICAST_WHEN_REMOTE && has_peers(engine, dest));
}

/* ---- unreliable ---------------------------------------------------------------------------- */

static void proxy_say(struct proxy *p, const struct address *dest, uint64_t timestamp,
                      struct span payload)
{
        struct bridges *all = p->bridge->all;
        struct bus *bus = proxy_bus(p);
        struct header_spec spec;
        int r;

        timestamp = stamp(p, timestamp);
        spec = spec_of(p, false, dest->text, timestamp);
        if (bus_is_main(bus) && !say_on_main(all, dest, &spec, payload)) {
                show(all, &spec, payload);
                return;
        }
        r = engine_send(bus->engine, all->it->now, timestamp, p->hosted.entity, dest, payload);
        if (r)
                quota_count(all->quota, DROP_BUS_FULL, all->it->now,
                            r == MBUS_E_TOO_LARGE
                                    ? "a message is too large for another bus"
                                    : "messages come faster than another bus takes them");
}

/* Whether a message to @dest is for other buses, too; *@ret_only: only for that one, if not
 * NULL. */
static bool leads_away(const struct bus *bus, const struct address *dest,
                       const struct bridge **ret_only)
{
        struct entity *entity = engine_find(bus->engine, dest);
        struct proxy *p = entity ? proxy_of(bus, entity) : NULL;

        *ret_only = p ? p->bridge : NULL;
        return p || (!entity && !engine_has_peer(bus->engine, dest));
}

static void carry(struct bridges *all, const struct bus *bus, const struct address *src,
                  const struct address *dest, uint64_t timestamp, struct span payload)
{
        const struct bridge *only;
        struct bridge *bridge;
        size_t cursor = 0;
        unsigned from;

        if (!leads_away(bus, dest, &only))
                return;
        while ((bridge = bridges_next(all, bus, &cursor, &from))) {
                struct proxy *p = bridge_find(bridge, 1 - from, src);

                if (p && (!only || bridge == only) && admits(bridge, from, src, payload))
                        proxy_say(p, dest, timestamp, payload);
        }
}

bool relay_exports(struct other_buses *others, const struct address *src)
{
        struct bridges *all = container_of(others, struct bridges, others);
        struct bridge *bridge;
        size_t cursor = 0;
        unsigned from;

        while ((bridge = bridges_next(all, &all->buses->main, &cursor, &from)))
                if (bridge_find(bridge, 1 - from, src))
                        return true;
        return false;
}

void relay_forward(struct other_buses *others, const struct local_entity *src,
                   const struct address *dest, uint64_t timestamp, struct span payload)
{
        struct bridges *all = container_of(others, struct bridges, others);

        carry(all, &all->buses->main, entity_address(src->entity), dest, timestamp, payload);
}

/* ---- reliable ------------------------------------------------------------------------------ */

/* To a session. */
static int give_session(struct proxy *by, struct proxy *to, struct local_entity *target,
                        uint32_t seq, uint64_t timestamp, struct span payload)
{
        struct bridges *all = by->bridge->all;
        struct header_spec spec = spec_of(by, true, local_entity_text(target), timestamp);
        struct frame_slice frame;
        struct relay *relay;

        assert(target->session);
        if (!relay_make_frame(all, &spec, payload, &frame))
                return MBUS_E_FULL;
        relay = relay_new(by, to, seq);
        if (!relay)
                return MBUS_E_FULL;
        relay->local = true;
        relay->ticket = spec.seq;
        if (connection_push(&target->session->link, frame.chunk, frame.at, frame.n,
                            KIND_RELIABLE)) {
                relay_free(relay);
                return MBUS_E_FULL;
        }
        relay_await_session(relay);
        show(all, &spec, payload);
        return 0;
}

/* To the bus. */
static int give_engine(struct proxy *by, struct proxy *to, struct session *session, uint32_t seq,
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
        r = engine_send_reliable(bus->engine, bus->buses->it->now, timestamp, by->hosted.entity,
                                 proxy_address(to), payload, &relay->ticket);
        if (r)
                relay_free(relay);
        else if (session)
                relay_charge(
                        relay, session,
                        reliable_size(proxy_address(by)->text, proxy_address(to)->text, payload));
        return r;
}

/* Sends @seq of @src, which came to @to, where that one is. @session: @src is an entity of it. */
static int relay_home(struct proxy *to, const struct address *src, struct session *session,
                      uint32_t seq, uint64_t timestamp, struct span payload)
{
        struct bridge *bridge = to->bridge;
        struct bus *home = proxy_home(to);
        struct proxy *by = bridge_find(bridge, 1 - to->side, src);
        struct local_entity *target;

        if (!by || !admits(bridge, to->side, src, payload))
                return MBUS_E_UNKNOWN;
        timestamp = stamp(by, timestamp);
        target = bus_is_main(home) ? local_entity_find(bridge->all->sessions, proxy_address(to))
                                   : NULL;
        if (target && target->session)
                return give_session(by, to, target, seq, timestamp, payload);
        return give_engine(by, to, session, seq, timestamp, payload);
}

int relay_send_reliable(const struct local_entity *src, struct proxy *to, uint32_t seq,
                        uint64_t timestamp, struct span payload)
{
        return relay_home(to, entity_address(src->entity), src->session, seq, timestamp, payload);
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

static void take_reliable(struct bridges *all, struct bus *bus, struct entity *recipient,
                          const struct header *h, struct span payload)
{
        struct proxy *to = proxy_of(bus, recipient);
        int r;

        if (!to)
                return;
        r = relay_home(to, &h->src, NULL, h->seq, header_timestamp_ms(h), payload);
        if (r == 0)
                return;
        engine_refuse(bus->engine, recipient, &h->src, h->seq);
        quota_count(all->quota, r == MBUS_E_UNKNOWN ? DROP_DENIED : DROP_BUS_FULL, all->it->now,
                    r == MBUS_E_UNKNOWN ? "no route lets a reliable message pass to another bus"
                                        : "a reliable message did not get to another bus");
}

void relay_message(struct bridges *all, struct bus *bus, const struct event *event)
{
        const struct message *m = event->message;
        struct span payload;

        if (all->n == 0)
                return;
        payload = payload_of(all, bus, m);
        if (payload.n == 0)
                return;
        if (!m->header.reliable)
                carry(all, bus, &m->header.src, &m->header.dest, header_timestamp_ms(&m->header),
                      payload);
        else if (event->n_recipients == 1)
                take_reliable(all, bus, event->recipients[0], &m->header, payload);
}
