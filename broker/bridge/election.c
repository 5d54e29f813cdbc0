/*
 * election.c - which of several brokers between two buses works.
 *
 * A bridge that works has an entity (app:mbus-broker module:bridge since:TIME id:...) of one and
 * the same address on both of its buses. Whoever joins the same two buses sees it on both, and
 * stands by until it is gone. A bridge that starts shows its own and asks first; of two the older
 * one goes on, the other one leaves without saying bye for those it hosted, since they are hosted
 * still.
 */
#include "election.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "hosted-entity.h"
#include "proxy.h"

/* As long as the answers to a ping take, and half as long again. */
#define CANDIDATE_MS 1500
/* Changes of state that are said in LOG_INTERVAL_MS. */
#define STATES_LOGGED 4

static uint64_t since_of(const struct address *beacon)
{
        uint64_t since;

        return span_to_uint(address_get(beacon, "since"), UINT64_MAX, &since) ? since : 0;
}

static bool is_older(const struct bridge *bridge, const struct address *other)
{
        struct span mine = entity_address(bridge->beacons[0].entity)->text;
        size_t n = other->text.n < mine.n ? other->text.n : mine.n;
        uint64_t since = since_of(other);
        int order;

        assert(bridge->state != BRIDGE_STANDBY);
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

void bridge_become_candidate(struct bridge *bridge)
{
        struct bridges *all = bridge->all;
        struct address address, pattern;
        char text[256];
        int n;

        assert(bridge->state == BRIDGE_STANDBY && list_is_empty(&bridge->proxies));
        bridge->since = all->it->wall_ms;
        n = snprintf(text, sizeof(text),
                     "(app:mbus-broker module:bridge since:%" PRIu64 " id:%" PRIu32 "-%u@%s)",
                     bridge->since, random_u32(&bridge->all->random), bridge->number,
                     udp_host_id(all->buses->main.udp));
        if (address_parse((struct span){ text, (size_t)n }, STRICT, &address, NULL, NULL) ||
            address_parse(span_of(BRIDGE_ADDRESS), STRICT, &pattern, NULL, NULL))
                return;
        bridge->state = BRIDGE_CANDIDATE;
        bridge->until = all->it->now + CANDIDATE_MS * NSEC_PER_MSEC;
        for (unsigned side = 0; side < 2; side++) {
                struct engine *e = bridge->bus[side]->engine;

                if (hosted_entity_enter(&bridge->beacons[side], all->sessions, bridge->bus[side],
                                        &address, NULL))
                        continue;
                engine_announce_entity(e, all->it->now, all->it->wall_ms,
                                       bridge->beacons[side].entity);
                (void)engine_ping(e, all->it->now, all->it->wall_ms, bridge->beacons[side].entity,
                                  &pattern);
        }
        if (bridge->beacons[0].entity && bridge->beacons[1].entity)
                return;
        /* Memory is short; it is tried again at `until`. */
        for (unsigned side = 0; side < 2; side++)
                hosted_entity_leave(&bridge->beacons[side], true);
        bridge->state = BRIDGE_STANDBY;
}

void bridge_stand_by(struct bridge *bridge, bool bye)
{
        bridge_drop_proxies(bridge, bye);
        bridge_drop_hold_downs(bridge);
        for (unsigned side = 0; side < 2; side++)
                hosted_entity_leave(&bridge->beacons[side], true);
        assert(list_is_empty(&bridge->proxies));
        bridge->state = BRIDGE_STANDBY;
        bridge->until = TIME_NEVER;
}

/* Whoever has the keys can be another broker that comes and goes: the first states of a while
 * are said, and then how many were not. */
static void log_state(struct bridge *bridge, const char *what)
{
        uint64_t now = bridge->all->it->now, n_suppressed;

        if (now >= bridge->states_until) {
                bridge->states_until = now + LOG_INTERVAL_MS * NSEC_PER_MSEC;
                bridge->n_states = 0;
        }
        if (bridge->n_states++ < STATES_LOGGED)
                log_info("buses %s and %s %s", bridge->bus[0]->name, bridge->bus[1]->name, what);
        else if (log_ratelimit_is_due(&bridge->flapping, now, &n_suppressed))
                log_warning(
                        "buses %s and %s: another broker that joins them comes and goes (%" PRIu64
                        " more before)",
                        bridge->bus[0]->name, bridge->bus[1]->name, n_suppressed);
}

void bridge_begin(struct bridge *bridge)
{
        assert(bridge->state == BRIDGE_CANDIDATE);
        assert(bridge->beacons[0].entity && bridge->beacons[1].entity);
        bridge->until = TIME_NEVER;
        log_state(bridge, "are joined");
        bridge->state = BRIDGE_ACTIVE;
        /* Whoever left because the broker before us did is to be seen again. */
        bridge_drop_hold_downs(bridge);
        for (unsigned side = 0; side < 2; side++)
                bridge_consider_all(bridge, side);
}

static void bridge_announce(struct bridge *bridge)
{
        struct bridges *all = bridge->all;

        for (unsigned side = 0; side < 2; side++)
                engine_announce_entity(bridge->bus[side]->engine, all->it->now, all->it->wall_ms,
                                       bridge->beacons[side].entity);
}

static void bridge_check(struct bridge *bridge)
{
        bool older, found = find_other(bridge, &older);

        if (bridge->state == BRIDGE_STANDBY && !found) {
                bridge_become_candidate(bridge);
        } else if (bridge->state != BRIDGE_STANDBY && older) {
                log_state(bridge, "are joined by another broker; this one stands by");
                bridge_stand_by(bridge, false);
        } else if (bridge->state != BRIDGE_STANDBY && found) {
                bridge_announce(bridge);
        }
}

void bridges_check(struct bridges *all, const struct address *address)
{
        if (!span_equal_text(address_get(address, "module"), "bridge"))
                return;
        for (size_t i = 0; i < all->n; i++)
                bridge_check(all->list[i]);
}
