/*
 * ops.h - the door of ops/: what the administrator has of the broker.
 *
 *      stats         the figures
 *      metrics       ... over HTTP
 *      status        how it is doing, for the service manager
 *      drain         the last words to clients
 *      reload        the configuration is read again
 */
#ifndef BROKER_OPS_OPS_H
#define BROKER_OPS_OPS_H

#include "drain.h"
#include "metrics.h"
#include "reload.h"
#include "state.h"
#include "stats.h"
#include "status.h"

/* The broker has started. All pointers stay the caller's. */
void ops_init(struct ops *ops, struct control *control, struct settings *settings,
              struct tcp_listener *tcp);

#endif
