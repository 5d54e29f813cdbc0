/*
 * broker.h - the daemon: its rooms, from the ground up, and the iterations of its loop.
 *
 * Each room is a folder with a door of the same name, and knows only those above it in this list
 * (spec/architecture.md). In one iteration of the loop descriptors and timers call into the rooms,
 * which leave work behind: queues with something in them, connections to close, datagrams, events.
 * All of it is done before the loop sleeps again. Nothing is freed between.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <broker/base/base.h>
#include <broker/config/config.h>
#include <broker/accounts/accounts.h>
#include <broker/net/net.h>
#include <broker/buses/buses.h>
#include <broker/sessions/sessions.h>
#include <broker/routing/routing.h>
#include <broker/bridge/bridge.h>
#include <broker/control/control.h>
#include <broker/ops/ops.h>

/* What the loop itself has. */
struct handles {
        uv_prepare_t prepare;
        uv_timer_t timer;
        uint64_t timer_at;
        uv_timer_t upkeep; /* looks after files that others may remove */
        uv_signal_t signals[3];
};

struct broker {
        struct iteration it;
        struct handles handles;
        struct socket_file socket;
        struct settings settings;
        struct quota quota;
        struct connections net;
        struct unix_listener listener;
        struct tcp_listener tcp;
        struct buses buses;
        struct sessions sessions;
        struct routing routing;
        struct bridges bridges;
        struct control control;
        struct ops ops;
};

/* Opens the bus and the socket. 0 or the exit status, with a line in the log. */
int broker_open(struct broker *b, const struct options *options);
/* Serves until a signal comes, says bye. Returns the exit status. */
int broker_run(struct broker *b);
/* What broker_run() does before and after it runs the loop, for those who turn the loop
 * themselves. 0 or the exit status, with a line in the log. */
int broker_start(struct broker *b);
void broker_stop(struct broker *b);
/* Copes with one that broker_open() left half open. */
void broker_close(struct broker *b);

#endif
