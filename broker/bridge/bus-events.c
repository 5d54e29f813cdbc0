/*
 * bus-events.c - what the events of the buses mean.
 *
 * On the bus main entities are those of sessions, the broker itself, and proxies; on the others
 * they are proxies and beacons only.
 */
#include "bus-events.h"

#include <assert.h>
#include <inttypes.h>

#include "election.h"
#include "pending-relays.h"
#include "proxy.h"
#include "relay.h"

/* ---- who comes and goes -------------------------------------------------------------------- */

void bus_events_joined(struct bridges *all, struct bus *bus, const struct address *address)
{
        struct bridge *bridge;
        size_t cursor = 0;
        unsigned from;

        while ((bridge = bridges_next(all, bus, &cursor, &from)))
                bridge_come(bridge, from, address, false);
        if (is_of_a_broker(address))
                bridges_check(all, address);
}

void bus_events_left(struct bridges *all, struct bus *bus, const struct address *address,
                     enum mbus_reason reason)
{
        struct bridge *bridge;
        size_t cursor = 0;
        unsigned from;

        /* Who started again is still there. */
        if (reason == MBUS_REASON_RESTARTED)
                return;
        while ((bridge = bridges_next(all, bus, &cursor, &from)))
                bridge_gone(bridge, from, address);
        if (is_of_a_broker(address))
                bridges_check(all, address);
}

/* ---- events -------------------------------------------------------------------------------- */

static void bus_on_dropped(struct bridges *all, struct bus *bus, const struct event *event)
{
        static const char *const why[2][2] = {
                { "messages from a bus came too fast",
                  "the kernel had no room for datagrams of a bus" },
                { "messages from the bus came too fast",
                  "the kernel had no room for datagrams of the bus" },
        };

        assert(event->count > 0);
        bus_note_loss(bus, event->drop, event->count);
        all->quota->drops[DROP_BUS_LOST] += event->count - 1;
        quota_count(all->quota, DROP_BUS_LOST, all->it->now, "%s",
                    why[bus_is_main(bus)][event->drop == MBUS_DROP_SOCKET]);
}

/* A reliable message has ended. */
static void bus_on_finished(const struct bus *bus, const struct event *event)
{
        enum mbus_reason reason = event->type == EVENT_DELIVERED ? MBUS_REASON_NONE : event->reason;
        struct proxy *p = proxy_of(bus, event->entity);

        /* Beacons send nothing reliably. */
        assert(p || bus_is_main(bus));
        if (p)
                relay_finish(p, event->ticket, reason);
        else if (bus_is_main(bus))
                reliable_finish(entity_data(event->entity), event->ticket, reason);
}

/* Somebody else has the address of an entity of ours, which is no proxy. */
static void bus_on_local_conflict(struct bridges *all, struct local_entity *e)
{
        struct span text = local_entity_text(e);
        uint64_t n_suppressed;

        if (e->session && e->is_given)
                ids_yield(e);
        else if (e->session)
                ids_renew(e);
        else if (log_ratelimit_is_due(&all->sessions->conflict_log, all->it->now, &n_suppressed))
                log_warning("somebody else on the bus uses the address %.*s (%" PRIu64
                            " more before)",
                            excerpt_size(text), text.at, n_suppressed);
}

static void bus_on_conflict(struct bridges *all, const struct bus *bus, const struct event *event)
{
        struct proxy *p = proxy_of(bus, event->entity);

        if (p)
                proxy_lose_address(p);
        else if (bus_is_main(bus))
                bus_on_local_conflict(all, entity_data(event->entity));
}

static void bus_on_event(struct bridges *all, struct bus *bus, const struct event *event)
{
        bool is_main = bus_is_main(bus);

        switch (event->type) {
        case EVENT_MESSAGE:
                if (is_main)
                        router_message(all->routing, event);
                relay_message(all, bus, event);
                break;
        case EVENT_DELIVERED:
        case EVENT_FAILED:
                bus_on_finished(bus, event);
                break;
        case EVENT_JOINED:
                if (is_main)
                        sessions_tell_joined(all->sessions, NULL, event->address);
                else
                        bus_events_joined(all, bus, event->address);
                break;
        case EVENT_LEFT:
                if (is_main)
                        sessions_tell_left(all->sessions, NULL, event->address, event->reason);
                else
                        bus_events_left(all, bus, event->address, event->reason);
                break;
        case EVENT_OBSERVED:
                monitor_copy_received(all->routing, bus, event->message);
                break;
        case EVENT_CONFLICT:
                bus_on_conflict(all, bus, event);
                break;
        case EVENT_DROPPED:
                bus_on_dropped(all, bus, event);
                break;
        }
}

bool bus_events_process(struct bridges *all, struct bus *bus)
{
        struct event event;
        bool any = false;

        bus_tick(bus);
        while (engine_pop_event(bus->engine, &event)) {
                bus_on_event(all, bus, &event);
                event_deinit(&event);
                any = true;
        }
        return any;
}
