/*
 * pending.h - reliable messages of one entity whose end is not known yet.
 *
 * They stand in a ring in the order of their keys, so one is found by halving. What is finished stays where it is
 * until all before it are.
 *
 * Invariants: `size` is a power of two or 0; tail - head <= size; keys between head and tail rise, but in a ring
 * that waits_find_seq() is for; one that is not finished has either a target or a name.
 */
#ifndef BROKER_SESSIONS_PENDING_H
#define BROKER_SESSIONS_PENDING_H

#include <core/bytes.h>
#include <core/deadline.h>
#include <core/list.h>

struct local_entity;

/* The address of a remote entity, kept as long as an acknowledgement from it is waited for. */
struct name {
        unsigned refs;
        size_t n;
        char text[];
};

/* A reliable message whose end is not known yet. */
struct wait {
        uint64_t key; /* rises within a ring: the SeqNum without its wrap, or the engine's ticket */
        uint64_t deadline;
        struct local_entity *target; /* NULL: it is a remote one, or finished */
        struct name *name;           /* of a remote entity; NULL: it is a local one, or finished */
        uint32_t seq;
        uint32_t bytes; /* that are kept until a bus acknowledges it */
};

struct waits {
        struct wait *ring;
        uint32_t size;
        uint64_t head;
        uint64_t tail;
};

/* All of one entity. */
struct pending {
        struct deadline deadline; /* of the oldest to a local entity */
        struct waits local;       /* to local entities */
        struct waits late; /* ... in the order in which they were passed on, after they waited */
        struct waits remote;
        uint64_t last_key; /* of the last in `local` */
        struct list_node node;
        bool is_waiting;    /* for a local entity, and so in sessions.senders */
        size_t n_waited_on; /* waits of others that this entity is to acknowledge */
};

#define PENDING_INIT ((struct pending){ .deadline = DEADLINE_INIT })

struct name *name_new(struct span text);
struct name *name_ref(struct name *name);
/* Takes NULL, returns NULL. */
struct name *name_unref(struct name *name);

/* What stands at @position, from head to tail - 1. */
static inline struct wait *waits_at(const struct waits *ws, uint64_t position)
{
        return &ws->ring[position & (ws->size - 1)];
}

static inline bool wait_is_finished(const struct wait *w)
{
        return !w->target && !w->name;
}

/* Room for one more. 0, MBUS_E_FULL or -ENOMEM. */
int waits_reserve(struct waits *ws);
/* Appends @w, for which waits_reserve() made room. */
void waits_push(struct waits *ws, const struct wait *w);
/* The wait with @key, or with @seq where they are in no order; NULL: there is none, or it is finished. */
struct wait *waits_find(const struct waits *ws, uint64_t key);
struct wait *waits_find_seq(const struct waits *ws, uint32_t seq);
/* Forgets what is finished at the front, and memory that a burst needed. */
void waits_trim(struct waits *ws);

static inline bool waits_is_empty(const struct waits *ws)
{
        return ws->head == ws->tail;
}

#endif
