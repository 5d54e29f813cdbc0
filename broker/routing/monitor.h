/*
 * monitor.h - sessions that observe messages get a copy of each.
 *
 * An observer's copies are dropped before anything else of its queue, so that observing costs the
 * observer and nobody else.
 */
#ifndef BROKER_ROUTING_MONITOR_H
#define BROKER_ROUTING_MONITOR_H

#include "state.h"

/* @s gets a copy of each message that passes one of @filters, which are taken over in any case;
 * @hello: bare hellos and acknowledgements, too. 0, or MBUS_E_UNKNOWN: they name a bus that is not
 * there. */
int monitor_observe(struct routing *routing, struct session *s, bool hello, struct filter *filters);
void monitor_unobserve(struct routing *routing, struct session *s);
/* Ends it if @s may not do that any more, and tells it. */
void monitor_restrict(struct routing *routing, struct session *s);
/* Buses have come or gone: ends what was observed on those that went, and tells it. */
void monitor_change_buses(struct routing *routing);
/* The part of monitor_copy() that nearly no message needs. */
void monitor_copy_to_observers(struct routing *routing, struct bus *bus, struct span text,
                               bool bare);
/* Gives those who observe @bus a copy of a message that passes there. @bare: it holds nothing but
 * hellos or acknowledgements. */
static inline void monitor_copy(struct routing *routing, struct bus *bus, struct span text,
                                bool bare)
{
        if ((bare ? bus->n_hello_observers : bus->n_observers) > 0)
                monitor_copy_to_observers(routing, bus, text, bare);
}
/* ... on the bus main. */
static inline void monitor_copy_main(struct routing *routing, struct span text, bool bare)
{
        monitor_copy(routing, &routing->buses->main, text, bare);
}
/* The same for what the engine shows. */
void monitor_copy_received(struct routing *routing, struct bus *bus, const struct message *m);

#endif
