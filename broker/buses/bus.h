/*
 * bus.h - the buses that the broker is on: engines behind their sockets, in the loop.
 *
 * [MBUS] is the bus called "main", whose entities the clients are; each [bus NAME] is one more.
 * What the events of a bus mean is for others to say: they take them from its engine after
 * bus_tick(), and what becomes of its network is told to the owner of the buses.
 *
 * Invariants: engine, crypto and udp of an open bus are there until it is closed. `main` is open as
 * long as the broker is; the others come and go with the configuration.
 */
#ifndef BROKER_BUSES_BUS_H
#define BROKER_BUSES_BUS_H

#include <uv.h>

#include <core/engine.h>
#include <io/udp.h>

#include <broker/base/base.h>

struct buses;

/* What a bus brought and nobody saw. */
struct loss {
        uint64_t n_datagrams; /* that the kernel had no room for */
        uint64_t n_messages;  /* that the engine had none for */
        uint64_t told_at;     /* when clients were told last; 0: never */
};

/*
 * Invariants: polls[i] awaits fds[i], n_fds of them from bus_start() on; n_handles are not closed
 * yet. What fds[i].events says is what the loop was asked for last.
 */
struct bus {
        struct buses *buses;
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

/* Told what becomes of the network of a bus. */
struct bus_owner {
        void (*on_network)(struct bus_owner *owner, struct bus *bus, enum mbus_network network,
                           const char *text);
};

struct buses {
        struct iteration *it;
        struct bus_owner *owner; /* is to be set before a bus is opened */
        const char *config_path; /* that INTERFACE= is written in; so is this */
        struct bus main;
        struct bus **others;
        size_t n_others;
        uint64_t last_number;
};

/* No bus is open yet. @it stays the caller's. */
void buses_init(struct buses *buses, struct iteration *it);
/* Main first; NULL behind the last. */
struct bus *buses_get(struct buses *buses, size_t i);
/* The one of this name, or NULL. */
struct bus *buses_find(struct buses *buses, const char *name);
bool bus_is_main(const struct bus *bus);

/* Opens engine and sockets; @relays: messages for nobody here are events, too. 0 or the exit
 * status, with a line in the log. */
int bus_open(struct bus *bus, struct buses *buses, const char *name, const struct config *config,
             bool relays);
/* 0 or -errno. */
int bus_start(struct bus *bus);
/* Copes with one that bus_open() left half open, and with one that was never opened. */
void bus_close(struct bus *bus);
/* Closes it while the loop runs, and frees it, which malloc() made, when the loop is done with
 * it. */
void bus_retire(struct bus *bus);

/* Ticks the engine if it is due, and says what became of the network. */
void bus_tick(struct bus *bus);
/* When that is due. */
uint64_t bus_deadline(const struct bus *bus);
/* Sends what the engine has queued. */
void bus_send(struct bus *bus);
/* The end: sends what is queued, until the iteration's stop_at, or for STOP_MS if the broker goes
 * on. */
void bus_drain(struct bus *bus);

/* @n datagrams or messages of it were lost, for @reason. */
void bus_note_loss(struct bus *bus, enum mbus_drop reason, uint64_t n);

#endif
