/*
 * observing.h - what mbus_bus_observe() asked for.
 */
#ifndef MBUS_BUS_OBSERVING_H
#define MBUS_BUS_OBSERVING_H

#include <core/filter.h>

#include "events.h"

struct observing {
        bool on;
        bool hello;
        bool announced;         /* MBUS_EVENT_OBSERVING was given */
        struct filter *filters; /* NULL: all */
};

/* It is granted, which is told once. */
void observing_begun(struct observing *o, struct event_queue *events);
/* It is not, or it ends. */
void observing_ended(struct observing *o, struct event_queue *events, enum mbus_reason reason,
                     struct span why);

#endif
