/*
 * proxy.c - who of one bus is hosted on another, and who not yet.
 *
 * An entity is hosted where it is not known otherwise. Of several brokers in a ring of buses each
 * hears of it over two ways; the delays see to it that the shorter one wins, and that two seldom
 * act at the same moment: each hop waits between half a unit and a unit, so that two hops take
 * longer than one.
 *
 * Whoever leaves a bus is not hosted there for a while from another bus on which it is still known:
 * there it may be the proxy of another broker, who will hear of it later. Without that a dead
 * entity would go round in a ring of buses forever.
 */
#include "proxy.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "hosted-entity.h"
#include "pending-relays.h"

/* The unit of a hop. */
#define HOP_MS 1000
/* Longer than a small bus needs to notice a death, twice. */
#define HOLD_MS 15000
/* Proxies that lose their address so often in a row are worth a line in the log. */
#define CONFLICTS_LOGGED 4
/* Whom there was no room for is asked about again after this. */
#define FULL_MS 10000
/* More entities than this are not announced all at once. */
#define BURST 64

/* Invariant: it is in held_down[side] of its bridge, and has its deadline, until it is over. */
struct hold_down {
        struct deadline deadline;
        struct index_entry entry;
        struct bridge *bridge;
        unsigned side;        /* it is not to be hosted on bus[side] */
        unsigned n_conflicts; /* in a row, because of which it is not */
};

static struct hold_down *hold_down_of(struct index_entry *entry)
{
        return container_of(entry, struct hold_down, entry);
}

/* ---- proxies ------------------------------------------------------------------------------- */

static int proxy_new(struct bridge *bridge, unsigned side, const struct address *address)
{
        struct bridges *all = bridge->all;
        struct proxy *p = malloc(sizeof(*p));
        int r;

        assert(bridge->state == BRIDGE_ACTIVE);
        if (!p)
                return -ENOMEM;
        *p = (struct proxy){
                .bridge = bridge, .side = side, .since = all->it->wall_ms, .born = all->it->now
        };
        r = hosted_entity_enter(&p->hosted, all->sessions, bridge->bus[side], address, p);
        if (r) {
                free(p);
                return r;
        }
        engine_announce_entity(bridge->bus[side]->engine, all->it->now, all->it->wall_ms,
                               p->hosted.entity);
        list_push_first(&bridge->proxies, &p->node);
        fanouts_invalidate(all->routing);
        return 0;
}

void proxy_free(struct proxy *p, bool bye, bool told)
{
        struct bridge *bridge = p->bridge;

        relay_forget(p, told);
        assert(!p->sent && !p->awaited && p->n_sent == 0);
        list_remove(&bridge->proxies, &p->node);
        hosted_entity_leave(&p->hosted, bye);
        fanouts_invalidate(bridge->all->routing);
        free(p);
}

void bridge_drop_proxies(struct bridge *bridge, bool bye)
{
        struct bridges *all = bridge->all;
        unsigned n = 0;

        while (!list_is_empty(&bridge->proxies)) {
                struct proxy *p = container_of(bridge->proxies.first, struct proxy, node);
                struct bus *bus = proxy_bus(p);

                proxy_free(p, bye, true);
                /* Their byes would not all fit. */
                if (all->it->stopping && ++n % 1024 == 0)
                        bus_drain(bus);
        }
}

/* ---- who is hosted ------------------------------------------------------------------------- */

static bool is_exported(const struct bridge *bridge, unsigned from, const struct address *address)
{
        if (address->n == 0 || is_of_a_broker(address))
                return false;
        for (size_t i = 0; i < bridge->n_rules[from]; i++)
                if (export_rule_is_about(bridge->rules[from][i], address))
                        return true;
        return false;
}

/* Whether @address is on @bus, and not as a proxy of ours. */
static bool bus_has_real(const struct bridges *all, const struct bus *bus,
                         const struct address *address)
{
        const struct local_entity *e;

        if (engine_has_peer(bus->engine, address))
                return true;
        if (!bus_is_main(bus))
                return false;
        e = local_entity_find(all->sessions, address);
        return e && e->session;
}

static void log_refused(struct bridge *bridge, unsigned side, int r)
{
        struct bridges *all = bridge->all;
        uint64_t n_suppressed;

        if (log_ratelimit_is_due(&all->proxy_log, all->it->now, &n_suppressed))
                log_warning("bus %s: entities of bus %s cannot be seen there: %s",
                            bridge->bus[side]->name, bridge->bus[1 - side]->name,
                            r < 0 ? "memory is short" : "there are too many");
}

/* Old programs would take all of them for dead, if there were more to say hello. What is already
 * there stays; this one is asked about again, for others leave. */
static bool is_one_too_many(struct bridge *bridge, unsigned side, const struct address *address)
{
        struct bridges *all = bridge->all;
        uint64_t n_suppressed;

        if (!engine_hellos_are_slow(bridge->bus[side]->engine, 1))
                return false;
        if (log_ratelimit_is_due(&all->proxy_log, all->it->now, &n_suppressed))
                log_warning("bus %s: no more entities of bus %s can be seen there: %d are all that "
                            "can say hello every second (DIALECT=UCL)",
                            bridge->bus[side]->name, bridge->bus[1 - side]->name,
                            HELLOS_PER_SECOND_UCL);
        bridge_defer(bridge, 1 - side, address, FULL_MS, 2 * FULL_MS);
        return true;
}

/* Hosts @address, which is or was a moment ago on bus[from], unless it is known on the other. */
static void host(struct bridge *bridge, unsigned from, const struct address *address)
{
        const struct bus *to = bridge->bus[1 - from];
        int r;

        if (engine_has_peer(to->engine, address) || engine_find(to->engine, address) ||
            index_find(&bridge->held_down[1 - from], address) ||
            is_one_too_many(bridge, 1 - from, address))
                return;
        r = proxy_new(bridge, 1 - from, address);
        if (r)
                log_refused(bridge, 1 - from, r);
}

void bridge_consider(struct bridge *bridge, unsigned from, const struct address *address)
{
        if (bridge->state == BRIDGE_ACTIVE && is_exported(bridge, from, address) &&
            bus_has_real(bridge->all, bridge->bus[from], address))
                host(bridge, from, address);
}

/* ---- who is not hosted yet ----------------------------------------------------------------- */

static struct hold_down *hold_down_free(struct hold_down *hold)
{
        struct bridge *bridge = hold->bridge;

        deadlines_set(&bridge->all->hold_downs, &hold->deadline, TIME_NEVER);
        deadlines_release(&bridge->all->hold_downs);
        index_remove(&bridge->held_down[hold->side], &hold->entry);
        free(hold);
        return NULL;
}

static struct hold_down *hold_down_new(struct bridge *bridge, unsigned side,
                                       const struct address *address)
{
        struct hold_down *hold;

        if (bridge->held_down[side].n >= HOLDS_MAX ||
            deadlines_reserve(&bridge->all->hold_downs) < 0)
                return NULL;
        hold = malloc(sizeof(*hold));
        if (hold)
                *hold = (struct hold_down){ .deadline = DEADLINE_INIT,
                                            .entry = INDEX_ENTRY_INIT,
                                            .bridge = bridge,
                                            .side = side };
        if (hold && index_add(&bridge->held_down[side], &hold->entry, address) == 0)
                return hold;
        free(hold);
        deadlines_release(&bridge->all->hold_downs);
        return NULL;
}

/* Without room nobody is held, which is the lesser evil. */
static void hold_down(struct bridge *bridge, unsigned side, const struct address *address,
                      unsigned min_ms, unsigned max_ms)
{
        struct index_entry *entry = index_find(&bridge->held_down[side], address);
        struct hold_down *hold = entry ? hold_down_of(entry) : hold_down_new(bridge, side, address);
        uint64_t range = (max_ms - min_ms) * NSEC_PER_MSEC + 1, at;

        assert(min_ms <= max_ms);
        if (!hold)
                return;
        at = bridge->all->it->now + min_ms * NSEC_PER_MSEC +
             random_below(&bridge->all->random, range);
        if (hold->deadline.slot == 0 || hold->deadline.at < at)
                deadlines_set(&bridge->all->hold_downs, &hold->deadline, at);
        assert(hold->deadline.slot != 0);
}

void bridge_defer(struct bridge *bridge, unsigned from, const struct address *address,
                  unsigned min_ms, unsigned max_ms)
{
        hold_down(bridge, 1 - from, address, min_ms, max_ms);
}

bool bridges_end_hold_downs(struct bridges *all)
{
        struct deadline *d;
        bool any = false;

        while ((d = deadlines_pop(&all->hold_downs, all->it->now))) {
                struct hold_down *hold = container_of(d, struct hold_down, deadline);
                struct bridge *bridge = hold->bridge;
                unsigned side = hold->side, n_conflicts = hold->n_conflicts;
                struct address *address = index_take(&bridge->held_down[side], &hold->entry);
                struct proxy *p;

                deadlines_release(&all->hold_downs);
                free(hold);
                bridge_consider(bridge, 1 - side, address);
                p = n_conflicts ? bridge_find(bridge, side, address) : NULL;
                if (p)
                        p->n_conflicts = n_conflicts;
                free(address);
                any = true;
        }
        return any;
}

void bridge_drop_hold_downs(struct bridge *bridge)
{
        for (unsigned side = 0; side < 2; side++)
                while (bridge->held_down[side].n > 0)
                        hold_down_free(hold_down_of(bridge->held_down[side].all[0]));
}

/* ---- who comes and goes -------------------------------------------------------------------- */

/* Whether bridges of other brokers are near, who may act on the same news. */
static bool has_neighbours(const struct bridge *bridge)
{
        struct address beacon;
        struct peer_info info;

        if (address_parse(span_of(BRIDGE_ADDRESS), STRICT, &beacon, NULL, NULL))
                return false;
        for (unsigned side = 0; side < 2; side++) {
                size_t cursor = 0;

                if (engine_next_peer(bridge->bus[side]->engine, &beacon, &cursor, &info))
                        return true;
        }
        return false;
}

void bridge_come(struct bridge *bridge, unsigned from, const struct address *address, bool many)
{
        if (bridge->state != BRIDGE_ACTIVE || !is_exported(bridge, from, address))
                return;
        if (has_neighbours(bridge))
                bridge_defer(bridge, from, address, HOP_MS / 2, HOP_MS);
        else if (many)
                bridge_defer(bridge, from, address, 0, HOP_MS);
        else
                /* It may have left by now, but that is told later, and so are its last words. */
                host(bridge, from, address);
}

void bridge_consider_all(struct bridge *bridge, unsigned from)
{
        struct bus *bus = bridge->bus[from];
        bool many = engine_n_peers(bus->engine) + engine_n_entities(bus->engine) > BURST;
        struct session *s = bus_is_main(bus) ? sessions_first(bridge->all->sessions) : NULL;
        struct address all = ADDRESS_ALL;
        struct peer_info info;
        size_t cursor = 0;

        while (engine_next_peer(bus->engine, &all, &cursor, &info))
                bridge_come(bridge, from, info.address, many);
        for (; s; s = session_next(s))
                for (struct local_entity *e = session_entity(s); e; e = local_entity_next(e))
                        bridge_come(bridge, from, entity_address(e->entity), many);
}

void bridge_review(struct bridge *bridge)
{
        struct list_node *node, *next;

        for (node = bridge->proxies.first; node; node = next) {
                struct proxy *p = container_of(node, struct proxy, node);

                next = node->next;
                if (!is_exported(bridge, 1 - p->side, proxy_address(p)))
                        proxy_free(p, true, true);
        }
        for (unsigned side = 0; side < 2; side++)
                bridge_consider_all(bridge, side);
}

/* What stood for @address on @bus, over @gone, is no more; there may be yet another way to it. */
static void consider_other_ways(struct bus *bus, const struct bridge *gone,
                                const struct address *address)
{
        struct bridge *bridge;
        size_t cursor = 0;
        unsigned to;

        while ((bridge = bridges_next(gone->all, bus, &cursor, &to)))
                if (bridge != gone)
                        bridge_consider(bridge, 1 - to, address);
}

void bridge_gone(struct bridge *bridge, unsigned from, const struct address *address)
{
        struct proxy *p = bridge_find(bridge, 1 - from, address);

        if (p) {
                proxy_free(p, true, false);
                consider_other_ways(bridge->bus[1 - from], bridge, address);
        } else if (is_exported(bridge, 1 - from, address) &&
                   bus_has_real(bridge->all, bridge->bus[1 - from], address)) {
                hold_down(bridge, from, address, HOLD_MS, HOLD_MS);
        }
}

/* How long who has lost its address @n times in a row stays away. */
static unsigned conflict_pause(unsigned n)
{
        unsigned doublings = n - 1 < 16 ? n - 1 : 16;
        unsigned ms = RENAME_PAUSE_MIN_MS << doublings;

        assert(n > 0);
        return ms < RENAME_PAUSE_MAX_MS ? ms : RENAME_PAUSE_MAX_MS;
}

/* Once or twice this is how a proxy finds out that there is somebody of its address. */
static void log_echo(const struct proxy *p, unsigned n)
{
        struct bridges *all = p->bridge->all;
        struct span text = proxy_address(p)->text;
        uint64_t n_suppressed;

        if (n >= CONFLICTS_LOGGED &&
            log_ratelimit_is_due(&all->echo_log, all->it->now, &n_suppressed))
                log_warning("bus %s: somebody there uses the address %.*s of bus %s whenever it is "
                            "seen there: are the two buses one, or joined by another way? (%" PRIu64
                            " more before)",
                            proxy_bus(p)->name, excerpt_size(text), text.at, proxy_home(p)->name,
                            n_suppressed);
}

void proxy_lose_address(struct proxy *p)
{
        struct bridges *all = p->bridge->all;
        unsigned n = p->n_conflicts, pause;
        struct index_entry *entry;

        /* Who was there in peace for as long as it stayed away begins anew. */
        if (n > 0 && all->it->now - p->born > 2 * conflict_pause(n) * NSEC_PER_MSEC)
                n = 0;
        pause = conflict_pause(++n);
        log_echo(p, n);
        hold_down(p->bridge, p->side, proxy_address(p), pause, 2 * pause);
        entry = index_find(&p->bridge->held_down[p->side], proxy_address(p));
        if (entry)
                hold_down_of(entry)->n_conflicts = n;
        proxy_free(p, false, true);
}
