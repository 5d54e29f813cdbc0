/*
 * peers.h - the other entities: who is known, since when, and who left (section 8).
 *
 * Known peers are in one index; those that left stay in a second one for a while, as tombstones, so
 * that their late and replayed messages do not bring them back (spec/errata.md, 9). Both are
 * bounded: PEERS_MAX, TOMBSTONES_MAX.
 */
#ifndef MBUS_CORE_PEERS_H
#define MBUS_CORE_PEERS_H

#include "acks.h"
#include "deadline.h"
#include "index.h"
#include "list.h"
#include "outgoing.h"
#include "retransmitter.h"
#include "replay-window.h"

/*
 * Somebody else on the bus. It is known: in peers.known, with a deadline. Or it has departed: a
 * tombstone, in peers.departed and the list of tombstones, without deadline, messages,
 * acknowledgements or memory for time stamps; but with its replay window, for which it is there.
 * From known to departed it comes by mbus.bye (AWR-07), silence (AWR-06) or an owner that forgets
 * it, and back by a message that is newer than all before.
 */
struct peer {
        struct deadline deadline; /* of its silence */
        struct index_entry entry;
        struct replay_window window;
        struct endpoint endpoint; /* where it last sent from */
        struct send_queue queue;  /* reliable messages to it */
        struct acks *acks;        /* acknowledgements for it, a list for each entity of ours */
        uint64_t joined;
        uint64_t heard;
        uint64_t hello;        /* when its last hello came; 0: none yet */
        uint64_t hello_gap;    /* the largest gap between hellos lately (spec/errata.md, 7) */
        bool legacy;           /* has no proper id element */
        bool departed;         /* a tombstone */
        struct list_node node; /* in peers.tombstones */
};

/* All of one engine. As many deadlines are reserved as peers are known. */
struct peers {
        struct index known;
        struct index departed;
        struct deadlines deadlines;
        struct list tombstones; /* oldest first */
        size_t max;
        size_t n_at_reset; /* entities when all deadlines were last computed anew */
        size_t n_stamped;  /* peers whose window has room for all time stamps */
        bool brisk;        /* who says hello every second is missed at once (errata.md, 7) */
        unsigned n_whole;  /* messages in a row, of all peers, without a gap before them */
        bool lossy;        /* fewer than LOSSLESS_MESSAGES since the last gap */
};

void peers_init(struct peers *ps, uint64_t seed, size_t max);
/* Frees all; their queues and acks must be empty. */
void peers_deinit(struct peers *ps);

struct peer *peers_find(const struct peers *ps, const struct address *address);
struct peer *peers_find_departed(const struct peers *ps, const struct address *address);
/* Makes a peer known. 0, MBUS_E_FULL or -ENOMEM. */
int peers_join(struct peers *ps, uint64_t now, const struct address *address, size_t entities,
               struct peer **ret_peer);
/* A tombstone lives again, with its window. Errors as above. */
int peers_revive(struct peers *ps, uint64_t now, struct peer *peer, size_t entities);
/* What the window of @peer called new or a restart is remembered there. */
void peers_accept(struct peers *ps, struct peer *peer, uint32_t seq, uint64_t timestamp,
                  enum window_verdict verdict);
/* A message came from @peer. */
void peers_heard(struct peers *ps, struct peer *peer, uint64_t now, const struct endpoint *from,
                 bool hello);
/* A peer leaves and becomes a tombstone, if memory allows; its queue and acks must be empty.
 * Returns its address, which the caller then owns. */
struct address *peers_leave(struct peers *ps, uint64_t now, struct peer *peer);

/* An entity of our own leaves, which sent what @sent knows: a tombstone, if memory allows. */
void peers_bury(struct peers *ps, uint64_t now, const struct address *address,
                const struct replay_window *sent);

/* A message came from some peer; @gap: messages of it before this one did not. */
void peers_watch_loss(struct peers *ps, bool gap);
/* When @peer is taken for dead if it stays silent, in a bus of @entities. */
uint64_t peers_deadline(const struct peers *ps, const struct peer *peer, size_t entities);
/* A peer whose silence is too long by now, or NULL; call until NULL. */
struct peer *peers_due(struct peers *ps, uint64_t now, size_t entities);
/* The bus has become smaller: deadlines come nearer. */
void peers_shrink(struct peers *ps, size_t entities);
/* Forgets the tombstones whose time is over. */
void peers_forget_old(struct peers *ps, uint64_t now);
/* Octets of memory, acknowledgements included. */
size_t peers_bytes(const struct peers *ps);

static inline struct peer *peer_of_entry(struct index_entry *entry)
{
        return container_of(entry, struct peer, entry);
}

static inline struct peer *peer_of_queue(struct send_queue *queue)
{
        return container_of(queue, struct peer, queue);
}

#endif
