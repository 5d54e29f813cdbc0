/*
 * drain.h - the end of the broker: what waits for clients is written, as far as they take it.
 */
#ifndef BROKER_OPS_DRAIN_H
#define BROKER_OPS_DRAIN_H

#include <broker/net/net.h>

/* Until the iteration's stop_at; the loop stands still meanwhile. */
void drain_connections(struct connections *all, struct tcp_listener *tcp);

#endif
