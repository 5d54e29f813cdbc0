/*
 * stats.h - the figures of the broker, in one table for broker.stats() and for /metrics.
 */
#ifndef BROKER_OPS_STATS_H
#define BROKER_OPS_STATS_H

#include "state.h"

/* @control does broker.stats() from now on. */
void stats_init(struct ops *ops, struct control *control);
/* Calls @put for each figure. */
void stats_each(const struct ops *ops, void (*put)(void *data, const struct figure *figure),
                void *data);

#endif
