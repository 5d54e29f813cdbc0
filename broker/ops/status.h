/*
 * status.h - how the broker is doing, for the service manager (base/service-manager.h).
 */
#ifndef BROKER_OPS_STATUS_H
#define BROKER_OPS_STATUS_H

#include "state.h"

/* Tells the manager that the broker is ready, and how it is doing. */
void status_ready(const struct ops *ops);
/* Begins to tell that the broker is alive, twice as often as the manager wants to hear it. */
int status_start(struct ops *ops);
/* All that this iteration had to do is done: that is what being alive means. */
void status_end_iteration(struct ops *ops);

#endif
