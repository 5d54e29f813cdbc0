/*
 * connection.h - a link, the entities attached to it, and what waits for it.
 */
#ifndef BROKER_NET_CONNECTION_H
#define BROKER_NET_CONNECTION_H

#include <sys/types.h>
#include <uv.h>

#include <core/deadline.h>
#include <core/engine.h>
#include <core/proof.h>

#include <broker/base/limits.h>
#include <broker/base/log.h>
#include <broker/config/policy.h>
#include <broker/sessions/denial.h>
#include "queue.h"
#include <broker/accounts/quota.h>

struct broker;
struct filter;
struct listing;
struct proxy;
struct retainer;
struct route;

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
        struct attachment *target; /* a local entity; NULL: finished */
        struct name *name;         /* a remote entity; NULL: finished */
        uint32_t seq;
        uint32_t bytes; /* that are kept until a bus acknowledges it */
};

struct waits {
        struct wait *ring;
        uint32_t size; /* a power of two or 0 */
        uint64_t head;
        uint64_t tail;
};

/* An entity of a client, or of the broker itself (client is NULL), or one of another bus. */
struct attachment {
        struct deadline deadline; /* of the oldest local wait; first member */
        struct client *client;
        struct entity *entity;
        uint64_t joined;
        uint64_t generation;         /* broker.generation when it came */
        struct attachment *previous; /* of the client */
        struct attachment *next;
        struct waits local;
        struct waits late; /* to local entities, in the order in which they were passed on */
        struct waits remote;
        uint64_t last_key;                   /* of the last local wait */
        struct attachment *previous_waiting; /* in broker.waiting while local waits are there */
        struct attachment *next_waiting;
        bool waiting;
        struct proxy *proxy;       /* it is of another bus (bridge.h) */
        bool silent;               /* it leaves without a bye */
        struct retainer *retainer; /* NULL: it wants no last values kept */
        bool is_given;             /* its id is one that its client relies on */
        uint64_t patience;         /* ns that its reliable messages wait for a destination */
        size_t n_held;             /* that do (patience.h) */
        uint64_t held_until;       /* what the last of them was given */
        size_t n_waited_on;        /* local waits that this entity is to acknowledge */
};

struct watch {
        struct watch *next;
        struct address *address;
};

struct client {
        uv_poll_t poll;
        struct broker *broker;
        int fd;
        uint64_t number; /* for the log */
        pid_t pid;
        uid_t uid;
        char *place; /* over TCP: where it is; else NULL */
        struct client *previous;
        struct client *next;

        /* Coming in. A frame that is only partly there is gathered in a chunk of its own, so that
         * the shared one can move on. */
        char head[4];
        unsigned n_head;
        struct chunk *partial;
        struct attachment *attachments;
        size_t n_attachments;
        size_t n_tickets; /* reliable messages of its entities whose end is not known yet */
        size_t kept;      /* octets of those that a bus is to acknowledge */
        size_t retained;  /* octets of their last values */
        struct quota_user *user;
        struct rights *rights; /* NULL: it may do everything */
        struct bucket sends;
        uint64_t paused_until;
        struct deadline pause; /* set while nothing is read */
        uint64_t sign_at;      /* with pauses: when it is to hear that somebody is there */
        struct route *routes[ROUTES_MAX];
        unsigned next_route;

        /* Going out. */
        struct queue queue;
        bool blocked; /* the socket takes no more: POLLOUT is awaited */
        bool deaf;    /* the other end takes nothing more, but what it sent before counts */
        bool dirty;
        bool dead;
        struct client *next_dirty;
        struct client *next_dead;
        uint64_t mark; /* equals broker.mark if it is already among the recipients */
        uint32_t seq;  /* of the broker's next message on this link */

        struct denials denials;
        struct listing *lists; /* that are told (lists.h) */
        size_t lists_bytes;
        struct client *next_listing;
        bool listing;

        struct watch *watches;
        unsigned n_watches;
        uint8_t nonce[PROOF_NONCE_SIZE]; /* for the next broker.same-bus */
        bool has_nonce;
        bool observes;
        bool observes_hello;
        struct filter *filters; /* of what it observes; NULL: all */
};

/* Appends a frame that stands in a chunk. 0; MBUS_E_FULL: no room, and the message was reliable. A
 * link that cannot even be answered any more is closed. */
int client_push(struct client *c, struct chunk *chunk, size_t at, size_t n, enum kind kind);
/* Makes a frame of @text and appends it. As client_push(), and MBUS_E_FULL: it fits into none, which is
 * said in the log, and to the client if it was a message to it. */
int client_push_text(struct client *c, struct span text, enum kind kind);
/* Writes what waits, as far as the socket takes it. */
void client_flush(struct client *c);
/* The end of a turn in which something was appended: writes it, or lets the queue keep it. */
void client_settle(struct client *c);
/* Whether it is of the broker's own user or of root. */
bool client_is_owner(const struct client *c);
/* "link 7 (pid 4711, uid 1000)" */
#define CLIENT_NAME_SIZE 128
void client_name(const struct client *c, char ret_name[static CLIENT_NAME_SIZE]);
/* Logs, not too often, that @limit was reached, and what came of it. */
void client_log_limit(struct client *c, enum limit limit, const char *what);
void client_log_fixed_limit(struct client *c, enum fixed_limit limit, const char *what);
/* The link is broken, or to be closed: it ends at the end of this turn. @why is logged. */
void client_kill(struct client *c, const char *why);

/* Puts an entity of @c (NULL: the broker's own) on the bus. As engine_add_entity(). */
int attachment_new(struct broker *b, struct client *c, const struct address *address,
                   struct attachment **ret_attachment);
/* Gives it another address, after a conflict; everybody learns that. As engine_rename_entity(). */
int attachment_rename(struct broker *b, struct attachment *a, const struct address *address);
/* It leaves the bus; who waits for it learns that. Takes NULL, returns NULL. */
struct attachment *attachment_free(struct broker *b, struct attachment *a);
static inline struct span attachment_text(const struct attachment *a)
{
        return entity_address(a->entity)->text;
}
/* The local entity that has exactly @address, or NULL. */
struct attachment *attachment_find(struct broker *b, const struct address *address);

#endif
