/*
 * attack.c - what strangers send, and what must be the same before and after it.
 */
#include "attack.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/engine-state.h"
#include "core/engine.h"
#include "core/seal.h"
#include "memory.h"
#include "node.h"

#define NOISE_MAX 600

/* What a node holds; a forgery may change nothing but the count of drops. */
struct snapshot {
        size_t n_peers, n_departed, n_events, n_datagrams, memory;
        uint64_t deadline, dropped;
};

static uint64_t all_dropped(const struct engine *e)
{
        uint64_t n = 0;

        for (unsigned reason = 0; reason < MBUS_DROP_MAX; ++reason)
                n += engine_dropped(e, reason);
        return n;
}

static struct snapshot take_snapshot(const struct engine *e)
{
        return (struct snapshot){ .n_peers = engine_n_peers(e),
                                  .n_departed = e->peers.departed.n,
                                  .n_events = e->events.n,
                                  .n_datagrams = engine_n_datagrams(e),
                                  .memory = engine_memory(e),
                                  .deadline = engine_deadline(e),
                                  .dropped = all_dropped(e) };
}

/* ---- forgeries ---- */

static void write_message(struct world *w, struct crypto *crypto, uint64_t source,
                          struct buffer *out)
{
        struct buffer text = BUFFER_INIT;
        char src[80];
        struct header_spec spec = { .timestamp = node_wall(w, &w->nodes[0]),
                                    .src = { src, 0 },
                                    .dest = span_of("()") };

        spec.src.n = (size_t)snprintf(src, sizeof(src), "(app:flood id:%u-%u@10.9.9.9)",
                                      (unsigned)(source >> 16), (unsigned)(source & 0xffff));
        message_format(&spec, span_of("mbus.hello()"), w->options.dialect, &text);
        buffer_clear(out);
        seal_message(crypto, w->options.dialect, buffer_span(&text), out);
        buffer_deinit(&text);
        must(out->failed ? NULL : out);
}

static void write_noise(struct random *random, struct buffer *out)
{
        size_t n = random_below(random, NOISE_MAX);

        buffer_clear(out);
        for (size_t i = 0; i < n; ++i)
                buffer_add_char(out, (char)random_u32(random));
}

/* A datagram that was really sent, with one bit changed, or cut short. */
static void write_damaged(struct world *w, struct random *random, struct buffer *out)
{
        const struct packet *packet = w->network.recent[random_below(random, NETWORK_RECENT)];
        size_t bit;

        if (!packet) {
                write_noise(random, out);
                return;
        }
        buffer_clear(out);
        buffer_add(out, packet->bytes, packet->n);
        bit = random_below(random, packet->n * 8);
        if (random_u32(random) % 4)
                out->at[bit / 8] = (char)(out->at[bit / 8] ^ 1 << bit % 8);
        else
                out->n = bit / 8;
}

static void forge_one(struct world *w, struct node *node, struct span datagram)
{
        struct endpoint from = { .n = 4, .bytes = { 255, 255, 255, 255 } };
        struct snapshot before = take_snapshot(node->engine), after;

        engine_receive(node->engine, w->now, node_wall(w, node), &from, datagram);
        ++w->network.n_delivered;
        after = take_snapshot(node->engine);
        ++before.dropped;
        if (memcmp(&before, &after, sizeof(before)) != 0)
                fail(w, "forgery-changes-nothing",
                     "node %u: peers %zu to %zu, events %zu to %zu, memory %zu to %zu, drops "
                     "%llu to %llu",
                     node->index, before.n_peers, after.n_peers, before.n_events, after.n_events,
                     before.memory, after.memory, (unsigned long long)before.dropped - 1,
                     (unsigned long long)after.dropped);
}

void attack_forge(struct world *w, uint64_t seed, unsigned n)
{
        struct buffer datagram = BUFFER_INIT;
        struct random random;

        random_init(&random, seed);
        for (unsigned i = 0; i < n; ++i) {
                switch (random_u32(&random) % 3) {
                case 0:
                        write_message(w, w->stranger, random_u32(&random), &datagram);
                        break;
                case 1:
                        write_damaged(w, &random, &datagram);
                        break;
                default:
                        write_noise(&random, &datagram);
                }
                for (uint32_t k = 0; k < w->options.n_nodes; ++k) {
                        if (w->nodes[k].engine)
                                forge_one(w, &w->nodes[k], buffer_span(&datagram));
                }
        }
        buffer_deinit(&datagram);
}

/* ---- the flood ---- */

static size_t count_members(const struct engine *e)
{
        struct address all = ADDRESS_ALL;
        struct peer_info info;
        size_t cursor = 0, n = 0;
        uint32_t node, slot;

        while (engine_next_peer(e, &all, &cursor, &info))
                n += parse_place(info.address, &node, &slot);
        return n;
}

static void flood_one(struct world *w, struct node *node, uint64_t seed, unsigned n)
{
        struct endpoint from = { .n = 4, .bytes = { 255, 255, 255, 254 } };
        struct engine *e = node->engine;
        size_t members = count_members(e), before = engine_n_peers(e), room = SIZE_MAX;
        uint64_t dropped = engine_dropped(e, MBUS_DROP_PEERS);
        struct buffer datagram = BUFFER_INIT;

        if (w->options.peers_max)
                room = w->options.peers_max - before;
        for (unsigned i = 0; i < n; ++i) {
                write_message(w, w->crypto, seed + i, &datagram);
                engine_receive(e, w->now, node_wall(w, node), &from, buffer_span(&datagram));
                ++w->network.n_delivered;
        }
        buffer_deinit(&datagram);
        dropped = engine_dropped(e, MBUS_DROP_PEERS) - dropped;
        if (count_members(e) != members)
                fail(w, "flood-ends-at-the-cap", "node %u knew %zu members, now %zu", node->index,
                     members, count_members(e));
        if (engine_n_peers(e) != before + (n < room ? n : room) ||
            dropped != (n < room ? 0 : n - room))
                fail(w, "flood-ends-at-the-cap", "node %u: %zu peers, then %zu, %llu refused",
                     node->index, before, engine_n_peers(e), (unsigned long long)dropped);
}

void attack_flood(struct world *w, uint64_t seed, unsigned n)
{
        /* Sources differ between floods, and are few enough for their id. */
        seed = (seed % 1000000) << 16;
        w->n_strangers += n;
        for (uint32_t k = 0; k < w->options.n_nodes; ++k) {
                if (!w->nodes[k].engine)
                        continue;
                flood_one(w, &w->nodes[k], seed, n);
                world_settle(w, &w->nodes[k]);
        }
        world_changed(w, CHANGE_CONFUSION);
}
