/*
 * engine-state.h - what an engine consists of, for the files of it and for tests that look inside.
 *
 * A file of the engine has one noun and stands on those above it:
 *
 *      engine-query     who is known; changes nothing
 *      engine-transmit  one message is numbered, sealed, queued, observed
 *      engine-local     messages stay among the entities of one engine
 *      engine-hello     entities say that they are there
 *      engine-acks      acknowledgements that we owe
 *      engine-delivery  reliable messages: in flight, repeated, ended
 *      engine-search    reliable ones that wait until their destination is known
 *      engine-presence  peers come and go
 *      engine-inbound   a message that came in is taken apart
 *      engine-conflict  somebody else has an address of ours
 *      engine-entities  entities are added, renamed, removed
 *      engine-send      what an entity sends
 *      engine-receive   what becomes of a datagram
 *      engine           what the owner calls, and time
 */
#ifndef MBUS_CORE_ENGINE_STATE_H
#define MBUS_CORE_ENGINE_STATE_H

#include "container.h"
#include "engine-options.h"
#include "events.h"
#include "filter.h"
#include "hello.h"
#include "index.h"
#include "outgoing.h"
#include "peers.h"
#include "random.h"
#include "retransmitter.h"
#include "search.h"

/*
 * An entity of ours. Its next message has `seq`, which `sent` has not accepted (MSG-03), and a
 * TimeStamp no earlier than stamp_min nor than that of any before it. n_waiting <= n_reliable: a
 * ticket first waits for its destination, then its message is in a send queue, then its end is an
 * event, and only when that is popped it no longer counts. A peer has a list of acknowledgements of
 * it for each of n_acks.
 */
struct entity {
        struct deadline deadline; /* of its hello */
        struct index_entry entry;
        struct hello hello;
        struct replay_window sent; /* our own messages, to tell their echo from another's */
        uint64_t since;            /* when it took its address */
        uint64_t stamp_min;        /* no message of it bears an earlier TimeStamp */
        uint32_t seq;              /* of the next message */
        size_t n_reliable;         /* tickets whose end was not popped */
        size_t n_waiting;          /* of these, those that wait for their destination */
        uint64_t waiting_until;    /* what the last of them was given */
        size_t n_acks;      /* lists of acknowledgements, one at each peer that sent reliably */
        bool keeps_address; /* its address is not to be changed: it is defended */
        bool is_defended;
        uint64_t defended;             /* when that was last */
        bool conflict;                 /* reported, and not renamed yet */
        uint64_t conflict_pause_until; /* it was renamed: no conflict is reported before ... */
        uint64_t conflict_pause;       /* ... which is so long after that */
        void *data;
};

/*
 * The entities are in `locals`, each with a deadline reserved in `hellos`; the peers in `peers`. No
 * address is in both. For each ticket that has not ended, and for each known peer, there is a node
 * reserved in `events`, so that their ends are never lost. Between two calls of the owner acks_due
 * and shrunk say that engine_tick() is due at once.
 */
struct engine {
        struct engine_options options;
        struct random random;
        struct index locals;
        struct peers peers;
        struct retransmitter retransmitter;
        struct searches searches;
        struct events events;
        struct outgoing outgoing;
        struct deadlines hellos;
        struct acks *acks_due;
        uint64_t patience;    /* ns; 0: nothing waits for its destination */
        uint64_t since;       /* when the first entity was added: hellos are heard from then on */
        uint64_t stamp_min;   /* of entities that are added: later than what those that left sent */
        struct buffer text;   /* of the message that is being sent */
        struct buffer sealed; /* and its datagram */
        char *scratch;        /* for decryption */
        size_t datagram_max;
        size_t too_large;   /* see engine_too_large() */
        size_t n_elsewhere; /* entities of the same process on other buses of DIALECT=UCL */
        uint64_t next_ticket;
        uint64_t dropped[MBUS_DROP_MAX];
        uint64_t n_heard;     /* messages with our key ... */
        uint64_t n_line_feed; /* ... of which so many end their first line as old programs do */
        bool all_known;       /* see engine_knows_all() */
        bool shrunk;          /* entities left since the last tick */
        bool observe;
        bool observe_hello;
        const struct filter *filters; /* of what is observed; NULL: all */
};

static inline struct entity *entity_of_entry(struct index_entry *entry)
{
        return container_of(entry, struct entity, entry);
}

/* All entities on the bus as far as they are known. */
static inline size_t engine_n_all(const struct engine *e)
{
        return e->locals.n + e->peers.known.n;
}

static inline void count_drop(struct engine *e, enum mbus_drop reason)
{
        ++e->dropped[reason];
}

#endif
