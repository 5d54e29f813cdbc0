/*
 * bridge.c - which of several brokers between two buses works, and the turns of all buses but main.
 *
 * A bridge that works has an entity (app:mbus-broker module:bridge since:TIME id:...) of one and the
 * same address on both of its buses. Whoever joins the same two buses sees it on both, and stands by
 * until it is gone. A bridge that starts shows its own and asks first; of two the older one goes on,
 * the other one leaves without saying bye for those it hosted, since they are hosted still.
 */
#include "bridge.h"

#include <inttypes.h>
#include <stdio.h>

#include "bridge-state.h"
#include <broker/broker.h>
#include <broker/routing/monitor.h>

/* As long as the answers to a ping take, and half as long again. */
#define CANDIDATE_MS 1500
/* Changes of state that are said in LOG_INTERVAL_MS. */
#define STATES_LOGGED 4

/* ---- looking things up --------------------------------------------------------------------- */

bool bus_is_main(const struct bus *bus)
{
        return bus == &bus->broker->bus;
}

struct proxy *proxy_of(const struct bus *bus, const struct entity *entity)
{
        void *data = entity_data(entity);

        return bus_is_main(bus) ? ((const struct attachment *)data)->proxy : data;
}

struct proxy *bridge_find(const struct bridge *bridge, unsigned side, const struct address *address)
{
        const struct bus *bus = bridge->bus[side];
        struct entity *entity = engine_find(bus->engine, address);
        struct proxy *p = entity ? proxy_of(bus, entity) : NULL;

        return p && p->bridge == bridge ? p : NULL;
}

struct bridge *bridges_next(struct bridges *all, const struct bus *bus, size_t *cursor,
                            unsigned *ret_side)
{
        for (; *cursor < 2 * all->n; ++*cursor) {
                struct bridge *bridge = all->list[*cursor / 2];
                unsigned side = *cursor % 2;

                if (bridge->bus[side] != bus)
                        continue;
                ++*cursor;
                *ret_side = side;
                return bridge;
        }
        return NULL;
}

struct bus *bridges_next_joined(const struct bus *bus, size_t *cursor, bool *ret_works)
{
        struct bridges *all = bus->broker->bridges;
        struct bridge *bridge;
        unsigned side = 0;

        bridge = all ? bridges_next(all, bus, cursor, &side) : NULL;
        if (!bridge)
                return NULL;
        *ret_works = bridge->state == BRIDGE_ACTIVE;
        return bridge->bus[1 - side];
}

/* ---- which of several brokers works -------------------------------------------------------- */

static uint64_t since_of(const struct address *sign)
{
        uint64_t since;

        return span_to_uint(address_get(sign, "since"), UINT64_MAX, &since) ? since : 0;
}

static bool is_older(const struct bridge *bridge, const struct address *other)
{
        struct span mine = entity_address(bridge->signs[0].entity)->text;
        size_t n = other->text.n < mine.n ? other->text.n : mine.n;
        uint64_t since = since_of(other);
        int order;

        if (since != bridge->since)
                return since < bridge->since;
        order = memcmp(other->text.at, mine.at, n);
        return order ? order < 0 : other->text.n < mine.n;
}

/* Whether another broker joins both buses; *@ret_older: since longer than we do. */
static bool find_other(const struct bridge *bridge, bool *ret_older)
{
        struct address pattern;
        struct peer_info info;
        size_t cursor = 0;
        bool found = false;

        *ret_older = false;
        if (address_parse(span_of(BRIDGE_ADDRESS), STRICT, &pattern, NULL, NULL))
                return false;
        while (engine_next_peer(bridge->bus[0]->engine, &pattern, &cursor, &info)) {
                if (!engine_has_peer(bridge->bus[1]->engine, info.address))
                        continue;
                found = true;
                if (bridge->state == BRIDGE_STANDBY || is_older(bridge, info.address))
                        *ret_older = true;
        }
        return found;
}

/* Shows that we want to work, and asks who does already. */
void bridge_apply(struct bridge *bridge)
{
        struct broker *b = bridge->all->broker;
        struct address address, pattern;
        char text[256];
        int n;

        bridge->since = b->it.wall_ms;
        n = snprintf(text, sizeof(text),
                     "(app:mbus-broker module:bridge since:%" PRIu64 " id:%" PRIu32 "-%u@%s)",
                     bridge->since, random_u32(&bridge->all->random), bridge->number,
                     udp_host_id(b->udp));
        if (address_parse((struct span){ text, (size_t)n }, STRICT, &address, NULL, NULL) ||
            address_parse(span_of(BRIDGE_ADDRESS), STRICT, &pattern, NULL, NULL))
                return;
        bridge->state = BRIDGE_CANDIDATE;
        bridge->until = b->it.now + CANDIDATE_MS * NSEC_PER_MSEC;
        for (unsigned side = 0; side < 2; side++) {
                struct engine *e = bridge->bus[side]->engine;

                if (stand_enter(&bridge->signs[side], bridge->bus[side], &address, NULL))
                        continue;
                engine_announce_entity(e, b->it.now, b->it.wall_ms, bridge->signs[side].entity);
                (void)engine_ping(e, b->it.now, b->it.wall_ms, bridge->signs[side].entity, &pattern);
        }
        if (bridge->signs[0].entity && bridge->signs[1].entity)
                return;
        /* Memory is short; it is tried again at `until`. */
        for (unsigned side = 0; side < 2; side++)
                stand_leave(&bridge->signs[side], true);
        bridge->state = BRIDGE_STANDBY;
}

void bridge_stand_by(struct bridge *bridge, bool bye)
{
        bridge_drop_proxies(bridge, bye);
        bridge_drop_holds(bridge);
        for (unsigned side = 0; side < 2; side++)
                stand_leave(&bridge->signs[side], true);
        bridge->state = BRIDGE_STANDBY;
        bridge->until = TIME_NEVER;
}

/* Whoever has the keys can be another broker that comes and goes: the first states of a while are said, and
 * then how many were not. */
static void log_state(struct bridge *bridge, const char *what)
{
        uint64_t now = bridge->all->broker->it.now, n_silent;

        if (now >= bridge->states_until) {
                bridge->states_until = now + LOG_INTERVAL_MS * NSEC_PER_MSEC;
                bridge->n_states = 0;
        }
        if (bridge->n_states++ < STATES_LOGGED)
                log_info("buses %s and %s %s", bridge->bus[0]->name, bridge->bus[1]->name, what);
        else if (log_cause_is_due(&bridge->flapping, now, &n_silent))
                log_warning(
                        "buses %s and %s: another broker that joins them comes and goes (%" PRIu64
                        " more before)",
                        bridge->bus[0]->name, bridge->bus[1]->name, n_silent);
}

static void begin(struct bridge *bridge)
{
        bridge->until = TIME_NEVER;
        log_state(bridge, "are joined");
        bridge->state = BRIDGE_ACTIVE;
        /* Whoever left because the broker before us did is to be seen again. */
        bridge_drop_holds(bridge);
        for (unsigned side = 0; side < 2; side++)
                bridge_consider_all(bridge, side);
}

static void announce(struct bridge *bridge)
{
        struct broker *b = bridge->all->broker;

        for (unsigned side = 0; side < 2; side++)
                engine_announce_entity(bridge->bus[side]->engine, b->it.now, b->it.wall_ms,
                                       bridge->signs[side].entity);
}

static void check(struct bridge *bridge)
{
        bool older, found = find_other(bridge, &older);

        if (bridge->state == BRIDGE_STANDBY && !found) {
                bridge_apply(bridge);
        } else if (bridge->state != BRIDGE_STANDBY && older) {
                log_state(bridge, "are joined by another broker; this one stands by");
                bridge_stand_by(bridge, false);
        } else if (bridge->state != BRIDGE_STANDBY && found) {
                announce(bridge);
        }
}

void bridges_check(struct bridges *all, const struct address *address)
{
        if (!span_equal_text(address_get(address, "module"), "bridge"))
                return;
        for (size_t i = 0; i < all->n; i++)
                check(all->list[i]);
}

/* ---- turns --------------------------------------------------------------------------------- */

static void on_dropped(struct bus *bus, const struct event *event)
{
        struct broker *b = bus->broker;

        loss_note(bus, event->drop, event->count);
        b->counts[COUNT_BUS_LOST] += event->count - 1;
        broker_count(b, COUNT_BUS_LOST, NULL,
                     event->drop == MBUS_DROP_SOCKET
                             ? "the kernel had no room for datagrams of a bus"
                             : "messages from a bus came too fast");
}

static void on_event(struct bus *bus, const struct event *event)
{
        struct proxy *p = event->entity ? proxy_of(bus, event->entity) : NULL;

        switch (event->type) {
        case EVENT_MESSAGE:
                bridge_message(bus, event);
                break;
        case EVENT_DELIVERED:
        case EVENT_FAILED:
                if (p)
                        bridge_finish(p, event->ticket,
                                      event->type == EVENT_DELIVERED ? MBUS_REASON_NONE
                                                                     : event->reason);
                break;
        case EVENT_JOINED:
                bridge_joined(bus, event->address);
                break;
        case EVENT_LEFT:
                bridge_left(bus, event->address, event->reason);
                break;
        case EVENT_CONFLICT:
                if (p)
                        bridge_conflict(p);
                break;
        case EVENT_DROPPED:
                on_dropped(bus, event);
                break;
        case EVENT_OBSERVED:
                monitor_copy_received(bus, event->message);
                break;
        }
}

static bool process_bus(struct bus *bus)
{
        struct event event;
        bool any = false;

        bus_tick(bus);
        while (engine_pop_event(bus->engine, &event)) {
                on_event(bus, &event);
                event_deinit(&event);
                any = true;
        }
        return any;
}

bool bridges_process(struct broker *b)
{
        struct bridges *all = b->bridges;
        bool any = false;

        if (!all)
                return false;
        for (size_t i = 0; i < all->n; i++) {
                struct bridge *bridge = all->list[i];

                if (bridge->until > b->it.now)
                        continue;
                if (bridge->state == BRIDGE_CANDIDATE)
                        begin(bridge);
                else
                        bridge_apply(bridge);
                any = true;
        }
        any |= bridges_end_holds(all);
        any |= bridges_expire(all);
        for (size_t i = 0; i < all->n_buses; i++)
                any |= process_bus(all->buses[i]);
        return any;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

uint64_t bridges_deadline(const struct broker *b)
{
        const struct bridges *all = b->bridges;
        uint64_t at = TIME_NEVER;

        if (!all)
                return at;
        at = earlier(deadlines_next(&all->holds), deadlines_next(&all->relays));
        for (size_t i = 0; i < all->n; i++)
                at = earlier(at, all->list[i]->until);
        for (size_t i = 0; i < all->n_buses; i++)
                at = earlier(at, bus_deadline(all->buses[i]));
        return at;
}

void bridges_send(struct broker *b)
{
        struct bridges *all = b->bridges;

        for (size_t i = 0; all && i < all->n_buses; i++)
                bus_send(all->buses[i]);
}
