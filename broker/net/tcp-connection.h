/*
 * tcp-connection.h - one connection over TCP: it becomes a client when it has proved that it has
 * the keys of the bus.
 *
 * Behind it is a pair of sockets, one end of which is a connection like any other (connection.h):
 * frames in the clear. Here they are sealed and opened between its other end and the network
 * (core/stream.h). The rest of the broker knows nothing of TCP, and the system tells the sender on
 * either side to wait.
 */
#ifndef BROKER_NET_TCP_CONNECTION_H
#define BROKER_NET_TCP_CONNECTION_H

#include <uv.h>

#include <core/stream.h>

#include "connection.h"

/* Why a connection was closed that is no client of ours, or not any more. */
enum tcp_rejection {
        TCP_TOO_MANY, /* TCP_STRANGERS_MAX */
        TCP_TOO_LATE, /* TCP_PROOF_MS */
        TCP_FORGED,   /* a wrong key */
        TCP_STRANGE,  /* another protocol */
        TCP_HUNG_UP,  /* by the other side, before it had proved itself */
        TCP_REJECTION_MAX,
};

struct tcp_listener;

/* One socket that listens. */
struct tcp_socket {
        struct tcp_listener *listener;
        int fd;
        uv_poll_t poll;
};

/* All that came over TCP, and where it comes. */
struct tcp_listener {
        struct connections *connections; /* where clients go; NULL: none come over TCP */
        struct crypto *crypto;           /* of the bus, that a client proves to have the keys of */
        const struct tcp_listen_addresses *addresses;
        const char *config_path; /* where those are written */
        struct tcp_socket sockets[TCP_LISTENERS_MAX];
        unsigned n_sockets;
        uv_timer_t timer;     /* of proofs, and of accepting when there are no descriptors */
        struct list accepted; /* connections, the newest first */
        size_t n_unauthenticated;
        uint64_t n_rejected[TCP_REJECTION_MAX];
        struct log_ratelimit rejected[TCP_REJECTION_MAX];
        struct log_trouble no_descriptors;
};

/*
 * Invariants: one that has not proved itself has no pair, is counted in n_unauthenticated, and
 * reads no more than a proof takes. From then on what comes in is opened and goes to the pair, and
 * the other way it is sealed; each side is read only while the pipe to the other one has room. One
 * that has ended is in no list and has no descriptors; the loop has n_handles of it.
 */
struct tcp_connection {
        struct tcp_listener *listener;
        struct list_node node;
        uv_poll_t net_poll;
        uv_poll_t pair_poll;
        unsigned n_handles; /* that are not closed yet */
        int net;
        int pair;          /* -1: it has not proved itself */
        uint64_t deadline; /* by which it must have */
        struct stream stream;
        struct pipe from_net;  /* sealed */
        struct pipe to_pair;   /* opened */
        struct pipe from_pair; /* to be sealed */
        struct pipe to_net;    /* sealed */
        char peer[TCP_ADDRESS_TEXT_SIZE];
        bool ended;
};

static inline bool tcp_connection_is_authenticated(const struct tcp_connection *c)
{
        return c->pair >= 0;
}

/* Somebody comes, and is greeted. 0 or -errno: then @fd is not closed. */
int tcp_connection_new(struct tcp_listener *t, int fd, const union socket_address *peer);
/* Sends what the broker has said so far, as much as the system takes at once. 0 or -errno. */
int tcp_connection_flush(struct tcp_connection *c);
/* Whether the other host has all that the system took. */
bool tcp_connection_is_sent(const struct tcp_connection *c);
/* The broker ends: the same, and then the connection. */
void tcp_connection_finish(struct tcp_connection *c);
/* The descriptors are closed now, the struct when the loop is done with it. @why is logged. */
void tcp_connection_end(struct tcp_connection *c, const char *why);
/* The same for one that is counted, and told of in the log, not too often. */
void tcp_connection_reject(struct tcp_connection *c, enum tcp_rejection why);
/* There are no descriptors for one more, which is said once until there are. */
void tcp_listener_log_no_descriptors(struct tcp_listener *t, int error);

#endif
