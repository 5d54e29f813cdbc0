/*
 * monitor.c - clients that watch entities come and go, and clients that observe all messages.
 */
#include "monitor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <core/frame.h>

struct watch {
        struct watch *next;
        struct address *address;
};

/* ---- watching ------------------------------------------------------------------------------ */

static bool is_watching(const struct session *s, const struct address *address)
{
        for (const struct watch *w = s->routing->watches; w; w = w->next)
                if (address_is_subset(w->address, address))
                        return true;
        return false;
}

bool monitor_has_watch(const struct session *s, const struct address *address)
{
        for (const struct watch *w = s->routing->watches; w; w = w->next)
                if (address_equal(w->address, address))
                        return true;
        return false;
}

int monitor_watch(struct routing *routing, struct session *s, const struct address *address)
{
        struct watch *w;

        if (monitor_has_watch(s, address))
                return 0;
        if (s->routing->n_watches >= routing->quota->limits.of[LIMIT_WATCHES_PER_LINK])
                return MBUS_E_FULL;
        w = malloc(sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->address = address_dup(address);
        if (!w->address) {
                free(w);
                return -ENOMEM;
        }
        w->next = s->routing->watches;
        s->routing->watches = w;
        routing->n_watchers += s->routing->n_watches++ == 0;
        return 0;
}

/* A broker.joined under construction. */
struct joined {
        struct session *s;
        struct buffer text;
};

static void joined_finish(struct joined *j)
{
        if (j->text.failed) {
                connection_kill(&j->s->link, "memory is short");
        } else if (j->text.n > 0) {
                buffer_add_char(&j->text, ')');
                reply_say(j->s, buffer_span(&j->text));
        }
        buffer_clear(&j->text);
}

static void joined_add(struct joined *j, const struct address *address, uint64_t age_ms)
{
        buffer_add_text(&j->text, j->text.n > 0 ? " " : "broker.joined(");
        value_format_string(address->text, &j->text);
        buffer_add_char(&j->text, ' ');
        buffer_add_uint(&j->text, age_ms);
}

/* Those of the bus, then those of links. */
enum {
        STAGE_PEERS,
        STAGE_ENTITIES,
};

/* The next that matches, and since when it is there; NULL behind the last. */
static const struct address *next_known(struct routing *routing, const struct session *s,
                                        const struct address *address,
                                        struct list_position *position, uint64_t *ret_joined)
{
        const struct local_entity *e;
        struct entity *entity;
        struct peer_info peer;

        if (position->stage == STAGE_PEERS) {
                if (engine_walk_peers(routing->engine, address, &position->walk, &peer)) {
                        *ret_joined = peer.joined;
                        return peer.address;
                }
                position->stage = STAGE_ENTITIES;
                position->walk = INDEX_WALK_INIT;
        }
        while ((entity = engine_walk_entities(routing->engine, address, &position->walk))) {
                e = entity_data(entity);
                /* A link is not told of what it attaches itself while it watches. */
                if (e->session == s && e->number > position->begun)
                        continue;
                *ret_joined = e->joined;
                return entity_address(entity);
        }
        return NULL;
}

bool monitor_tell(struct routing *routing, struct session *s, const struct address *address,
                  struct list_position *position)
{
        struct joined j = { s, BUFFER_INIT };
        const struct address *known = address;
        uint64_t joined;

        while (known && !j.text.failed && j.text.n <= JOINED_BYTES_MAX) {
                known = next_known(routing, s, address, position, &joined);
                if (known)
                        joined_add(&j, known, (routing->it->now - joined) / NSEC_PER_MSEC);
        }
        joined_finish(&j);
        buffer_deinit(&j.text);
        return !known;
}

void monitor_joined(struct routing *routing, const struct session *own,
                    const struct address *address, uint64_t age_ms)
{
        struct joined j = { NULL, BUFFER_INIT };

        if (routing->n_watchers == 0)
                return;
        for (j.s = sessions_first(routing->sessions); j.s; j.s = session_next(j.s)) {
                if (j.s == own || !is_watching(j.s, address))
                        continue;
                joined_add(&j, address, age_ms);
                joined_finish(&j);
        }
        buffer_deinit(&j.text);
}

void monitor_left(struct routing *routing, const struct address *address, enum mbus_reason reason)
{
        struct buffer text = BUFFER_INIT;

        if (routing->n_watchers == 0)
                return;
        buffer_add_text(&text, "broker.left(");
        value_format_string(address->text, &text);
        buffer_add_char(&text, ' ');
        buffer_add_text(&text, reason_symbol(reason));
        buffer_add_char(&text, ')');
        for (struct session *s = sessions_first(routing->sessions); s; s = session_next(s)) {
                if (!is_watching(s, address))
                        continue;
                if (text.failed)
                        connection_kill(&s->link, "memory is short");
                else
                        reply_say(s, buffer_span(&text));
        }
        buffer_deinit(&text);
}

static void unwatch(struct routing *routing, struct session *s)
{
        struct watch *next;

        routing->n_watchers -= s->routing->n_watches > 0;
        for (struct watch *w = s->routing->watches; w; w = next) {
                next = w->next;
                free(w->address);
                free(w);
        }
        s->routing->watches = NULL;
        s->routing->n_watches = 0;
}

/* ---- observing ----------------------------------------------------------------------------- */

/* Counts @s among those who observe @bus, or no more. */
static void observer_count(struct bus *bus, const struct session *s, bool in)
{
        if (!s->routing->observes || !filters_name_bus(s->routing->filters, bus->name))
                return;
        if (in) {
                bus->n_observers++;
                bus->n_hello_observers += s->routing->observes_hello;
        } else {
                bus->n_observers--;
                bus->n_hello_observers -= s->routing->observes_hello;
        }
        engine_observe(bus->engine, bus->n_observers > 0, bus->n_hello_observers > 0);
}

static void count_everywhere(struct routing *routing, const struct session *s, bool in)
{
        struct bus *bus;

        for (size_t i = 0; (bus = buses_get(routing->buses, i)); i++)
                observer_count(bus, s, in);
}

static void set_observer(struct routing *routing, struct session *s, bool on, bool hello,
                         struct filter *filters)
{
        count_everywhere(routing, s, false);
        routing->n_observers -= s->routing->observes;
        routing->n_filtered -= s->routing->filters != NULL;
        filters_free(s->routing->filters);
        s->routing->observes = on;
        s->routing->observes_hello = hello;
        s->routing->filters = filters;
        routing->n_observers += s->routing->observes;
        routing->n_filtered += s->routing->filters != NULL;
        count_everywhere(routing, s, true);
}

static bool has_buses(struct routing *routing, const struct filter *filters)
{
        for (const struct filter *f = filters; f; f = f->next)
                if (!buses_find(routing->buses, f->bus))
                        return false;
        return true;
}

int monitor_observe(struct routing *routing, struct session *s, bool hello, struct filter *filters)
{
        if (!has_buses(routing, filters)) {
                filters_free(filters);
                return MBUS_E_UNKNOWN;
        }
        set_observer(routing, s, true, hello, filters);
        return 0;
}

void monitor_unobserve(struct routing *routing, struct session *s)
{
        set_observer(routing, s, false, false, NULL);
}

static bool wants(const struct session *s, const struct bus *bus, bool bare, const struct header *h,
                  struct span payload)
{
        return (bare ? s->routing->observes_hello : s->routing->observes) &&
               filters_pass(s->routing->filters, bus->name, h, payload);
}

void monitor_copy(struct routing *routing, struct bus *bus, struct span text, bool bare)
{
        struct span payload = SPAN_NULL;
        struct frame_slice frame;
        struct header h;

        if (bus->n_observers == 0 || (bare && bus->n_hello_observers == 0))
                return;
        assert(routing->n_observers > 0);
        if (!iteration_put_frame(routing->it, text, true, &frame))
                return;
        if (routing->n_filtered > 0) {
                if (header_parse(text, &h, NULL) != HEADER_OK)
                        return;
                payload = span_from(text, h.payload);
        }
        for (struct session *s = sessions_first(routing->sessions); s; s = session_next(s))
                if (wants(s, bus, bare, &h, payload))
                        connection_push(&s->link, frame.chunk, frame.at, frame.n, KIND_COPY);
}

void monitor_copy_main(struct routing *routing, struct span text, bool bare)
{
        monitor_copy(routing, &routing->buses->main, text, bare);
}

void monitor_copy_received(struct routing *routing, struct bus *bus, const struct message *m)
{
        bool bare = true;

        for (size_t i = 0; i < m->payload.n && bare; i++)
                bare = span_equal_text(m->payload.commands[i].name, "mbus.hello");
        monitor_copy(routing, bus, m->text, bare);
}

/* ---- what ends ----------------------------------------------------------------------------- */

/* COMMAND(REASON "WHY") */
static void say_end(struct session *s, const char *command, enum mbus_reason reason,
                    const char *why)
{
        reply_reason(s, span_of("()"), command, SPAN_NULL, reason_symbol(reason), why);
}

void monitor_restrict(struct routing *routing, struct session *s)
{
        static const char why[] =
                "[policy] of the broker has changed and does not let this user do that";

        if (s->routing->n_watches > 0 && !rights_may_watch(s->rights)) {
                unwatch(routing, s);
                say_end(s, "broker.unwatched", MBUS_REASON_DENIED, why);
        }
        if (s->routing->observes && !rights_may_observe(s->rights)) {
                monitor_unobserve(routing, s);
                say_end(s, "broker.unobserved", MBUS_REASON_DENIED, why);
        }
}

void monitor_change_buses(struct routing *routing)
{
        struct bus *bus;

        for (size_t i = 0; (bus = buses_get(routing->buses, i)); i++) {
                bus->n_observers = bus->n_hello_observers = 0;
                for (const struct session *s = sessions_first(routing->sessions); s;
                     s = session_next(s))
                        observer_count(bus, s, true);
        }
        for (struct session *s = sessions_first(routing->sessions); s; s = session_next(s)) {
                if (has_buses(routing, s->routing->filters))
                        continue;
                monitor_unobserve(routing, s);
                say_end(s, "broker.unobserved", MBUS_REASON_UNKNOWN,
                        "the broker has left a bus that was observed");
        }
}

void monitor_forget(struct routing *routing, struct session *s)
{
        unwatch(routing, s);
        monitor_unobserve(routing, s);
}
