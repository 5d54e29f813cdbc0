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
#include "list.h"

struct entity;
struct send_queue;

/*
 * A reliable message on its way to one peer (section 7, "Sender"; REL-05).
 *
 * It waits as long as it was not sent: then n_sent is 0, `bytes` is its payload, and it has no
 * deadline. From its first transmission on it is in flight: then 1 <= n_sent <= N_r, `seq` is for
 * ever the SeqNum of that transmission (MSG-03), `bytes` is the datagram, and the deadline is when
 * it is sent again or, after N_r transmissions, given up. Only retransmitter_remove() ends it.
 */
struct delivery {
        struct deadline deadline;
        struct entity *entity; /* the sender */
        struct send_queue *queue;
        uint64_t ticket;
        uint32_t seq;        /* once it is in flight */
        unsigned n_sent;     /* transmissions; 0: it waits */
        uint64_t sent_at;    /* the first of them */
        uint64_t round_trip; /* from then to its acknowledgement, which ends it; else 0 */
        struct buffer bytes; /* the payload while it waits, then the datagram */
        struct delivery *next_hashed;
        struct list_node node; /* in the queue: waiting or in flight */
};

/*
 * The reliable messages to one peer, each in one of the two lists, and in both the oldest first.
 * What waits leaves in the order of the calls; what is in flight may end in any order.
 */
struct send_queue {
        struct list waiting;
        struct list in_flight;
        size_t n_in_flight;
};

#define SEND_QUEUE_INIT ((struct send_queue){ LIST_INIT, LIST_INIT, 0 })

static inline struct delivery *delivery_of_node(struct list_node *node)
{
        return container_of(node, struct delivery, node);
}

/*
 * All queues of one engine. `n` and `bytes` are of all deliveries, n_in_flight of those in the hash
 * table, which has at least as many buckets. Each delivery has reserved its deadline.
 */
struct retransmitter {
        uint64_t t_r; /* ns */
        unsigned n_r;
        size_t in_flight_max; /* of one queue */
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
