/*
 * tickets.h - from the SeqNum of a question on a link to who asked.
 *
 * Each ticket ends exactly once: it is answered, or the link is lost, or the broker is silent; or
 * its entity goes away, and nobody is told. From when it is added until it is taken out, room for
 * the event that tells so is promised in the queue.
 */
#ifndef MBUS_LINK_TICKETS_H
#define MBUS_LINK_TICKETS_H

#include "entity.h"

/* A SeqNum that the broker, or somebody through it, will answer. */
struct ticket {
        struct link_entity *entity; /* NULL: the slot is free */
        uint64_t ticket;
        uint64_t sent_at;    /* for the application's */
        uint64_t round_trip; /* from then to the acknowledgement; else 0 */
        uint32_t seq;
        bool attach; /* the entity waits for its attachment, not the application for a ticket */
};

/*
 * Open addressing with linear probing; SeqNums are consecutive and so their own hash.
 *
 * Invariants: n <= size / 2. Along a run of used slots no entry stands before one whose home is
 * earlier, so whoever looks for one can stop at the first whose home is later, and removing moves
 * back what follows only until an entry is at its home.
 */
struct tickets {
        struct ticket *slots;
        size_t size; /* a power of two, or 0 */
        size_t n;
        size_t n_attaches; /* of them */
        struct event_queue *events;
};

/* Room for the event that ends it is promised until it is removed. 0 or -ENOMEM. */
int tickets_add(struct tickets *ts, const struct ticket *ticket);
/* Whom @seq is about, or NULL; valid until the next call. */
const struct ticket *tickets_find(const struct tickets *ts, uint32_t seq);
void tickets_remove(struct tickets *ts, uint32_t seq);
/* Takes one of @entity out, until there is none; begin with *@cursor = 0. */
bool tickets_take(struct tickets *ts, const struct link_entity *entity, size_t *cursor,
                  struct ticket *ret_ticket);
void tickets_forget(struct tickets *ts, const struct link_entity *entity);
/* Takes all out, in the order of the tickets; to be freed. */
struct ticket *tickets_drain(struct tickets *ts, size_t *ret_n);
void tickets_deinit(struct tickets *ts);

/* Tells the application that a ticket ends, which is not in the table any more; @why is what the
 * broker says of it. MBUS_REASON_NONE: delivered. */
void ticket_end(struct event_queue *events, const struct ticket *ticket, enum mbus_reason reason,
                struct span why);

#endif
