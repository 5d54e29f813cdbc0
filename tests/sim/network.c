/*
 * network.c - each copy of a datagram draws its fate; copies that arrive together fly together.
 */
#include "network.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "memory.h"

/* The time between delay_min and delay_max has this many steps; a step of no copy costs nothing. */
#define STEPS 8
#define STEP_LOST UINT8_MAX

static struct packet *packet_new(uint32_t from, struct span bytes)
{
        struct packet *packet = must(malloc(sizeof(*packet) + bytes.n));

        packet->refs = 1;
        packet->from = from;
        packet->n = bytes.n;
        memcpy(packet->bytes, bytes.at, bytes.n);
        return packet;
}

static struct packet *packet_unref(struct packet *packet)
{
        if (packet && --packet->refs == 0)
                free(packet);
        return NULL;
}

void network_init(struct network *net, uint64_t seed, uint32_t n_nodes)
{
        *net = (struct network){ .n_nodes = n_nodes, .flights = DEADLINES_INIT };
        random_init(&net->random, seed);
        net->sides = must(calloc(n_nodes + 1, 1));
        net->steps = must(calloc(n_nodes + 1, 1));
}

void network_deinit(struct network *net)
{
        struct flight *flight;

        while ((flight = network_pop(net, TIME_NEVER)))
                flight_free(flight);
        for (size_t i = 0; i < NETWORK_RECENT; ++i)
                packet_unref(net->recent[i]);
        deadlines_deinit(&net->flights);
        free(net->sides);
        free(net->steps);
        free(net->cuts);
}

bool network_reaches(const struct network *net, uint32_t from, uint32_t to)
{
        if (net->is_divided && net->sides[from] != net->sides[to])
                return false;
        return net->n_cuts == 0 || !net->cuts[(size_t)from * net->n_nodes + to];
}

void network_cut(struct network *net, uint32_t from, uint32_t to)
{
        if (!net->cuts)
                net->cuts = must(calloc((size_t)net->n_nodes * net->n_nodes, sizeof(bool)));
        net->cuts[(size_t)from * net->n_nodes + to] = true;
        ++net->n_cuts;
}

void network_divide(struct network *net, uint64_t seed, unsigned n_sides)
{
        struct random random;

        random_init(&random, seed);
        for (uint32_t i = 0; i < net->n_nodes; ++i)
                net->sides[i] = (uint8_t)random_below(&random, n_sides);
        net->is_divided = true;
}

void network_heal(struct network *net)
{
        net->is_divided = false;
        net->n_cuts = 0;
        free(net->cuts);
        net->cuts = NULL;
}

uint64_t network_latency(const struct network *net)
{
        const struct network_rules *rules = &net->rules;

        return rules->delay_max +
               (rules->late > 0 || rules->duplicate > 0 || rules->echo > 0 ? rules->late_max : 0) +
               rules->grid;
}

/* ---- flights ---- */

struct flight *flight_free(struct flight *flight)
{
        packet_unref(flight->packet);
        free(flight);
        return NULL;
}

static struct flight *take_off(struct network *net, uint64_t due, struct packet *packet, uint32_t n)
{
        struct flight *flight = must(malloc(sizeof(*flight) + n * sizeof(*flight->to)));
        uint64_t grid = net->rules.grid ? net->rules.grid : 1;

        if (net->rules.in_order && due <= net->last_due)
                due = net->last_due + 1;
        net->last_due = due;
        *flight = (struct flight){ .due = DEADLINE_INIT, .packet = packet };
        ++packet->refs;
        must(deadlines_reserve(&net->flights) == 0 ? flight : NULL);
        deadlines_set(&net->flights, &flight->due, (due + grid - 1) / grid * grid);
        return flight;
}

static void fly_alone(struct network *net, uint64_t due, struct packet *packet, uint32_t to)
{
        struct flight *flight = take_off(net, due, packet, 1);

        flight->to[0] = to;
        flight->n = 1;
}

uint64_t network_next(const struct network *net)
{
        return deadlines_next(&net->flights);
}

struct flight *network_pop(struct network *net, uint64_t now)
{
        struct deadline *d;

        if (deadlines_next(&net->flights) > now || net->flights.n == 0)
                return NULL;
        d = deadlines_pop(&net->flights, now);
        deadlines_release(&net->flights);
        return (struct flight *)(void *)d;
}

/* ---- sending ---- */

static bool happens(struct network *net, double share)
{
        return share > 0 && random_u32(&net->random) < (uint32_t)(share * UINT32_MAX);
}

static uint64_t some_late(struct network *net, uint64_t now)
{
        return now + net->rules.delay_max + random_below(&net->random, net->rules.late_max + 1);
}

/* What becomes of the copy for @to: a step, or STEP_LOST if it is lost or flies alone. */
static uint8_t draw_fate(struct network *net, uint64_t now, struct packet *packet, uint32_t to)
{
        const struct network_rules *rules = &net->rules;

        if (!network_reaches(net, packet->from, to) || happens(net, rules->loss))
                return STEP_LOST;
        if (happens(net, rules->duplicate))
                fly_alone(net, some_late(net, now), packet, to);
        if (happens(net, rules->late)) {
                fly_alone(net, some_late(net, now), packet, to);
                return STEP_LOST;
        }
        return rules->delay_max > rules->delay_min ? random_u32(&net->random) % STEPS : 0;
}

static void send_to_all(struct network *net, uint64_t now, struct packet *packet)
{
        const struct network_rules *rules = &net->rules;
        uint64_t step = (rules->delay_max - rules->delay_min) / STEPS;
        struct flight *flights[STEPS] = { NULL };
        uint32_t n[STEPS] = { 0 };

        if (happens(net, rules->echo))
                fly_alone(net, some_late(net, now), packet, packet->from);
        for (uint32_t to = 0; to < net->n_nodes; ++to) {
                net->steps[to] = to == packet->from ? STEP_LOST : draw_fate(net, now, packet, to);
                if (net->steps[to] != STEP_LOST)
                        ++n[net->steps[to]];
        }
        for (unsigned s = 0; s < STEPS; ++s) {
                if (n[s])
                        flights[s] = take_off(net, now + rules->delay_min + s * step, packet, n[s]);
        }
        for (uint32_t to = 0; to < net->n_nodes; ++to) {
                if (net->steps[to] != STEP_LOST) {
                        struct flight *flight = flights[net->steps[to]];

                        flight->to[flight->n++] = to;
                }
        }
}

void network_send(struct network *net, uint64_t now, uint32_t from, uint32_t to, struct span bytes)
{
        const struct network_rules *rules = &net->rules;
        uint64_t step = (rules->delay_max - rules->delay_min) / STEPS;
        struct packet *packet = packet_new(from, bytes);
        struct packet **recent = &net->recent[net->n_sent++ % NETWORK_RECENT];
        uint8_t fate;

        packet->sent = now;
        if (to == NETWORK_ALL) {
                send_to_all(net, now, packet);
        } else {
                fate = draw_fate(net, now, packet, to);
                if (fate != STEP_LOST)
                        fly_alone(net, now + rules->delay_min + fate * step, packet, to);
        }
        packet_unref(*recent);
        *recent = packet;
}

void network_replay(struct network *net, uint64_t now, uint64_t seed)
{
        struct packet *packet = net->recent[seed % NETWORK_RECENT];

        if (packet && now - packet->sent > TOMBSTONE_MS * NSEC_PER_MSEC / 2)
                return;
        for (uint32_t to = 0; packet && to < net->n_nodes; ++to)
                fly_alone(net, some_late(net, now), packet, to);
}
