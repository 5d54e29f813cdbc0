/*
 * link.h - what the files of link mode share: a connection to the broker (spec/attach.md).
 *
 *      mode.c       the main loop, losing the link and getting it back
 *      open.c      connecting
 *      proof.c     whether the broker is on the bus that was named
 *      send.c      messages and questions go out
 *      early.c     messages that wait until their entity is attached
 *      flush.c     which messages the broker has not taken yet
 *      receive.c   frames come in
 *      from-broker.c    what the broker says to the library
 *      tickets.c   questions that wait for an answer
 *      tcp.c       what is particular about TCP
 *      network.c   what the broker says of the network
 *      pool.c     memory for messages
 *      dedup.c      what was taken lately, in case the next broker brings it again
 */
#ifndef MBUS_LINK_H
#define MBUS_LINK_H

#include <bus/bus.h>
#include <core/frame.h>
#include <core/seal.h>
#include "proof.h"
#include "tcp.h"

/* Asked of the kernel in one piece. */
#define LINK_READ_SIZE (64u << 10)
/* So much waits before somebody who sends without pause has it written. */
#define LINK_WRITE_SIZE (64u << 10)
/* Room for the largest frame behind a piece that was read. */
#define LINK_INPUT_SIZE (LINK_READ_SIZE + FRAME_HEADER_SIZE + FRAME_MAX)
/* Until a lost link is tried again for the first time. */
#define LINK_BACKOFF_MIN (50 * NSEC_PER_MSEC)
/* How long opening may wait for a broker that does not accept, and closing for one that does not
 * read. */
#define LINK_PATIENCE_MS 1000
/* Sources that acknowledgements are gathered for at the same time. */
#define LINK_ACKS 16
/* Pairs of source and destination that are recognised: an application hears the same few. */
#define LINK_KNOWN 4
/* Messages that one mbus_bus_process() takes in: few enough to be in the cache still when the
 * application looks at them. */
#define LINK_PROCESS_MAX 32

/* What a datagram can carry without a cipher, until the broker says what its bus takes. */
#define MESSAGE_MAX (DATAGRAM_MAX - SEAL_OVERHEAD)

#define LINK_BROKER "(app:mbus-broker)"

/* A SeqNum that the broker, or somebody through it, will answer. */
struct ticket {
        struct mbus_entity *entity; /* NULL: the slot is free */
        uint64_t ticket;
        uint32_t seq;
        bool attach; /* the entity waits for its attachment, not the application for a ticket */
};

/* Open addressing with linear probing; SeqNums are consecutive and so their own hash. */
struct tickets {
        struct ticket *slots;
        size_t size; /* a power of two, at most half of it used */
        size_t n;
        size_t n_attaches; /* of them */
};

/* How far a conversation has come. */
struct flushed {
        uint64_t messages; /* unreliable ones */
        uint64_t octets;   /* of all frames */
};

struct ack_group {
        struct mbus_entity *entity;
        struct message *from; /* a reference: its source is where the list goes */
        uint32_t seqs[ACKS_SENT_MAX];
        size_t n;
};

/* Headers that came lately. Addresses that are written as in one of them need not be parsed, and
 * who gets such a message need not be looked up. */
struct known {
        struct header headers[LINK_KNOWN];  /* each looks into its text */
        char *texts[LINK_KNOWN];            /* both addresses; owned */
        bool canonical[LINK_KNOWN];         /* both are written so */
        struct mbus_entity *to[LINK_KNOWN]; /* the one entity that matches, if there is one */
        size_t n;
        size_t next; /* to be replaced */
};

/* Memory for messages: a piece holds one of some 450 octets, more than most have. */
#define STOCK_PIECE 2048
#define STOCK_MAX LINK_PROCESS_MAX

struct stock {
        void *pieces[STOCK_MAX];
        size_t n;
};

/* A reliable message that was taken. */
struct seen {
        uint64_t source; /* hash of its address */
        uint64_t timestamp;
        uint32_t seq;
};

struct seen_ring {
        struct seen *items; /* NULL: none so far */
        uint64_t n;         /* ever; the newest is at (n - 1) % LINK_SEEN_MAX */
        uint64_t until;     /* what comes is compared up to then; 0: it is not */
};

/* What the broker has told of the network of its bus; NULL: nothing. */
struct link_network {
        char *interface;
        char *texts[MBUS_NETWORK_MAX];
};

struct link {
        int fd;                   /* -1: the link is down */
        struct link_tcp *tcp;     /* NULL: it is a Unix socket */
        char *path;               /* with `tcp`: NULL */
        struct link_proof *proof; /* NULL: no configuration was named, or it is `tcp` */
        uint64_t retry_at;
        uint64_t backoff;
        uint64_t up_at; /* when it came back; 0: it was never lost */
        uint64_t
                ask_at; /* when entities ask again for the address they had; TIME_NEVER: none does */
        char *in;
        size_t in_at; /* where the first frame that is not handled begins */
        size_t in_n;
        bool more; /* whole frames may be in there, or more in the socket */
        struct buffer out;
        size_t out_at;
        size_t early_bytes; /* that wait for an attachment (early.c) */
        bool blocked;       /* the socket takes no more until it says so */
        bool alive;         /* it has shown a sign of life since `alive_at` */
        uint64_t alive_at;
        enum dialect dialect;   /* of the broker's bus main */
        size_t surely_fits;     /* what has no more octets need not be measured */
        struct buffer measured; /* a message as it would be there */
        uint64_t silence;       /* ns without one after which tickets end */
        bool broken; /* memory was short and the broker knows something else than we: start anew */
        uint32_t seq;
        char *broker; /* its address, once it has spoken */
        uint32_t observe_seq;
        bool observe_asked; /* with that SeqNum, and not answered yet */
        struct flushed sent;
        struct flushed asked; /* before the question that is not answered yet */
        struct flushed taken; /* before the last one that is */
        uint32_t flush_seq;
        bool flush_asked; /* with that SeqNum, and not answered yet */
        struct tickets tickets;
        struct index attached;
        struct stock stock;
        struct seen_ring seen;
        struct known known; /* forgotten when `attached` changes */
        struct ack_group acks[LINK_ACKS];
        size_t n_acks;
        struct link_network network;
};

extern const struct bus_mode link_mode;

/* ---- open.c ---- */

/* The descriptor, or -errno. @patient: waits a little for a broker that is behind with accepting. */
int link_connect(const char *path, bool patient);
/* As link_connect() without patience, for whatever link it was; -EINPROGRESS: it is on its way;
 * -EKEYREJECTED: the broker is on another bus than was named, which is remarked. */
int link_connect_again(struct mbus_bus *bus);
/* A remark on a broker that does not know the question of @p. */
void link_warn_of_old(struct mbus_bus *bus, const char *path, const struct link_proof *p);

/* ---- tickets.c ---- */

/* Room for the event that ends it is promised until it is removed. 0 or -ENOMEM. */
int tickets_add(struct tickets *ts, const struct ticket *ticket);
/* Whom @seq is about, or NULL; valid until the next call. */
const struct ticket *tickets_find(const struct tickets *ts, uint32_t seq);
void tickets_remove(struct tickets *ts, uint32_t seq);
/* Takes one of @entity out, until there is none; begin with *@cursor = 0. */
bool tickets_take(struct tickets *ts, const struct mbus_entity *entity, size_t *cursor,
                  struct ticket *ret_ticket);
void tickets_forget(struct tickets *ts, const struct mbus_entity *entity);
/* Takes all out, in the order of the tickets; to be freed. */
struct ticket *tickets_drain(struct tickets *ts, size_t *ret_n);
void tickets_deinit(struct tickets *ts);

/* ---- pool.c ---- */

/* Memory of @size octets, from the stock or from malloc(); NULL when that is short. */
void *stock_take(struct stock *s, size_t size);
/* What stock_take() gave for @size. */
void stock_put(struct stock *s, void *memory, size_t size);
/* Drops a reference to a message that was made in memory of stock_take(). */
void stock_put_message(struct stock *s, struct message *m);
void stock_deinit(struct stock *s);

/* ---- dedup.c ---- */

/* The link is back, perhaps to another broker, and so may be what others still repeat. */
void seen_expect(struct seen_ring *s, uint64_t now);
/* Notes that @h was taken. Without memory it is not. */
void seen_note(struct seen_ring *s, const struct header *h);
/* Whether it was before. */
bool seen_has(struct seen_ring *s, const struct header *h);
void seen_deinit(struct seen_ring *s);

/* ---- send.c ---- */

static inline size_t link_n_waiting(const struct link *l)
{
        return l->out.n - l->out_at + (l->tcp ? link_tcp_n_waiting(l->tcp) : 0);
}

/* Each puts a message into the output: 0, MBUS_E_NOT_READY, MBUS_E_TOO_LARGE, MBUS_E_FULL or
 * -ENOMEM. link_attach() asks for the address that @entity had, if any and not @anew, else for
 * the one it was given. */
int link_attach(struct mbus_entity *entity, bool anew);
int link_detach(struct mbus_bus *bus, struct span address);
int link_watch(struct mbus_bus *bus, struct watch *watch);
int link_observe(struct mbus_bus *bus);
int link_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
              uint64_t *ret_ticket);
int link_ping(struct mbus_entity *entity, const struct address *dest);
/* The same of an entity that is attached; reliably, under @ticket, if that is not 0. */
int link_put(struct mbus_entity *entity, const struct address *dest, struct span payload,
             uint64_t ticket);
/* Notes that @entity has the reliable message @m. */
void link_owe_ack(struct mbus_bus *bus, struct mbus_entity *entity, struct message *m);
void link_flush_acks(struct mbus_bus *bus);
/* Forgets what is owed: the link is gone. */
void link_drop_acks(struct link *l);
/* Writes what waits as far as the socket takes it. 0, or -errno if the link is of no use. */
int link_write(struct link *l);

/* Messages on the broker's bus may have @largest octets, in the dialect that is known by now. */
static inline void link_set_largest(struct mbus_bus *bus, size_t largest)
{
        struct link *l = bus->impl;

        bus->largest = largest;
        /* DIALECT=UCL adds no more than an octet for each. */
        l->surely_fits = l->dialect == DIALECT_UCL ? largest / 2 : largest;
}

/* ---- early.c ---- */

/* Whether what @entity sends has to wait, since it has never been attached or others wait already. */
static inline bool early_is_wanted(const struct mbus_entity *entity)
{
        return entity->early || (!entity->refused && !entity->text);
}
/* It does. 0, MBUS_E_FULL or -ENOMEM. */
int early_add(struct mbus_entity *entity, const struct address *dest, struct span payload,
              uint64_t *ret_ticket);
/* @entity is attached, or there is room in the output again. */
void early_go(struct mbus_entity *entity);
void early_go_all(struct mbus_bus *bus);
/* It is not, for @reason: tickets fail, and the others are told as lost. */
void early_fail(struct mbus_entity *entity, enum mbus_reason reason, struct span why);
/* It goes away. */
void early_forget(struct mbus_entity *entity);

/* Sends @payload, a command that any client may give, to the broker; reliably. */
int link_ask(struct mbus_bus *bus, struct span payload);

/* ---- flush.c ---- */

/* bus_mode.n_left. Asks the broker if need be. */
size_t link_n_left(struct mbus_bus *bus);
/* @seq was answered; whether it was that question. */
bool link_on_flushed(struct link *l, uint32_t seq);
/* The link is gone, with all that the broker had not taken. */
void link_forget_flush(struct mbus_bus *bus);

/* ---- receive.c ---- */

/* A frame came in. */
void link_on_frame(struct mbus_bus *bus, struct span text, bool observed);
/* Entities come or go: who gets what has to be looked up again. */
void link_forget_known(struct link *l);
/* It has been silent for too long: all tickets end. */
void link_fail_silent(struct mbus_bus *bus);
/* The ticket ends; @why is what the broker says of it. */
void link_finish(struct mbus_bus *bus, const struct ticket *ticket, enum mbus_reason reason,
                 struct span why);

/* ---- network.c ---- */

/* broker.network(NAME "INTERFACE" "WHY"): an event, unless it is known. */
void link_on_network(struct mbus_bus *bus, struct span name, struct span interface,
                     struct span why);
void link_set_interface(struct link *l, struct span interface);
/* The link is gone: the next broker tells anew. */
void link_forget_network(struct link *l);
const char *link_get_interface(const struct mbus_bus *bus);
const char *link_get_network(struct mbus_bus *bus, enum mbus_network network);

/* ---- from-broker.c ---- */

/* What the broker says in @m. Whether all of it was the library's business. */
bool link_on_broker_message(struct mbus_bus *bus, const struct message *m);
/* What @m of the broker acknowledges. */
void link_on_broker_acks(struct mbus_bus *bus, const struct message *m);

static inline struct mbus_entity *entity_of_attached(struct index_entry *entry)
{
        return entry ? (struct mbus_entity *)(void *)((char *)entry -
                                                      offsetof(struct mbus_entity, attached))
                     : NULL;
}

#endif
