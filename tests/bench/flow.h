/*
 * flow.h - messages between processes, through one server or another.
 *
 * A rig is a server and the two ends of a flow through it: sources and sinks, or one that asks and
 * one that echoes. Each end is a process of its own; they see each other's progress in shared
 * memory, which keeps sources from running further ahead than the least queue on the way holds. So
 * nothing need be lost, and all rigs are held back by the same means.
 */
#ifndef MBUS_BENCH_FLOW_H
#define MBUS_BENCH_FLOW_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server.h"

#define ENDS_MAX 4
/* Messages that a source hands over at a time ... */
#define FLOW_BATCH 64
/* ... and those of all sources that may be under way. */
#define FLOW_WINDOW 2048
#define PAYLOAD_SIZE 200
#define TRIPS_N 2000

struct flow_end {
        alignas(64) _Atomic uint64_t n; /* sent, or received */
        uint64_t begin;                 /* monotonic ns: of the first one sent */
        uint64_t end;                   /* of the last one received */
        char address[256];
};

struct flow {
        unsigned n_sources;
        unsigned n_sinks;
        uint64_t n; /* what each source sends */
        _Atomic unsigned n_ready;
        _Atomic bool go;
        _Atomic bool stop;
        struct flow_end sources[ENDS_MAX];
        struct flow_end sinks[ENDS_MAX];
        double times[TRIPS_N]; /* ns */
        double source_cpu;     /* seconds, of all sources */
        double sink_cpu;
};

struct rig {
        const char *name;
        bool (*start)(void);  /* false: the server is not installed */
        double (*stop)(void); /* returns the seconds of CPU time that it took */
        void (*sink)(struct flow *f, unsigned i);
        void (*source)(struct flow *f, unsigned i);
        void (*echo)(struct flow *f, unsigned i);
        void (*ask)(struct flow *f, unsigned i);
        unsigned divisor; /* a slow one moves so many times fewer messages; 0 stands for 1 */
};

extern const struct rig rig_mbus;         /* MULTICAST=never */
extern const struct rig rig_mbus_default; /* groups go to the bus, too */
extern const struct rig rig_mbus_reliable;
/* Where the broker of these rigs is once it is started. */
extern struct server rig_mbus_server;
extern const struct rig rig_relay;
extern const struct rig rig_nats;         /* a client that does nothing but what it must */
extern const struct rig rig_nats_library; /* an application of the library of its makers */
extern const struct rig rig_mqtt;         /* quality of service 0 */
extern const struct rig rig_mqtt_reliable;

/* Deliveries a second; adds what was lost to *@lost. */
double flow_rate(struct flow *f, const struct rig *rig, unsigned n_sources, unsigned n_sinks,
                 uint64_t n, uint64_t *lost);
/* The median round trip in ns. */
double flow_round_trip(struct flow *f, const struct rig *rig);

/* ---- for the ends -------------------------------------------------------------------------- */

/* This end is ready; returns when all are. */
void flow_ready(struct flow *f);
/* Waits until there is room for a batch; the size of the next one, 0 when all is sent. What an end
 * has to do meanwhile it does in @nap, which may be NULL. */
uint64_t flow_next_batch(struct flow *f, unsigned i, void (*nap)(void *end), void *end);
void flow_count_sent(struct flow *f, unsigned i, uint64_t n);
void flow_count_received(struct flow *f, unsigned i, uint64_t n);
bool flow_is_over(const struct flow *f);
/* PAYLOAD_SIZE octets, a command of Mbus, with a zero octet behind. */
const char *flow_payload(void);

#endif
