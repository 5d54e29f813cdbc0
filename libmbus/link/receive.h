/*
 * receive.h - frames come in: messages, acknowledgements, what the broker says.
 */
#ifndef MBUS_LINK_RECEIVE_H
#define MBUS_LINK_RECEIVE_H

#include "link.h"

/* While more than these wait for the application, nothing is read. */
static inline bool link_may_read(const struct link *l)
{
        const struct event_queue *events = link_events(l);

        return events->n < LINK_EVENTS_HIGH && events->bytes < LINK_EVENTS_BYTES_HIGH;
}

/* Reads and handles up to LINK_PROCESS_MAX frames. 0, or -errno if the link is of no use any
 * more. */
int link_read(struct link *l);

#endif
