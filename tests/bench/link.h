/*
 * link.h - what bench-link.c measures: two ways to move the same datagrams over loopback multicast.
 *
 * A kind of link has the two ends of a flood, sink and source, and the two of a round trip, echo
 * and ask. Each end is a process of its own; they see each other's progress in shared memory, which
 * keeps the source from running further ahead than a socket buffer holds. So nothing is lost, and
 * both kinds are held back by the same means.
 */
#ifndef MBUS_BENCH_LINK_H
#define MBUS_BENCH_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench.h"
#include "core/bytes.h"

#define SINKS_MAX 4
#define FLOOD_BATCH 64
/* Datagrams on their way: fits the smallest default of net.core.rmem_default. */
#define FLOOD_WINDOW 192
#define BENCH_GROUP "239.255.255.247"
#define BENCH_PORT 47900
#define BENCH_PAYLOAD_SIZE 200

struct shared {
        _Atomic unsigned n_ready;
        _Atomic bool stop;
        _Atomic uint64_t received[SINKS_MAX];
};

struct link_kind {
        const char *name;
        void (*sink)(struct shared *s, unsigned i);
        void (*source)(struct shared *s, unsigned n_sinks, uint64_t n);
        void (*echo)(struct shared *s, unsigned i);
        /* Writes the @n round trips in ns to @ret_times. */
        void (*ask)(struct shared *s, uint64_t n, double *ret_times);
};

extern const struct link_kind link_bare;
extern const struct link_kind link_bare_joined; /* the source hears itself, as a bus entity does */
extern const struct link_kind link_engine;

/* Waits until all sinks have all but FLOOD_WINDOW of the @sent, or nothing moves for a second. */
void bench_keep_window(struct shared *s, unsigned n_sinks, uint64_t sent);
/* The payload of the flood, BENCH_PAYLOAD_SIZE octets. */
struct span bench_payload(void);
/* A datagram as the engine makes it, for the bare links; valid until the process ends. */
struct span bench_datagram(void);

#endif
