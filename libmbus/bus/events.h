/*
 * events.h - the events that wait for the application.
 *
 * A ring that grows. In direct and mem mode the bounded queue is the engine's, and this one holds
 * only what the last event of it became; in link mode messages wait here, and the link is not read
 * while too many do.
 *
 * Invariant: n + promised <= size, so that what was promised can always be queued: an event that
 * ends a ticket, or that the link is lost, needs no memory when it comes. A promise is redeemed
 * right before its push.
 */
#ifndef MBUS_BUS_EVENTS_H
#define MBUS_BUS_EVENTS_H

#include <assert.h>

#include <api/api.h>
#include <core/message.h>

struct mbus_entity;

struct queued {
        struct mbus_event event; /* its message is a reference that is held, its `why` owned */
        char *text;              /* owned: what event.address is */
};

struct event_queue {
        struct queued *ring;
        size_t head;
        size_t n;
        size_t size; /* a power of two */
        size_t bytes;
        size_t promised; /* room that is kept for events that must not be lost */
        uint64_t time;   /* that messages came at: of the last mbus_bus_process() */
        int failure;     /* 0, or what could not be told otherwise: mbus_bus_process() says it */
};

void event_queue_deinit(struct event_queue *q);
/* Makes room for @n events, so that as many event_queue_push() cannot fail. */
int event_queue_reserve(struct event_queue *q, size_t n);
/* Keeps room for one event until event_queue_redeem(), behind which one event_queue_push()
 * cannot fail. 0 or -ENOMEM. */
int event_queue_promise(struct event_queue *q);
static inline void event_queue_redeem(struct event_queue *q)
{
        assert(q->promised > 0);
        q->promised--;
}
/* Appends @event; takes over its message's reference and @text (may be NULL), also on failure,
 * which q->failure remembers. */
void event_queue_push(struct event_queue *q, const struct mbus_event *event, char *text);
/* Queues @message for @entity, as MESSAGE or QUIT, if it has something for an application. Takes a
 * reference of its own. 0 or -ENOMEM. */
int event_queue_message(struct event_queue *q, struct mbus_entity *entity, struct message *message);
/* Queues what becomes MBUS_EVENT_OBSERVED. Takes a reference of its own. 0 or -ENOMEM. */
int event_queue_observed(struct event_queue *q, struct message *message);
/* MBUS_EVENT_NETWORK. */
void event_queue_network(struct event_queue *q, enum mbus_network network, struct span why);
/* Whatever is queued about @entity is not told any more. */
void event_queue_forget(struct event_queue *q, const struct mbus_entity *entity);
/* Lets go of what was forgotten before the first event that is to be told. */
const struct queued *event_queue_skip(struct event_queue *q);
/* The first event that is to be told, or NULL. */
static inline const struct queued *event_queue_first(struct event_queue *q)
{
        if (q->n > 0 && q->ring[q->head].event.type != MBUS_EVENT_MAX)
                return &q->ring[q->head];
        return event_queue_skip(q);
}
/* Takes that one out; it is the caller's to free. */
void event_queue_pop(struct event_queue *q, struct queued *ret_item);

void queued_deinit(struct queued *item);
/* What becomes the `why` of an event: the beginning of @why, at most WHY_MAX octets, to be
 * freed. NULL if it is empty, or memory is short: an event is worth more than its explanation. */
char *why_string(struct span why);

#endif
