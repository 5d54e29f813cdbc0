/*
 * bus.h - one bus that the broker is on: an engine behind its sockets, in the loop.
 *
 * [MBUS] is the bus called "main", whose entities the clients are; each [bus NAME] is one more
 * (bridge.h). What the events of a bus mean is for its owner to say.
 */
#ifndef BROKER_BUSES_BUS_H
#define BROKER_BUSES_BUS_H

#include <uv.h>

#include <core/engine.h>
#include <io/udp.h>

#include <broker/base/limits.h>
#include <broker/base/log.h>
#include <broker/routing/loss.h>

struct broker;

struct bus {
        struct broker *broker;
        char name[BUS_NAME_MAX + 1];
        uint64_t number; /* rises from bus to bus that the broker opens */
        enum dialect dialect;
        struct engine *engine;
        struct crypto *crypto;
        size_t largest;     /* engine_largest() */
        size_t surely_fits; /* the octets of a message that need not be measured */
        struct udp *udp;
        uv_poll_t polls[UDP_POLLFDS];
        struct pollfd fds[UDP_POLLFDS];
        size_t n_fds;
        size_t n_handles;         /* of `polls`, that are not closed yet */
        bool received;            /* the engine is to tick */
        struct log_trouble slow;  /* too many entities say hello here, for DIALECT=UCL */
        struct loss loss;         /* that is not told yet */
        size_t n_observers;       /* links that want copies of what passes here ... */
        size_t n_hello_observers; /* ... and of bare hellos, too */
};

/* Opens engine and sockets; @relays: messages for nobody here are events, too. 0 or the exit status,
 * with a line in the log. */
int bus_open(struct bus *bus, struct broker *b, const char *name, const struct config *config,
             bool relays);
/* 0 or -errno. */
int bus_start(struct bus *bus);
/* Copes with one that bus_open() left half open, and with one that was never opened. */
void bus_close(struct bus *bus);
/* Closes it while the loop runs, and frees it, which malloc() made, when the loop is done with it. */
void bus_retire(struct bus *bus);

/* Ticks the engine if it is due, and says what became of the network. */
void bus_tick(struct bus *bus);
/* When that is due. */
uint64_t bus_deadline(const struct bus *bus);
/* Sends what the engine has queued. */
void bus_send(struct bus *bus);
/* The end: sends what is queued, until broker.stop_at, or for STOP_MS if the broker goes on. */
void bus_drain(struct bus *bus);

#endif
