/*
 * retransmitter.h - reliable messages on their way: who waits, who is in flight, when to repeat (section 7).
 *
 * Each peer has a lane: messages to it stand in line and go out in order, at most `window` of them
 * in flight. A message is sent at 0, T_r and 3 T_r and has failed at 6 T_r (errata.md, 47), always
 * as the same datagram. The module keeps the books; the engine formats, sends and reports.
 */
#ifndef MBUS_CORE_RETRANSMITTER_H
#define MBUS_CORE_RETRANSMITTER_H

#include "bytes.h"
#include "deadline.h"

struct entity;
struct lane;

struct reliable {
        struct deadline deadline;
        struct entity *entity; /* the sender */
        struct lane *lane;
        uint64_t ticket;
        uint32_t seq;        /* once it is in flight */
        unsigned n_sent;     /* transmissions; 0: in line */
        struct buffer bytes; /* the payload while in line, then the datagram */
        struct reliable *next_hashed;
        struct reliable *previous; /* in the lane: in line or in flight */
        struct reliable *next;
};

struct lane {
        struct reliable *line; /* in line, oldest first */
        struct reliable *line_end;
        struct reliable *flying; /* in flight, oldest first */
        struct reliable *flying_end;
        size_t n_flying;
};

#define LANE_INIT ((struct lane){ NULL, NULL, NULL, NULL, 0 })

struct sender {
        uint64_t t_r; /* ns */
        unsigned n_r;
        size_t window;
        struct deadlines deadlines;
        struct reliable **buckets; /* in flight, by entity and SeqNum */
        size_t n_buckets;
        size_t n_flying;
        size_t n;     /* all of them */
        size_t bytes; /* that their copies take */
        size_t bytes_max;
};

/* Nothing is put in line when all copies would take more than @bytes_max; what a datagram is larger than
 * its payload comes on top for those that stood in line by then. */
void sender_init(struct sender *s, uint64_t t_r, unsigned n_r, size_t window, size_t bytes_max);
/* All messages must have been removed. */
void sender_deinit(struct sender *s);

/* Puts a message in line, with a copy of @payload. 0, MBUS_E_FULL or -ENOMEM. */
int sender_add(struct sender *s, struct lane *lane, struct entity *entity, uint64_t ticket,
               struct span payload, struct reliable **ret_reliable);
/* The first in line that may be sent now, or NULL. */
struct reliable *sender_next(const struct sender *s, const struct lane *lane);
/* @r was sent for the first time, with @seq, as @datagram, of which a copy is kept; the payload is
 * dropped. 0 or -ENOMEM: it is not in flight then. */
int sender_launch(struct sender *s, struct reliable *r, uint64_t now, uint32_t seq,
                  struct span datagram);
/* A message whose timer expired by @now, or NULL. It is to be sent again and sender_repeated()
 * called, or removed if sender_is_lost(). */
struct reliable *sender_due(struct sender *s, uint64_t now);
bool sender_is_lost(const struct sender *s, const struct reliable *r);
void sender_repeated(struct sender *s, struct reliable *r, uint64_t now);
/* What @entity sent as @seq, if it is in flight. */
struct reliable *sender_find(const struct sender *s, const struct entity *entity, uint32_t seq);
/* Takes @r out and frees it. */
void sender_remove(struct sender *s, struct reliable *r);
/* The oldest message of @lane, or NULL. */
struct reliable *lane_oldest(const struct lane *lane);

/* Octets of memory. */
size_t sender_bytes(const struct sender *s);

#endif
