/*
 * pending.h - pending acknowledgements: reliable messages of one entity whose end is not known yet.
 *
 * They stand in a ring in the order of their keys, so one is found by halving. What is finished
 * stays where it is until all before it are.
 *
 * Invariants: `size` is a power of two or 0; tail - head <= size; in the order from head to tail
 * keys rise, but in a ring that ack_ring_find_seq() is for, and deadlines never fall. One that is
 * not finished has either a target or the address of a remote entity, and what has ended never
 * begins again: so each ends exactly once.
 */
#ifndef BROKER_SESSIONS_PENDING_H
#define BROKER_SESSIONS_PENDING_H

#include <assert.h>

#include <core/bytes.h>
#include <core/deadline.h>
#include <core/list.h>

struct local_entity;

/* The address of a remote entity, kept as long as an acknowledgement from it is waited for. */
struct remote_address {
        unsigned refs;
        size_t n;
        char text[];
};

/* A reliable message whose end is not known yet. */
struct pending_ack {
        uint64_t key; /* rises within a ring: the SeqNum without its wrap, or the engine's ticket */
        uint64_t deadline;
        struct local_entity *target;   /* NULL: it is a remote one, or finished */
        struct remote_address *remote; /* NULL: it is a local one, or finished */
        uint32_t seq;
        uint32_t bytes; /* that are kept until a bus acknowledges it */
};

struct ack_ring {
        struct pending_ack *slots;
        uint32_t size;
        uint64_t head;
        uint64_t tail;
};

/*
 * All of one entity.
 *
 * Invariants: is_waiting says that `local` or `late` holds something, and then `deadline` is set,
 * to no later than what of that ends first. n_owed is how many in rings of all entities have this
 * one as their target.
 */
struct pending {
        struct deadline deadline;
        struct ack_ring local; /* to local entities */
        struct ack_ring late;  /* the same, as they were passed on after they waited (patience.h) */
        struct ack_ring remote;
        uint64_t last_key;     /* of the last in `local` */
        struct list_node node; /* of sessions.senders, while is_waiting */
        bool is_waiting;
        size_t n_owed; /* acknowledgements that it owes others */
};

#define PENDING_INIT ((struct pending){ .deadline = DEADLINE_INIT })

struct remote_address *remote_address_new(struct span text);
struct remote_address *remote_address_ref(struct remote_address *remote);
/* Takes NULL, returns NULL. */
struct remote_address *remote_address_unref(struct remote_address *remote);

/* What stands at @position, from head to tail - 1. */
static inline struct pending_ack *ack_ring_at(const struct ack_ring *ring, uint64_t position)
{
        return &ring->slots[position & (ring->size - 1)];
}

static inline bool pending_ack_is_finished(const struct pending_ack *ack)
{
        return !ack->target && !ack->remote;
}

static inline bool ack_ring_is_empty(const struct ack_ring *ring)
{
        return ring->head == ring->tail;
}

/* What was entered last; the ring is not empty. */
static inline struct pending_ack *ack_ring_last(const struct ack_ring *ring)
{
        return ack_ring_at(ring, ring->tail - 1);
}

/* Room for one more. 0, MBUS_E_FULL or -ENOMEM. */
int ack_ring_reserve(struct ack_ring *ring);
/* Appends @ack, for which ack_ring_reserve() made room. */
static inline void ack_ring_push(struct ack_ring *ring, const struct pending_ack *ack)
{
        assert(ring->tail - ring->head < ring->size);
        assert(!ack->target != !ack->remote);
        /* All have the same time, T_k of the RFC (section 7), or none: who began first ends
         * first. */
        assert(ack_ring_is_empty(ring) || ack_ring_last(ring)->deadline <= ack->deadline);
        *ack_ring_at(ring, ring->tail++) = *ack;
}
/* The one with @key, or with @seq where they are in no order; NULL: there is none, or it is
 * finished. */
struct pending_ack *ack_ring_find(const struct ack_ring *ring, uint64_t key);
struct pending_ack *ack_ring_find_seq(const struct ack_ring *ring, uint32_t seq);
/* Forgets what is finished at the front, and memory that a burst needed. */
void ack_ring_trim(struct ack_ring *ring);
/* Forgets all, which are finished. */
void ack_ring_deinit(struct ack_ring *ring);

#endif
