/*
 * options.h - what a scenario is about, beside what happens in it.
 */
#ifndef MBUS_TESTS_SIM_OPTIONS_H
#define MBUS_TESTS_SIM_OPTIONS_H

#include "core/config.h"
#include "network.h"

/* What all nodes of a world have in common. */
struct world_options {
        uint64_t seed;
        uint32_t n_nodes;
        uint32_t per_node; /* entities */
        enum dialect dialect;
        bool send_unicast;
        uint64_t
                patience; /* ns that reliable messages wait for a destination; 0: only the known get some */
        size_t peers_max;
        size_t events_max; /* of slow nodes */
        uint64_t pop_gap;  /* of slow nodes, ns */
        bool lossless;     /* no scenario of this kind ever loses a datagram */
        bool steady;       /* the network is good enough that nobody may be given up who lives */
        struct network_rules network;
};

/* Entities that a process can have in scenarios of links. */
#define SLOTS 4

/* What scenarios of links have beside (links/). */
struct link_options {
        uint32_t n_brokers; /* which are the first nodes */
        uint32_t n_direct;  /* nodes, the last, that do without */
        uint32_t n_beyond;  /* of those, the last, that are on the bus beyond the bridge */
        uint64_t delay_max; /* of an octet on a link, ns */
        uint32_t capacity;  /* octets that a link holds in each direction */
        bool cuts;          /* reads and writes end anywhere */
        bool tcp;           /* links over TCP beside those over Unix sockets */
        bool small;         /* the least queues that can be configured */
        bool prompt;        /* all runs at once, and there is room for all */
        uint64_t patience;  /* of applications, for destinations that are not known; ns */
        uint64_t stall_max; /* the longest time that a process gets no time */
};

#endif
