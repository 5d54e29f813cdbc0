/*
 * link.h - a link to a broker (spec/attach.md), and what the files of link mode share.
 *
 * From the ground up, each calls those above it in this list:
 *
 *      pool, dedup, header-cache    memory for messages; what was taken lately; headers that
 *                                   came lately
 *      network                      what the broker says of the network
 *      tickets                      questions that wait for an answer
 *      output                       frames go out: numbered, gathered, written
 *      acks, ask                    acknowledgements that are owed; what the library asks the
 *                                   broker
 *      early                        messages that wait until their entity is attached
 *      send, flush                  messages go out; which ones the broker has not taken yet
 *      from-broker, receive         what the broker says to the library; frames come in
 *      silence                      a broker that says nothing ends tickets
 *      reconnect                    losing the link and getting it back
 *      mode                         the main loop, and what the application asks
 *      open                         a link is opened, over a connection of libmbus/transport
 */
#ifndef MBUS_LINK_H
#define MBUS_LINK_H

#include <bus/mode.h>
#include <core/frame.h>
#include <core/random.h>
#include <core/seal.h>

#include "dedup.h"
#include "entity.h"
#include "header-cache.h"
#include "network.h"
#include "pool.h"
#include <transport/transport.h>
#include "tickets.h"

/* Asked of the kernel in one piece. */
#define LINK_READ_SIZE (64u << 10)
/* Room for the largest frame behind a piece that was read. */
#define LINK_INPUT_SIZE (LINK_READ_SIZE + FRAME_HEADER_SIZE + FRAME_MAX)
/* Until a lost link is tried again for the first time. */
#define LINK_BACKOFF_MIN (50 * NSEC_PER_MSEC)
/* Sources that acknowledgements are gathered for at the same time. */
#define LINK_ACKS 16

/* What a datagram can carry without a cipher, until the broker says what its bus takes. */
#define MESSAGE_MAX (DATAGRAM_MAX - SEAL_OVERHEAD)

/* How far a conversation has come. */
struct progress {
        uint64_t messages; /* unreliable ones */
        uint64_t octets;   /* of all frames */
};

/* Acknowledgements that go out together. */
struct ack_group {
        struct link_entity *entity;
        struct message *from; /* a reference: its source is where the list goes */
        uint32_t seqs[ACKS_SENT_MAX];
        size_t n;
};

/* What was read. Invariant: at <= n <= LINK_INPUT_SIZE. */
struct link_input {
        char *octets;
        size_t at; /* where the first frame that is not handled begins */
        size_t n;
        bool more; /* whole frames may be in there, or more in the socket */
};

/* What is to be written. Invariant: at <= octets.n; what is behind that are whole frames, but
 * for the first. */
struct link_output {
        struct buffer octets;
        size_t at;
        bool blocked; /* the socket takes no more until it says so */
};

/*
 * A link is up while transport.fd >= 0. It goes down in reconnect.c alone, which ends or forgets
 * whatever belongs to the conversation: tickets, acknowledgements, attachments, output, what is
 * known of the broker. What the application asked for stays with the bus (entities, watches,
 * observing), from where it is asked for again when the link is back. The event that the link is
 * down is promised while it is up, so that it can always be told.
 */
struct link {
        struct mode base;
        struct transport transport;
        uint64_t retry_at;
        uint64_t backoff;
        uint64_t up_at;  /* when it came back; 0: it was never lost */
        uint64_t ask_at; /* when entities ask again for what they had; TIME_NEVER: none does */
        bool broken; /* memory was short and the broker knows something else than we: start anew */
        struct link_input in;
        struct link_output out;
        bool alive; /* it has shown a sign of life since `alive_at` */
        uint64_t alive_at;
        uint64_t silence;       /* ns without one after which tickets end */
        enum dialect dialect;   /* of the broker's bus main */
        size_t largest;         /* octets of a message there */
        size_t surely_fits;     /* what has no more octets need not be measured */
        size_t too_large;       /* what the last one would have had that did not fit */
        struct buffer measured; /* a message as it would be there */
        uint32_t seq;           /* of the next frame */
        uint64_t next_ticket;
        char *broker; /* its address, once it has spoken */
        uint32_t observe_seq;
        bool observe_asked; /* with that SeqNum, and not answered yet */
        struct progress sent;
        struct progress asked; /* before the question that is not answered yet */
        struct progress taken; /* before the last one that is; taken <= asked <= sent */
        uint32_t flush_seq;
        bool flush_asked; /* with that SeqNum, and not answered yet */
        uint64_t n_lost;  /* messages that went with the link and were not told of yet */
        struct tickets tickets;
        struct index attached;
        size_t n_early;     /* messages that wait for an attachment (early.c) ... */
        size_t early_bytes; /* ... and their octets */
        struct message_pool pool;
        struct dedup_cache dedup;
        struct header_cache headers; /* cleared when `attached` changes */
        struct ack_group acks[LINK_ACKS];
        size_t n_acks;
        struct link_network network;
        uint64_t dropped[MBUS_DROP_MAX];
        uint64_t patience; /* ns: see mbus_config_set_patience() */
        struct random random;
        struct time_of_day time;
};

static inline struct link *link_of(const struct mode *mode)
{
        return container_of(mode, struct link, base);
}

static inline struct link *link_of_entity(const struct link_entity *entity)
{
        return link_of(entity->base.mode);
}

static inline struct event_queue *link_events(const struct link *l)
{
        return &l->base.bus->events;
}

/* The entities of the bus, one after the other; NULL behind the last. */
static inline struct link_entity *link_first_entity(const struct link *l)
{
        return link_entity_of_node(l->base.bus->entities.first);
}

static inline struct link_entity *link_next_entity(const struct link_entity *entity)
{
        return link_entity_of_node(entity->base.node.next);
}

/* Messages on the broker's bus may have @largest octets, in the dialect that is known by now. */
static inline void link_set_largest(struct link *l, size_t largest)
{
        l->largest = largest;
        /* DIALECT=UCL adds no more than an octet for each. */
        l->surely_fits = l->dialect == DIALECT_UCL ? largest / 2 : largest;
}

#endif
