/*
 * world.c - the nodes and the clock.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/engine-state.h"
#include "core/engine.h"
#include "memory.h"
#include "node.h"

/* 2020-01-01, in ms. */
#define WALL_START UINT64_C(1577836800000)
/* A node that is due again and again at one moment. */
#define SETTLED_MAX 1000
#define CHECK_GAP (50 * NSEC_PER_MSEC)

uint64_t node_wall(const struct world *w, const struct node *node)
{
        return (uint64_t)((int64_t)(WALL_START + w->now / NSEC_PER_MSEC) + node->wall_offset);
}

static struct crypto *make_crypto(uint8_t key)
{
        struct config config = CONFIG_INIT;
        struct crypto *crypto;

        config.hash_key.n = 20;
        config.hash_key.bytes[0] = key;
        must(crypto_new(&config, &crypto) == 0 ? &config : NULL);
        return crypto;
}

static bool is_doubtful(const struct world_options *options)
{
        const struct network_rules *rules = &options->network;

        return rules->loss > 0 || rules->late > 0 || rules->delay_max > rules->delay_min ||
               options->send_unicast;
}

void world_init(struct world *w, const struct world_options *options)
{
        crypto_global_init();
        *w = (struct world){ .options = *options,
                             .wakes = DEADLINES_INIT,
                             .now = NSEC_PER_SEC,
                             .doubtful = is_doubtful(options) };
        random_init(&w->random, options->seed);
        w->crypto = make_crypto(1);
        w->stranger = make_crypto(2);
        network_init(&w->network, random_u64(&w->random), options->n_nodes);
        w->network.rules = options->network;
        w->nodes = must(calloc(options->n_nodes, sizeof(*w->nodes)));
        w->touched = must(calloc(options->n_nodes, sizeof(*w->touched)));
        world_watch_network(w);
        for (uint32_t i = 0; i < options->n_nodes; ++i) {
                w->nodes[i].index = i;
                w->nodes[i].wake = DEADLINE_INIT;
                must(deadlines_reserve(&w->wakes) == 0 ? w : NULL);
        }
}

void world_deinit(struct world *w)
{
        for (uint32_t i = 0; i < w->options.n_nodes; ++i)
                engine_free(w->nodes[i].engine);
        for (uint32_t i = 0; i < w->n_members; ++i) {
                free(w->members[i]->address);
                free(w->members[i]);
        }
        network_deinit(&w->network);
        ledger_deinit(&w->ledger);
        deadlines_deinit(&w->wakes);
        crypto_free(w->crypto);
        crypto_free(w->stranger);
        free(w->members);
        free(w->nodes);
        free(w->touched);
}

struct member *world_member(const struct world *w, uint32_t node, uint32_t slot)
{
        if (node >= w->options.n_nodes || slot >= SLOTS_MAX)
                return NULL;
        return w->nodes[node].slots[slot];
}

/* A network that loses more than a tenth, or is cut, is in trouble. */
void world_watch_network(struct world *w)
{
        const struct network *net = &w->network;
        bool trouble = net->is_divided || net->n_cuts || net->rules.loss > LOSS_BEARABLE;

        if (w->in_trouble && w->now - w->trouble_since > w->longest_trouble)
                w->longest_trouble = w->now - w->trouble_since;
        if (trouble && !w->in_trouble)
                w->trouble_since = w->now;
        w->in_trouble = trouble;
        if (trouble || net->rules.loss > 0)
                w->doubtful = true;
}

/* ---- bounds of section 8 ---- */

static size_t most_entities(const struct world *w)
{
        return w->n_places + w->n_strangers;
}

/* How long somebody may be silent until he is given up: the RFC's time-out; twice that if a datagram
 * that was overtaken may look lost; and if some really are, three times the longest gap between two
 * hellos (peers.c), which is what trouble of the network makes it. */
static uint64_t longest_silence(const struct world *w)
{
        uint64_t dead = hello_dead_after(most_entities(w));

        if (!w->doubtful)
                return dead;
        return w->options.lossless && !w->longest_trouble ? 2 * dead
                                                          : 3 * (dead + w->longest_trouble);
}

uint64_t world_bound(const struct world *w, enum change change)
{
        uint64_t hello = (uint64_t)((double)hello_interval(most_entities(w)) * HELLO_DITHER_MAX);
        uint64_t dead = longest_silence(w), first = HELLO_MIN_MS * NSEC_PER_MSEC;
        uint64_t latency = network_latency(&w->network);

        switch (change) {
        case CHANGE_START:
                return (w->doubtful ? first + dead : first) + latency;
        case CHANGE_JOIN:
                return (w->doubtful ? first + dead : first + hello) + latency;
        case CHANGE_BYE:
                return (w->options.lossless ? 0 : dead) + latency;
        case CHANGE_SILENCE:
        case CHANGE_HEAL:
                return dead + latency;
        case CHANGE_CONFUSION:
                break;
        }
        return 4 * dead + TOMBSTONE_MS * NSEC_PER_MSEC + latency;
}

void world_changed(struct world *w, enum change change)
{
        uint64_t at = w->now + world_bound(w, change);

        if (at > w->aware_at)
                w->aware_at = at;
}

/* ---- time ---- */

void world_touch(struct world *w, struct node *node)
{
        if (!node->touched)
                w->touched[w->n_touched++] = node->index;
        node->touched = true;
}

static void set_wake(struct world *w, struct node *node)
{
        uint64_t at = engine_deadline(node->engine);

        if (node->slow && node->pop_at < at)
                at = node->pop_at;
        deadlines_set(&w->wakes, &node->wake, at < w->now ? w->now : at);
}

static void note_time(struct world *w, struct node *node)
{
        if (node->settled_at != w->now)
                node->n_settled = 0;
        node->settled_at = w->now;
        if (++node->n_settled > SETTLED_MAX)
                fail(w, "time-goes-on", "node %u is due at this moment for the %u. time",
                     node->index, node->n_settled);
}

void world_settle(struct world *w, struct node *node)
{
        if (!node->engine)
                return;
        note_time(w, node);
        engine_tick(node->engine, w->now, node_wall(w, node));
        node_pop(w, node, false);
        node_transmit(w, node);
        set_wake(w, node);
        if (random_u32(&w->random) % 64 == 0 && w->n_places <= 100)
                check_bounds(w, node);
}

static void arrive(struct world *w, const struct flight *flight)
{
        const struct packet *packet = flight->packet;
        struct endpoint from = node_endpoint(packet->from);

        for (uint32_t i = 0; i < flight->n; ++i) {
                struct node *node = &w->nodes[flight->to[i]];

                if (!node->engine)
                        continue;
                engine_receive(node->engine, w->now, node_wall(w, node), &from,
                               (struct span){ packet->bytes, packet->n });
                ++w->network.n_delivered;
                world_touch(w, node);
        }
}

/* Some applications answer at once: before the tick, so that the acknowledgement rides on the answer. */
static void answer(struct world *w, const struct node *node)
{
        const struct acks *acks = node->engine ? node->engine->acks_due : NULL;

        if (acks && random_u32(&w->random) % 4 == 0)
                world_send(w, entity_data(acks->entity), acks->peer->entry.address, false);
}

/* Everything that is due at this moment. */
static void run_moment(struct world *w)
{
        struct flight *flight;
        struct deadline *d;

        while ((flight = network_pop(&w->network, w->now))) {
                arrive(w, flight);
                flight_free(flight);
        }
        while ((d = deadlines_pop(&w->wakes, w->now)))
                world_touch(w, (struct node *)(void *)d);
        for (uint32_t i = 0; i < w->n_touched; ++i) {
                struct node *node = &w->nodes[w->touched[i]];

                node->touched = false;
                answer(w, node);
                world_settle(w, node);
        }
        w->n_touched = 0;
}

void world_run(struct world *w, uint64_t until)
{
        while (!w->failure.claim) {
                uint64_t flight = network_next(&w->network), wake = deadlines_next(&w->wakes);
                uint64_t next = flight < wake ? flight : wake;

                if (next > until)
                        break;
                if (next > w->now)
                        w->now = next;
                run_moment(w);
                if (w->now >= w->check_at) {
                        check_overdue(w);
                        w->check_at = w->now + CHECK_GAP;
                }
        }
        if (w->now < until && !w->failure.claim)
                w->now = until;
}
