/*
 * monitor.c - sessions that observe messages get a copy of each.
 */
#include "monitor.h"

#include <assert.h>

/* ---- who observes -------------------------------------------------------------------------- */

/* Counts @s among those who observe @bus, or no more. */
static void observer_count(struct bus *bus, const struct session *s, bool in)
{
        if (!s->routing->observes || !filters_name_bus(s->routing->filters, bus->name))
                return;
        if (in) {
                bus->n_observers++;
                bus->n_hello_observers += s->routing->observes_hello;
        } else {
                assert(bus->n_observers > 0);
                bus->n_observers--;
                bus->n_hello_observers -= s->routing->observes_hello;
        }
        /* Who wants bare hellos wants all else, too. */
        assert(bus->n_hello_observers <= bus->n_observers);
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
        assert(on || (!hello && !filters));
        count_everywhere(routing, s, false);
        routing->n_observers -= s->routing->observes;
        routing->n_filtered -= s->routing->filters != NULL;
        filters_free(s->routing->filters);
        s->routing->observes = on;
        s->routing->observes_hello = hello;
        s->routing->filters = filters;
        routing->n_observers += s->routing->observes;
        routing->n_filtered += s->routing->filters != NULL;
        assert(routing->n_filtered <= routing->n_observers);
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

void monitor_copy_to_observers(struct routing *routing, struct bus *bus, struct span text,
                               bool bare)
{
        struct span payload = SPAN_NULL;
        struct frame_slice frame;
        struct header h;

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

void monitor_copy_received(struct routing *routing, struct bus *bus, const struct message *m)
{
        bool bare = true;

        for (size_t i = 0; i < m->payload.n && bare; i++)
                bare = span_equal_text(m->payload.commands[i].name, "mbus.hello");
        monitor_copy(routing, bus, m->text, bare);
}

/* ---- what ends ----------------------------------------------------------------------------- */

static void monitor_end(struct routing *routing, struct session *s, enum mbus_reason reason,
                        const char *why)
{
        monitor_unobserve(routing, s);
        reply_reason(s, span_of("()"), "broker.unobserved", SPAN_NULL, reason_symbol(reason), why);
}

void monitor_restrict(struct routing *routing, struct session *s)
{
        if (s->routing->observes && !rights_may_observe(s->rights))
                monitor_end(
                        routing, s, MBUS_REASON_DENIED,
                        "[policy] of the broker has changed and does not let this user do that");
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
        for (struct session *s = sessions_first(routing->sessions); s; s = session_next(s))
                if (!has_buses(routing, s->routing->filters))
                        monitor_end(routing, s, MBUS_REASON_UNKNOWN,
                                    "the broker has left a bus that was observed");
}
