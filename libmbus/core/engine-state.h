/*
 * engine-state.h - what the files of the engine share. Nobody else includes it.
 *
 *      engine.c          entities, time, and what the owner asks
 *      engine-receive.c  a datagram comes in
 *      engine-send.c     messages go out
 *      engine-search.c   reliable ones wait until their destination is known
 */
#ifndef MBUS_CORE_ENGINE_STATE_H
#define MBUS_CORE_ENGINE_STATE_H

#include "engine.h"
#include "filter.h"
#include "hello.h"
#include "peers.h"
#include "random.h"
#include "seal.h"
#include "search.h"

struct entity {
        struct deadline deadline; /* of its hello; first member */
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
        return entry ? (struct entity *)(void *)((char *)entry - offsetof(struct entity, entry))
                     : NULL;
}

static inline size_t engine_n_all(const struct engine *e)
{
        return e->locals.n + e->peers.known.n;
}

/* How many entities the hello interval is for. */
size_t hello_entities(const struct engine *e);

/* What there is to say in one message. */
struct outbound {
        struct entity *from;
        const struct address *dest;
        bool reliable;
        const uint32_t *acks;
        size_t n_acks;
        struct span payload;
};

/*
 * Formats and seals @out with the next SeqNum of its entity, leaving message and datagram in e->text
 * and e->sealed. 0, MBUS_E_TOO_LARGE or -ENOMEM. The SeqNum is used up by outbound_sent().
 */
int outbound_seal(struct engine *e, uint64_t wall_ms, const struct outbound *out);
/* What outbound_seal() made goes out: the SeqNum is used up, observers see it. */
void outbound_sent(struct engine *e, uint64_t wall_ms, const struct outbound *out);
/* Observers see @message, whose reference is taken over, if it passes; or the loss is counted. */
void push_observed(struct engine *e, struct message *message);
/* Seals, queues and books @out. As outbound_seal(), and MBUS_E_FULL. */
int outbound_send(struct engine *e, uint64_t wall_ms, const struct outbound *out);
/* mbus.hello or mbus.bye to everybody; what cannot be queued is counted. */
void say_to_all(struct engine *e, uint64_t wall_ms, struct entity *from, const char *command);
/* Sends the acknowledgements that are owed. */
void flush_acks(struct engine *e, uint64_t now, uint64_t wall_ms);
void owe_ack(struct engine *e, struct acks *acks, uint32_t seq);
void mark_acks_due(struct engine *e, struct acks *acks);
void drop_acks(struct engine *e, struct acks *acks);
/* Sends what may go now of a peer's line. */
void pump_queue(struct engine *e, uint64_t now, uint64_t wall_ms, struct send_queue *queue);
void repeat_deliveries(struct engine *e, uint64_t now, uint64_t wall_ms);
/* Ends a ticket with its event. */
void finish_delivery(struct engine *e, struct delivery *delivery, enum mbus_reason reason);
/* Sends what is to be acknowledged to @local or, if that is NULL, to the peer with the address that
 * @out has as its destination; an event is reserved. As engine_send_reliable(). */
int send_reliable_to(struct engine *e, uint64_t now, uint64_t wall_ms, const struct outbound *out,
                     struct entity *local, uint64_t ticket);

/* ---- engine-search.c ---- */

void init_searches(struct engine *e);
void free_searches(struct engine *e);
/* Whether a reliable message to @dest waits, which @n entities are known to match (0, 1, 2 for more), the
 * one being @address. */
bool must_search(struct engine *e, uint64_t now, const struct address *dest, unsigned n,
                 const struct address *address);
/* It does, with an event reserved for its @ticket. 0, MBUS_E_FULL or -ENOMEM. */
int await_destination(struct engine *e, uint64_t now, const struct outbound *out, uint64_t ticket);
/* Asks, sends what may go, gives up. */
void tick_searches(struct engine *e, uint64_t now, uint64_t wall_ms);
/* @entity goes away, and what it wanted to send, without an event. */
void forget_waiting(struct engine *e, const struct entity *entity);
/* The same with an event. */
void fail_waiting(struct engine *e, const struct entity *entity, enum mbus_reason reason);

/* A peer is gone: its tickets fail, observers of peers learn it. */
void leave_peer(struct engine *e, uint64_t now, struct peer *peer, enum mbus_reason reason);
/* The local entities that @dest matches, but for @except; NULL with *@ret_n 0 for none. -ENOMEM. */
int match_locals(const struct engine *e, const struct address *dest, const struct entity *except,
                 struct entity ***ret_entities, size_t *ret_n);

#endif
