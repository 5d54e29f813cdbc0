/*
 * monitor.c - clients that watch entities come and go, and clients that observe all messages.
 */
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <core/frame.h>

#include <broker/bridge/bridge.h>
#include <broker/broker.h>
#include <broker/control/request.h>
#include <broker/control/control.h>

/* ---- watching ------------------------------------------------------------------------------ */

static bool is_watching(const struct client *c, const struct address *address)
{
        for (const struct watch *w = c->watches; w; w = w->next)
                if (address_is_subset(w->address, address))
                        return true;
        return false;
}

bool monitor_has_watch(const struct client *c, const struct address *address)
{
        for (const struct watch *w = c->watches; w; w = w->next)
                if (address_equal(w->address, address))
                        return true;
        return false;
}

int monitor_watch(struct broker *b, struct client *c, const struct address *address)
{
        struct watch *w;

        if (monitor_has_watch(c, address))
                return 0;
        if (c->n_watches >= b->quota.limits.of[LIMIT_WATCHES_PER_LINK])
                return MBUS_E_FULL;
        w = malloc(sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->address = address_dup(address);
        if (!w->address) {
                free(w);
                return -ENOMEM;
        }
        w->next = c->watches;
        c->watches = w;
        b->n_watchers += c->n_watches++ == 0;
        return 0;
}

/* A broker.joined under construction. */
struct joined {
        struct client *c;
        struct buffer text;
};

static void finish(struct joined *j)
{
        if (j->text.failed) {
                client_kill(j->c, "memory is short");
        } else if (j->text.n > 0) {
                buffer_add_char(&j->text, ')');
                control_say(j->c, buffer_span(&j->text));
        }
        buffer_clear(&j->text);
}

static void add(struct joined *j, const struct address *address, uint64_t age_ms)
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
static const struct address *next_known(struct broker *b, const struct client *c,
                                        const struct address *address, struct list_place *place,
                                        uint64_t *ret_joined)
{
        const struct attachment *a;
        struct entity *entity;
        struct peer_info peer;

        if (place->stage == STAGE_PEERS) {
                if (engine_walk_peers(b->engine, address, &place->walk, &peer)) {
                        *ret_joined = peer.joined;
                        return peer.address;
                }
                place->stage = STAGE_ENTITIES;
                place->walk = INDEX_WALK_INIT;
        }
        while ((entity = engine_walk_entities(b->engine, address, &place->walk))) {
                a = entity_data(entity);
                /* A link is not told of what it attaches itself while it watches. */
                if (a->client == c && a->generation > place->begun)
                        continue;
                *ret_joined = a->joined;
                return entity_address(entity);
        }
        return NULL;
}

bool monitor_tell(struct broker *b, struct client *c, const struct address *address,
                  struct list_place *place)
{
        struct joined j = { c, BUFFER_INIT };
        const struct address *known = address;
        uint64_t joined;

        while (known && !j.text.failed && j.text.n <= JOINED_BYTES_MAX) {
                known = next_known(b, c, address, place, &joined);
                if (known)
                        add(&j, known, (b->it.now - joined) / NSEC_PER_MSEC);
        }
        finish(&j);
        buffer_deinit(&j.text);
        return !known;
}

void monitor_joined(struct broker *b, const struct client *own, const struct address *address,
                    uint64_t age_ms)
{
        struct joined j = { NULL, BUFFER_INIT };

        if (b->n_watchers == 0)
                return;
        for (j.c = b->clients; j.c; j.c = j.c->next) {
                if (j.c == own || !is_watching(j.c, address))
                        continue;
                add(&j, address, age_ms);
                finish(&j);
        }
        buffer_deinit(&j.text);
}

void monitor_left(struct broker *b, const struct address *address, enum mbus_reason reason)
{
        struct buffer text = BUFFER_INIT;

        if (b->n_watchers == 0)
                return;
        buffer_add_text(&text, "broker.left(");
        value_format_string(address->text, &text);
        buffer_add_char(&text, ' ');
        buffer_add_text(&text, control_reason(reason));
        buffer_add_char(&text, ')');
        for (struct client *c = b->clients; c; c = c->next) {
                if (!is_watching(c, address))
                        continue;
                if (text.failed)
                        client_kill(c, "memory is short");
                else
                        control_say(c, buffer_span(&text));
        }
        buffer_deinit(&text);
}

static void unwatch(struct broker *b, struct client *c)
{
        struct watch *next;

        b->n_watchers -= c->n_watches > 0;
        for (struct watch *w = c->watches; w; w = next) {
                next = w->next;
                free(w->address);
                free(w);
        }
        c->watches = NULL;
        c->n_watches = 0;
}

/* ---- observing ----------------------------------------------------------------------------- */

/* Counts @c among those who observe @bus, or no more. */
static void count(struct bus *bus, const struct client *c, bool in)
{
        if (!c->observes || !filters_name_bus(c->filters, bus->name))
                return;
        if (in) {
                bus->n_observers++;
                bus->n_hello_observers += c->observes_hello;
        } else {
                bus->n_observers--;
                bus->n_hello_observers -= c->observes_hello;
        }
        engine_observe(bus->engine, bus->n_observers > 0, bus->n_hello_observers > 0);
}

static void count_everywhere(struct broker *b, const struct client *c, bool in)
{
        struct bus *bus;

        for (size_t i = 0; (bus = bridges_get_bus(b, i)); i++)
                count(bus, c, in);
}

static void set_observer(struct broker *b, struct client *c, bool on, bool hello,
                         struct filter *filters)
{
        count_everywhere(b, c, false);
        b->n_observers -= c->observes;
        b->n_filtered -= c->filters != NULL;
        filters_free(c->filters);
        c->observes = on;
        c->observes_hello = hello;
        c->filters = filters;
        b->n_observers += c->observes;
        b->n_filtered += c->filters != NULL;
        count_everywhere(b, c, true);
}

static bool has_buses(struct broker *b, const struct filter *filters)
{
        for (const struct filter *f = filters; f; f = f->next)
                if (!bridges_find_bus(b, f->bus))
                        return false;
        return true;
}

int monitor_observe(struct broker *b, struct client *c, bool hello, struct filter *filters)
{
        if (!has_buses(b, filters)) {
                filters_free(filters);
                return MBUS_E_UNKNOWN;
        }
        set_observer(b, c, true, hello, filters);
        return 0;
}

void monitor_unobserve(struct broker *b, struct client *c)
{
        set_observer(b, c, false, false, NULL);
}

static bool wants(const struct client *c, const struct bus *bus, bool bare, const struct header *h,
                  struct span payload)
{
        return (bare ? c->observes_hello : c->observes) &&
               filters_pass(c->filters, bus->name, h, payload);
}

void monitor_copy(struct bus *bus, struct span text, bool bare)
{
        struct broker *b = bus->broker;
        size_t n = FRAME_HEADER_SIZE + text.n;
        struct span payload = SPAN_NULL;
        struct header h;
        char *at;

        if (bus->n_observers == 0 || (bare && bus->n_hello_observers == 0))
                return;
        at = iteration_reserve(&b->it, n);
        if (!at)
                return;
        frame_put_length(at, text.n, true);
        memcpy(at + FRAME_HEADER_SIZE, text.at, text.n);
        b->it.chunk->n += n;
        if (b->n_filtered > 0) {
                if (header_parse(text, &h, NULL) != HEADER_OK)
                        return;
                payload = span_from(text, h.payload);
        }
        for (struct client *c = b->clients; c; c = c->next)
                if (wants(c, bus, bare, &h, payload))
                        client_push(c, b->it.chunk, b->it.chunk->n - n, n, KIND_COPY);
}

void monitor_copy_received(struct bus *bus, const struct message *m)
{
        bool bare = true;

        for (size_t i = 0; i < m->payload.n && bare; i++)
                bare = span_equal_text(m->payload.commands[i].name, "mbus.hello");
        monitor_copy(bus, m->text, bare);
}

/* ---- what ends ----------------------------------------------------------------------------- */

/* COMMAND(REASON "WHY") */
static void say_end(struct client *c, const char *command, enum mbus_reason reason, const char *why)
{
        control_say_reason(c, span_of("()"), command, SPAN_NULL, control_reason(reason), why);
}

void monitor_restrict(struct broker *b, struct client *c)
{
        static const char why[] =
                "[policy] of the broker has changed and does not let this user do that";

        if (c->n_watches > 0 && !rights_may_watch(c->rights)) {
                unwatch(b, c);
                say_end(c, "broker.unwatched", MBUS_REASON_DENIED, why);
        }
        if (c->observes && !rights_may_observe(c->rights)) {
                monitor_unobserve(b, c);
                say_end(c, "broker.unobserved", MBUS_REASON_DENIED, why);
        }
}

void monitor_change_buses(struct broker *b)
{
        struct bus *bus;

        for (size_t i = 0; (bus = bridges_get_bus(b, i)); i++) {
                bus->n_observers = bus->n_hello_observers = 0;
                for (const struct client *c = b->clients; c; c = c->next)
                        count(bus, c, true);
        }
        for (struct client *c = b->clients; c; c = c->next) {
                if (has_buses(b, c->filters))
                        continue;
                monitor_unobserve(b, c);
                say_end(c, "broker.unobserved", MBUS_REASON_UNKNOWN,
                        "the broker has left a bus that was observed");
        }
}

void monitor_forget(struct broker *b, struct client *c)
{
        unwatch(b, c);
        monitor_unobserve(b, c);
}
