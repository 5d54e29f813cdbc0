/*
 * events.h - what the engine has to tell its owner, in order, within limits.
 *
 * The queue is bounded in events and octets of memory (EVENTS_MAX, EVENTS_BYTES_MAX). When it is
 * full the oldest unreliable message in it is dropped for a newer one and counted; a reliable
 * message that finds no room is not accepted, so that its sender learns of it. Other events have as
 * much room again, so that peers who come and go without end find the queue full, too. The ends of
 * tickets and of peers are bounded by what they are about, and always kept: their node is reserved
 * when the ticket is given or the peer joins.
 */
#ifndef MBUS_CORE_EVENTS_H
#define MBUS_CORE_EVENTS_H

#include "message.h"

struct entity;

enum event_type {
        EVENT_MESSAGE,   /* message for each of recipients */
        EVENT_DELIVERED, /* ticket of entity was acknowledged */
        EVENT_FAILED,    /* ticket of entity was not: reason */
        EVENT_JOINED,    /* a remote entity became known: address */
        EVENT_LEFT,      /* a remote entity left: address, reason */
        EVENT_OBSERVED,  /* a message passed: see engine_observe() */
        EVENT_CONFLICT,  /* somebody else uses the address of entity */
        EVENT_DROPPED,   /* count messages were lost here for `drop` */
};

struct event {
        enum event_type type;
        struct entity *entity;
        struct message *message;    /* a reference that the event holds */
        struct entity **recipients; /* owned */
        size_t n_recipients;
        struct address *address; /* owned */
        uint64_t ticket;
        enum mbus_reason reason;
        enum mbus_drop drop;
        uint64_t count;
        uint64_t round_trip; /* EVENT_DELIVERED: ns */
        struct event *next;  /* for the queue */
};

/* Frees what @event holds, not @event. */
void event_deinit(struct event *event);

/*
 * A list of events, oldest first. `last` is where the next one is linked to: &first, or the `next`
 * of the newest. `n`, `bytes` and n_unreliable are of all in it; so many of the spare nodes are
 * reserved as tickets have not ended and peers have not left.
 */
struct events {
        struct event *first;
        struct event **last;
        size_t n;
        size_t bytes;
        size_t max;
        size_t bytes_max;
        struct event *spare; /* reserved nodes */
        size_t n_unreliable; /* unreliable and observed messages among them: what may be dropped */
        uint64_t n_dropped;  /* not reported yet */
        uint64_t n_lost;     /* before they came here (MBUS_DROP_SOCKET), not reported yet */
};

void events_init(struct events *es, size_t max, size_t bytes_max);
void events_deinit(struct events *es);
/* Appends @event and takes over all it holds, also on failure. 0, MBUS_E_FULL or -ENOMEM. */
int events_push(struct events *es, const struct event *event);
/* Sets a node aside for one events_push_reserved(). 0 or -ENOMEM. */
int events_reserve(struct events *es);
/* Gives a node back that was not needed. */
void events_release(struct events *es);
/* Appends @event, which is no message, to a reserved node: cannot fail. */
void events_push_reserved(struct events *es, const struct event *event);
/* The oldest event, which the caller then owns; a report of drops comes first. */
bool events_pop(struct events *es, struct event *ret_event);
/* Forgets all that is about @entity, which goes away. */
void events_forget(struct events *es, const struct entity *entity);
/* Octets of memory, of messages that others hold, too, as well. */
size_t events_memory(const struct events *es);

#endif
