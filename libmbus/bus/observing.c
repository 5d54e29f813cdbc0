/*
 * observing.c - see observing.h.
 */
#include "observing.h"

#include <assert.h>

void observing_begun(struct observing *o, struct event_queue *events)
{
        if (o->announced)
                return;
        o->announced = true;
        event_queue_push(events, &(struct mbus_event){ .type = MBUS_EVENT_OBSERVING }, NULL);
}

void observing_ended(struct observing *o, struct event_queue *events, enum mbus_reason reason,
                     struct span why)
{
        struct mbus_event event = { .type = MBUS_EVENT_UNOBSERVED, .reason = reason };

        assert(reason != MBUS_REASON_NONE);
        if (o->on) {
                event.why = why_string(why);
                event_queue_push(events, &event, NULL);
        }
        o->on = false;
}
