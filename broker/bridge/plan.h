/*
 * plan.h - which buses and bridges there are, by the configuration (spec/buses.md).
 */
#ifndef BROKER_BRIDGE_PLAN_H
#define BROKER_BRIDGE_PLAN_H

#include "state.h"

struct bridges_plan;

/* As bridges_prepare(); @started: the buses that are opened begin at once. */
int plan_prepare(struct bridges *all, const struct bus_configs *configs, bool started,
                 struct bridges_plan **ret_plan);
/* All that @bridge hosts is gone. */
void bridge_free(struct bridge *bridge);

#endif
