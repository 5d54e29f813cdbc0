/*
 * acks.h - acknowledgements that we owe one peer, and those it got (section 7, "Receiver").
 *
 * One list for each pair of a local entity and a peer, on the peer. Owed SeqNums are gathered until
 * the engine's next tick, which is after the batch of datagrams that brought them and so well
 * within T_c. A list that was sent is kept for T_k; if one of its messages comes again, the whole
 * list goes again. With an owner that acknowledges (the broker), a SeqNum is withheld first.
 */
#ifndef MBUS_CORE_ACKS_H
#define MBUS_CORE_ACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"
#include "replay-window.h"

struct entity;
struct peer;

/* A list that was sent, T_k long: one of its messages that comes again calls for all of it
 * (REL-11). */
struct ack_copy {
        struct ack_copy *next;
        uint64_t until; /* when T_k is over */
        size_t n;
        uint32_t seqs[];
};

/*
 * What @entity owes @peer. A SeqNum that was accepted is first withheld, if the owner acknowledges;
 * then it is owed, once, until it was sent; then it is in the newest of the copies. No more is owed
 * than ACKS_MAX, and no more copies are kept than ACK_COPIES_MAX: who is not acknowledged repeats
 * itself.
 *
 * `due` says that it is in the engine's list of those that are, each once. It may be there and owe
 * nothing any more, when another message took what it owed with it (REL-10).
 */
struct acks {
        struct entity *entity; /* ours */
        struct peer *peer;
        struct acks *next;     /* of the same peer */
        struct acks *next_due; /* in the engine's list of those that owe something */
        bool due;
        struct replay_window_past before; /* the first message that was taken for the entity */
        uint32_t *owed;
        size_t n_owed;
        size_t owed_size;
        uint32_t *withheld;
        size_t n_withheld;
        size_t withheld_size;
        struct ack_copy *copies; /* newest first */
        size_t n_copies;
};

struct acks *acks_new(struct entity *entity, struct peer *peer);
struct acks *acks_free(struct acks *acks);

/* Owes @seq. False if that cannot be: ACKS_MAX are owed, or memory is short. */
bool acks_owe(struct acks *acks, uint32_t seq);
/* Holds @seq back until acks_release(). 0, -ENOMEM or MBUS_E_FULL. */
int acks_withhold(struct acks *acks, uint32_t seq);
/* Whether @seq was held back; it no longer is. */
bool acks_release(struct acks *acks, uint32_t seq);
/* A message came again: owes what was acknowledged together with it, unless it is withheld. */
void acks_repeat(struct acks *acks, uint64_t now, uint32_t seq);
/* How many of the owed, oldest first, the next message carries. */
size_t acks_batch(const struct acks *acks);
/* The oldest @n of the owed were sent: keeps a copy (if memory allows: it only saves the peer a
 * repetition). */
void acks_sent(struct acks *acks, uint64_t now, size_t n);
/* The peer started again: what was sent to its former life is not sent again. */
void acks_forget_copies(struct acks *acks);
/* Octets of memory that @acks takes. */
size_t acks_bytes(const struct acks *acks);

#endif
