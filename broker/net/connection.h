/*
 * connection.h - a client's connection: octets in, cut into frames; frames out, from a bounded
 * queue.
 *
 * Here nobody knows what a frame says, or what an entity is. What happens is told to the owner of
 * all connections, who was made known when they were opened. Nothing is freed while the loop's
 * iteration lasts: a connection that broke is marked dead, and reaped at its end.
 *
 * Invariants: a dead connection stays dead, reads nothing, takes nothing and is in `dead` until it
 * is reaped. One that has something to write is in `unflushed` exactly when flush_pending is set.
 * `is_half_closed` (the other end takes nothing more, but what it sent before counts): its queue is
 * empty. A frame that has come partly is in `head` (less than its length) or in `partial`, never in
 * both.
 *
 *      connections.c       they come, by whatever listener, and go
 *      connection.c        what all parts of one need
 *      connection-write.c  out
 *      connection-read.c   in, at the rate that is allowed
 */
#ifndef BROKER_NET_CONNECTION_H
#define BROKER_NET_CONNECTION_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include <core/deadline.h>
#include <core/frame.h>
#include <core/list.h>
#include <io/nobody.h>

#include <broker/base/base.h>
#include <broker/config/config.h>
#include <broker/accounts/accounts.h>

#include "queue.h"

struct connections;

/*
 * What it is in, beside dead or not:
 *
 *      paused         nothing is read before `pause`, for a rate was passed; only the end of the
 *                     connection is awaited. Room for `pause` is reserved as long as it lives.
 *      blocked        the socket takes no more: nothing is written before it is writable
 *      half closed    the other end takes no more, for ever: nothing is queued, nor said to be lost
 *      flush pending  something was queued, which is written when the iteration ends
 */
struct connection {
        uv_poll_t poll;
        struct connections *connections;
        struct list_node node;
        int fd;
        uint64_t number; /* for the log */
        pid_t pid;
        uid_t uid;
        char *peer; /* over TCP: where it is; else NULL */
        struct quota_user *user;

        /* Coming in. A frame that is only partly there is gathered in a chunk of its own, so that
         * the shared one can move on. */
        char head[FRAME_HEADER_SIZE];
        unsigned n_head;
        struct chunk *partial;
        struct bucket sends;
        uint64_t paused_until;
        struct deadline pause; /* set while nothing is read */
        uint64_t sign_at;      /* with pauses: when it is to hear that somebody is there */

        /* Going out. */
        struct queue queue;
        bool is_blocked; /* the socket takes no more: POLLOUT is awaited */
        bool is_half_closed;
        bool flush_pending;
        bool is_dead;
        struct list_node unflushed_node;
        struct list_node dead_node;
};

/* What the owner of the connections is told. */
struct connection_owner {
        /* Somebody connected who may do @rights (NULL: all), which is the owner's if it
         * succeeds. Memory of malloc() that begins with the connection, all zero in it; or NULL. */
        struct connection *(*on_new)(struct connection_owner *owner, struct rights *rights);
        /* A whole frame of @n octets stands at @at in @chunk. */
        void (*on_frame)(struct connection *c, struct chunk *chunk, size_t at, size_t n);
        /* @n messages of @kind were lost before what is written next: the frame that says so goes
         * into *@ret_frame, which is BUFFER_INIT. The shared chunk is in use. */
        void (*on_gap)(struct connection *c, enum kind kind, uint64_t n, struct buffer *ret_frame);
        /* It is not read for a rate, and is to hear that somebody is there. */
        void (*on_silence)(struct connection *c);
        /* The socket took all that waited. */
        void (*on_room)(struct connection *c);
        /* It is dead: the owner lets go of all that it has. The memory is freed later. */
        void (*on_end)(struct connection *c);
        /* @fd is closed in a moment, because of @why. */
        void (*on_refusal)(struct connection_owner *owner, int fd, const char *why);
};

/* Octets and messages that went one way. */
struct traffic {
        uint64_t n;
        uint64_t bytes;
};

struct connections {
        struct iteration *it;
        struct quota *quota;
        struct connection_owner *owner;
        const struct policy *policy; /* by which rights are judged */
        const char *config_path;     /* where that stands */
        struct nobody nobody;        /* is no owner */
        uv_poll_cb on_ready;
        struct list all; /* the newest first */
        size_t n;
        struct list unflushed;
        struct list dead;
        struct deadlines pauses; /* of those that are read more slowly */
        uint64_t last_number;
        struct traffic in;
        struct traffic out;
        struct log_ratelimit rights_log;
        struct log_ratelimit framing_log;
        struct log_ratelimit too_large_log;
};

/* ---- all of them (connections.c) ---- */

/* The pointers stay the caller's. */
void connections_init(struct connections *connections, struct iteration *it, struct quota *quota,
                      struct connection_owner *owner);
/* All must have been reaped. */
void connections_deinit(struct connections *connections);
/* Makes a connection of @fd. @peer: where it is, over TCP, which becomes the connection's; else
 * NULL. 0, or -errno with the reason said to the other end: then @fd is not closed, nor @peer
 * freed. */
int connections_add(struct connections *connections, int fd, char *peer);
/* Writes what the queues hold. */
void connections_flush(struct connections *connections);
/* Frees those that are dead. */
void connections_reap(struct connections *connections);
/* All end, and are reaped. */
void connections_end(struct connections *connections, const char *why);
/* Reads on from those whose pause is over; and when that is, TIME_NEVER: there is none. */
void connections_resume(struct connections *connections);
uint64_t connections_deadline(const struct connections *connections);
/* The first, the newest, and the one before it in time; NULL behind the last. */
struct connection *connections_first(const struct connections *connections);
struct connection *connection_next(const struct connection *c);

/* ---- one ---- */

/* Appends a frame that stands in a chunk. 0; MBUS_E_FULL: no room, and the message was reliable.
 * One that cannot even be answered any more is closed. */
int connection_push(struct connection *c, struct chunk *chunk, size_t at, size_t n, enum kind kind);
/* Makes a frame of @text and appends it. As connection_push(), and MBUS_E_FULL: it fits into none,
 * which is said in the log, and to the client if it was a message to it. */
int connection_push_text(struct connection *c, struct span text, enum kind kind);
/* A message of @kind is lost before it could be pushed: the client learns it in its place. */
void connection_lose(struct connection *c, enum kind kind);
/* Writes what waits, as far as the socket takes it. */
void connection_flush(struct connection *c);
/* @c, and its user, have @n messages less for now, by their SEND_RATE. */
void connection_charge(struct connection *c, uint64_t n_messages);
/* Polls for what @c waits for. */
void connection_poll(struct connection *c);
/* It is broken, or to be closed: it ends at the end of this iteration. @why is logged. */
void connection_kill(struct connection *c, const char *why);

/* Whether it is of the broker's own user or of root. */
bool connection_is_owner(const struct connection *c);
/* "link 7 (pid 4711, uid 1000)" */
#define CONNECTION_NAME_SIZE 128
void connection_name(const struct connection *c, char ret_name[static CONNECTION_NAME_SIZE]);
/* Logs, not too often, that @limit was reached, and what came of it. */
void connection_log_limit(struct connection *c, enum limit limit, const char *what);
void connection_log_fixed_limit(struct connection *c, enum fixed_limit limit, const char *what);
/* Counts what it did wrong, and logs the first of a row of one user: "WHO: WHAT". */
void connection_count(struct connection *c, enum drop_cause cause, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
