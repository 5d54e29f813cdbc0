/*
 * bus-events.h - what the events of the buses mean.
 */
#ifndef BROKER_BRIDGE_BUS_EVENTS_H
#define BROKER_BRIDGE_BUS_EVENTS_H

#include "state.h"

/* Lets the engine of @bus do what is due and deals with its events. Whether there were any. */
bool bus_events_process(struct bridges *all, struct bus *bus);
/* An entity that is no proxy has come on @bus, or is gone. */
void bus_events_joined(struct bridges *all, struct bus *bus, const struct address *address);
void bus_events_left(struct bridges *all, struct bus *bus, const struct address *address,
                     enum mbus_reason reason);

#endif
