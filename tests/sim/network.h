/*
 * network.h - a multicast network that never was: it loses, doubles, delays, reorders and divides.
 *
 * A datagram is one packet however many nodes get it; the copies of it that arrive at the same time
 * are one flight. All that happens by chance comes from the network's own seeded generator.
 */
#ifndef MBUS_TESTS_SIM_NETWORK_H
#define MBUS_TESTS_SIM_NETWORK_H

#include "core/bytes.h"
#include "core/deadline.h"
#include "core/random.h"

#define NETWORK_ALL UINT32_MAX
/* Datagrams that a replay may choose from. */
#define NETWORK_RECENT 64

struct packet {
        unsigned refs;
        uint32_t from;
        uint64_t sent;
        size_t n;
        char bytes[];
};

struct flight {
        struct deadline due; /* first member */
        struct packet *packet;
        uint32_t n;
        uint32_t to[];
};

/* Shares are between 0 and 1, times are ns. */
struct network_rules {
        double loss;        /* copies that do not arrive */
        double duplicate;   /* copies that arrive twice */
        double echo;        /* datagrams that come back to their sender by another way */
        double late;        /* copies that take up to late_max more: overtaken by others */
        uint64_t delay_min; /* how long all others take */
        uint64_t delay_max;
        uint64_t late_max;
        uint64_t grid; /* arrivals come at multiples of this, so that they come in batches */
        bool in_order; /* all arrives in the order that it was sent in; for fixed delays */
};

struct network {
        struct network_rules rules;
        struct random random;
        uint32_t n_nodes;
        uint8_t *sides; /* of a partition: a node hears those of its own side */
        bool *cuts;     /* n_nodes squared: [from * n_nodes + to] cannot hear */
        uint32_t n_cuts;
        bool is_divided;
        struct deadlines flights;
        uint8_t *steps; /* scratch: one a node */
        struct packet *recent[NETWORK_RECENT];
        uint64_t last_due; /* of the last that took off */
        uint64_t n_sent;
        uint64_t n_delivered;
};

void network_init(struct network *net, uint64_t seed, uint32_t n_nodes);
void network_deinit(struct network *net);

/* Whether what @from sends now can reach @to. */
bool network_reaches(const struct network *net, uint32_t from, uint32_t to);
void network_cut(struct network *net, uint32_t from, uint32_t to);
/* Puts each node on one of @n_sides sides. */
void network_divide(struct network *net, uint64_t seed, unsigned n_sides);
/* Ends partitions and cuts. */
void network_heal(struct network *net);
/* The longest time that a copy can take. */
uint64_t network_latency(const struct network *net);

/* @from sends @bytes to @to, or to NETWORK_ALL. */
void network_send(struct network *net, uint64_t now, uint32_t from, uint32_t to, struct span bytes);
/* One of the recent datagrams comes again, to everybody, its sender included; nothing is old enough that all it says would
 * have been forgotten meanwhile (TOMBSTONE_MS). */
void network_replay(struct network *net, uint64_t now, uint64_t seed);

uint64_t network_next(const struct network *net);
/* A flight that arrives by @now, or NULL; flight_free() when it is done. */
struct flight *network_pop(struct network *net, uint64_t now);
struct flight *flight_free(struct flight *flight);

#endif
