/*
 * bridges.c - the bridges of a broker begin and end, have their turns, and are tied to the rooms
 * below.
 */
#include <stdlib.h>

#include "bridge.h"
#include "bus-events.h"
#include "election.h"
#include "pending-relays.h"
#include "plan.h"
#include "proxy.h"
#include "relay.h"

/* ---- the broker begins and ends ------------------------------------------------------------ */

int bridges_open(struct bridges *all, const struct bus_configs *configs)
{
        struct bridges_plan *plan;
        int r = plan_prepare(all, configs, false, &plan);

        if (r == 0)
                bridges_commit(plan);
        return r;
}

int bridges_start(struct bridges *all)
{
        struct bus *bus;

        for (size_t i = 0; (bus = buses_get(all->buses, i)); i++) {
                int r = bus_start(bus);

                if (r)
                        return r;
        }
        all->started = true;
        iteration_wake(all->it);
        for (size_t i = 0; i < all->n; i++)
                bridge_become_candidate(all->list[i]);
        return 0;
}

void bridges_stop(struct bridges *all)
{
        for (size_t i = 0; i < all->n; i++)
                bridge_stand_by(all->list[i], true);
        for (size_t i = 0; i < all->buses->n_others; i++)
                bus_drain(all->buses->others[i]);
}

void bridges_close(struct bridges *all)
{
        for (size_t i = 0; i < all->n; i++) {
                bridge_stand_by(all->list[i], true);
                bridge_free(all->list[i]);
        }
        for (size_t i = 0; i < all->buses->n_others; i++) {
                bus_close(all->buses->others[i]);
                free(all->buses->others[i]);
        }
        deadlines_deinit(&all->hold_downs);
        deadlines_deinit(&all->relays);
        buffer_deinit(&all->text);
        free(all->list);
        free(all->buses->others);
        all->buses->others = NULL;
        all->buses->n_others = 0;
}

/* ---- iterations ---------------------------------------------------------------------------- */

static bool process_elections(struct bridges *all)
{
        bool any = false;

        for (size_t i = 0; i < all->n; i++) {
                struct bridge *bridge = all->list[i];

                if (bridge->until > all->it->now)
                        continue;
                if (bridge->state == BRIDGE_CANDIDATE)
                        bridge_begin(bridge);
                else
                        bridge_become_candidate(bridge);
                any = true;
        }
        return any;
}

bool bridges_process(struct bridges *all)
{
        bool any;

        bus_events_process(all, &all->buses->main);
        any = process_elections(all);
        any |= bridges_end_hold_downs(all);
        any |= relays_expire(all);
        for (size_t i = 0; i < all->buses->n_others; i++)
                any |= bus_events_process(all, all->buses->others[i]);
        return any;
}

static uint64_t earlier_deadline(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

uint64_t bridges_deadline(const struct bridges *all)
{
        uint64_t at =
                earlier_deadline(deadlines_next(&all->hold_downs), deadlines_next(&all->relays));

        at = earlier_deadline(at, loss_deadline(all));
        at = earlier_deadline(at, bus_deadline(&all->buses->main));
        for (size_t i = 0; i < all->n; i++)
                at = earlier_deadline(at, all->list[i]->until);
        for (size_t i = 0; i < all->buses->n_others; i++)
                at = earlier_deadline(at, bus_deadline(all->buses->others[i]));
        return at;
}

void bridges_send(struct bridges *all)
{
        struct bus *bus;

        for (size_t i = 0; (bus = buses_get(all->buses, i)); i++)
                bus_send(bus);
}

/* ---- what the rooms below tell, and ask ---------------------------------------------------- */

static struct bridges *bridges_of(struct session_listener *l)
{
        return container_of(l, struct bridges, listener);
}

/* What the broker itself puts on the bus main is for nobody else. */
static bool is_real(const struct local_entity *e)
{
        return !e || e->session;
}

static void bridges_on_joined(struct session_listener *l, const struct local_entity *e,
                              const struct address *address)
{
        struct bridges *all = bridges_of(l);

        if (is_real(e))
                bus_events_joined(all, &all->buses->main, address);
}

static void bridges_on_left(struct session_listener *l, const struct local_entity *e,
                            const struct address *address, enum mbus_reason reason)
{
        struct bridges *all = bridges_of(l);

        if (is_real(e))
                bus_events_left(all, &all->buses->main, address, reason);
}

static void bridges_on_network(struct bus_owner *owner, struct bus *bus, enum mbus_network network,
                               const char *text)
{
        network_note(container_of(owner, struct bridges, bus_owner), bus, network, text);
}

void bridges_init(struct bridges *all, struct routing *routing)
{
        *all = (struct bridges){ .listener = { .on_joined = bridges_on_joined,
                                               .on_left = bridges_on_left },
                                 .others = { .exports = relay_exports,
                                             .forward = relay_forward,
                                             .send_reliable = relay_send_reliable,
                                             .acknowledge = relay_acknowledge },
                                 .bus_owner = { .on_network = bridges_on_network },
                                 .routing = routing,
                                 .sessions = routing->sessions,
                                 .buses = routing->buses,
                                 .it = routing->it,
                                 .quota = routing->quota,
                                 .hold_downs = DEADLINES_INIT,
                                 .relays = DEADLINES_INIT,
                                 .text = BUFFER_INIT };
        routing->others = &all->others;
        all->buses->owner = &all->bus_owner;
        sessions_listen(all->sessions, &all->listener);
}
