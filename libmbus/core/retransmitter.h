/*
 * retransmitter.h - reliable messages on their way: which wait, which are in flight, and when to
 * repeat them (section 7).
 *
 * Each peer has a queue: messages to it go out in order, at most `in_flight_max` of them in flight.
 * A message is sent at 0, T_r and 3 T_r and has failed at 6 T_r (errata.md, 47), always as the same
 * datagram. The module keeps the books; the engine formats, sends and reports.
 */
#ifndef MBUS_CORE_RETRANSMITTER_H
#define MBUS_CORE_RETRANSMITTER_H

#include "bytes.h"
#include "deadline.h"

struct entity;
struct send_queue;

struct delivery {
        struct deadline deadline;
        struct entity *entity; /* the sender */
        struct send_queue *queue;
        uint64_t ticket;
        uint32_t seq;        /* once it is in flight */
        unsigned n_sent;     /* transmissions; 0: it waits */
        struct buffer bytes; /* the payload while it waits, then the datagram */
        struct delivery *next_hashed;
        struct delivery *previous; /* in the queue: waiting or in flight */
        struct delivery *next;
};

struct send_queue {
        struct delivery *waiting; /* oldest first */
        struct delivery *waiting_end;
        struct delivery *in_flight; /* oldest first */
        struct delivery *in_flight_end;
        size_t n_in_flight;
};

#define SEND_QUEUE_INIT ((struct send_queue){ NULL, NULL, NULL, NULL, 0 })

struct retransmitter {
        uint64_t t_r; /* ns */
        unsigned n_r;
        size_t in_flight_max;
        struct deadlines deadlines;
        struct delivery **buckets; /* in flight, by entity and SeqNum */
        size_t n_buckets;
        size_t n_in_flight;
        size_t n;     /* all of them */
        size_t bytes; /* that their copies take */
        size_t bytes_max;
};

/* Nothing is queued when all copies would take more than @bytes_max; what a datagram is larger than
 * its payload comes on top for those that were queued by then. */
void retransmitter_init(struct retransmitter *rt, uint64_t t_r, unsigned n_r, size_t in_flight_max,
                        size_t bytes_max);
/* All messages must have been removed. */
void retransmitter_deinit(struct retransmitter *rt);

/* Queues a message, with a copy of @payload. 0, MBUS_E_FULL or -ENOMEM. */
int retransmitter_add(struct retransmitter *rt, struct send_queue *queue, struct entity *entity,
                      uint64_t ticket, struct span payload, struct delivery **ret_delivery);
/* The first that waits and may be sent now, or NULL. */
struct delivery *retransmitter_next(const struct retransmitter *rt, const struct send_queue *queue);
/* @delivery was sent for the first time, with @seq, as @datagram, of which a copy is kept; the
 * payload is dropped. 0 or -ENOMEM: it is not in flight then. */
int retransmitter_launch(struct retransmitter *rt, struct delivery *delivery, uint64_t now,
                         uint32_t seq, struct span datagram);
/* A message whose timer expired by @now, or NULL. It is to be sent again and
 * retransmitter_repeated() called, or removed if retransmitter_is_lost(). */
struct delivery *retransmitter_due(struct retransmitter *rt, uint64_t now);
bool retransmitter_is_lost(const struct retransmitter *rt, const struct delivery *delivery);
void retransmitter_repeated(struct retransmitter *rt, struct delivery *delivery, uint64_t now);
/* What @entity sent as @seq, if it is in flight. */
struct delivery *retransmitter_find(const struct retransmitter *rt, const struct entity *entity,
                                    uint32_t seq);
/* Takes @delivery out and frees it. */
void retransmitter_remove(struct retransmitter *rt, struct delivery *delivery);
/* The oldest message of @queue, or NULL. */
struct delivery *send_queue_oldest(const struct send_queue *queue);

/* Octets of memory. */
size_t retransmitter_bytes(const struct retransmitter *rt);

#endif
