/*
 * queue.h - what waits for one client: slices of chunks, in order, within limits.
 *
 * A slice is a row of whole frames that stand behind each other in one chunk, so that a burst to
 * one client is one slice and one iovec however many messages it holds. Each frame begins with its
 * length; that is how a single message is found again when it must be dropped.
 *
 * How much it may hold is for accounts/quota.h to say. When it is full the oldest message that may
 * be dropped makes room: a monitor's copy first, then an unreliable message. A reliable one is
 * refused, and its sender told. Answers and acknowledgements are kept beyond the limit, up to
 * QUEUE_ANSWERS_FACTOR times.
 *
 * What is lost of a kind is always what stood right before the first message of that kind that is
 * left, or before the next one to come. So a count for each kind is enough to tell the client of a
 * loss where it is: when that message is about to be written. (Where memory is short a newcomer is
 * lost behind others, and told of too early.)
 *
 * Memory: a slice of 200 octets would keep 256 KiB alive, and a client that does not read could so
 * hold gigabytes with the 8 MiB it is allowed. Therefore queue_compact() is called when its socket
 * takes no more and CHUNKS_HELD_MAX are in use: what is less than half of a chunk moves into a
 * chunk of the client's own. It looks at a slice once, and again when as much was dropped as the
 * queue holds: what was more than half of a chunk may be little by then. A queue so costs no more
 * than about four times what it holds, but for a few chunks that all share, while clients that keep
 * up, or are behind for a moment, have nothing copied.
 */
#ifndef BROKER_NET_QUEUE_H
#define BROKER_NET_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <core/bytes.h>

#include <broker/base/base.h>
#include <broker/accounts/accounts.h>

enum kind {
        KIND_ANSWER,     /* answers, acknowledgements, joined and left */
        KIND_RELIABLE,   /* reliable messages */
        KIND_UNRELIABLE, /* may be dropped */
        KIND_COPY,       /* a monitor's copy: dropped before all others */
        KIND_MAX,
};

struct slice {
        struct chunk *chunk; /* NULL: all of it was dropped */
        uint32_t at;
        uint32_t end;
        uint32_t n;   /* frames */
        uint8_t kind; /* KIND_ANSWER stands for KIND_RELIABLE, too: both stay */
        bool partial; /* one frame, whose first octets are written already */
};

/*
 * Invariants, whenever no function of it is running:
 *
 *  - The ring has a free slot beyond those in use, in which queue_pop() splits the slice in front
 *    and queue_insert() puts another one there. It may be taken only if the first slice is partial:
 *    that one is split no more. No other slice is partial.
 *  - A slice with a chunk has frames, one behind the other from `at` to `end`; one without has
 *    none.
 *  - n, n_messages and bytes are the sums of what the slices have, and what the user is charged
 *    with; n[KIND_RELIABLE] is 0. The queue is one of the user's backlogs exactly if n_messages is
 *    not 0.
 *  - What counts as dropped is of KIND_UNRELIABLE or KIND_COPY, and was lost before the first slice
 *    of the kind. So no slice of it is written before that was told.
 *  - `compacted` is let go when nothing waits any more.
 */
struct queue {
        struct slice *slices; /* a ring; size is a power of two or 0 */
        size_t size;
        uint64_t head; /* positions, of which the ring shows those from head to tail - 1 */
        uint64_t tail;
        uint64_t settled;     /* slices before are not looked at by queue_compact() again ... */
        size_t bytes_dropped; /* ... until more than they hold was dropped from among them */
        uint64_t oldest[KIND_MAX]; /* no slice of the kind stands before */
        size_t n[KIND_MAX];        /* messages */
        size_t n_messages;
        size_t bytes;
        struct quota_user *user;      /* whom it is charged to */
        struct chunk *compacted;      /* messages that were copied, since it does not keep up */
        uint64_t n_dropped[KIND_MAX]; /* since they were last taken with queue_take_dropped() */
};

void queue_init(struct queue *q, struct quota_user *user);
void queue_deinit(struct queue *q);

static inline bool queue_is_empty(const struct queue *q)
{
        return q->n_messages == 0;
}

/*
 * Appends the frame of @n octets at @at in @chunk, a reference to which is taken. 0, also when the
 * frame or others were dropped for it; MBUS_E_FULL: there is no room for a reliable message, or not
 * even for an answer; -ENOMEM. A queue with nothing in it takes any frame.
 */
int queue_push(struct queue *q, struct chunk *chunk, size_t at, size_t n, enum kind kind);
/* The same for one that queue_check() has let pass. 0 or -ENOMEM. */
int queue_append(struct queue *q, struct chunk *chunk, size_t at, size_t n, enum kind kind);
/* Which limit keeps a frame of @n octets and @kind from being appended, if nothing is dropped. */
enum limit queue_check(const struct queue *q, size_t n, enum kind kind);
/* Fills @iov with what is to be written next, up to a gap, and returns how many. */
size_t queue_peek(const struct queue *q, struct iovec *iov, size_t size);
/* The first @n octets were written. */
void queue_pop(struct queue *q, size_t n);
/* Whether so much was dropped that what is left may hold on to much more memory than it is. */
static inline bool queue_is_sparse(const struct queue *q)
{
        return q->bytes_dropped > q->bytes + CHUNK_SIZE;
}
/* The client does not keep up: copies what would hold on to much more memory than it is. */
void queue_compact(struct queue *q);
/* The kind of which messages were dropped right before what is to be written next, or KIND_MAX.
 * They are to be taken with queue_take_dropped() then, and nothing is written before. */
enum kind queue_gap(const struct queue *q);
/* Puts @frame, which is an answer, there: in front of all that waits. The queue is at a gap, or
 * empty. It is let pass whatever the limits are, for there is one at a time. 0 or -ENOMEM. */
int queue_insert(struct queue *q, struct span frame);
/* How many messages of @kind, KIND_UNRELIABLE or KIND_COPY, were dropped since the last call. */
uint64_t queue_take_dropped(struct queue *q, enum kind kind);

#endif
