/*
 * broker.h - the parts of the daemon and what they share.
 *
 *      local-socket the Unix socket that clients connect to
 *      link-local   clients: accepting, reading, writing
 *      bus          an engine behind its sockets
 *      link-tcp     clients over TCP, which become links of link-local
 *      link-udp     the bus that the clients are on
 *      bridge       other buses, and routes between them
 *      router       where a client's message goes
 *      patience     who waits until his destination is known
 *      reliable     who waits for whose acknowledgement
 *      control      broker.* commands
 *      lists        answers that are told piece by piece
 *      monitor      who watches entities, who observes messages
 *
 * One turn of the loop: descriptors and timers call into the parts, which leave work behind (queues
 * with something in them, links to close, datagrams, events); broker_settle() then does all of it
 * before the loop sleeps again. Nothing is freed between: a link that broke is marked dead, and
 * reaped there.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <uv.h>

#include <core/deadline.h>
#include <core/engine.h>
#include <core/search.h>
#include <io/nobody.h>
#include <io/udp.h>

#include <broker/buses/bus.h>
#include <broker/base/iteration.h>
#include <broker/net/connection.h>
#include <broker/base/count.h>
#include <broker/ops/metrics.h>
#include <broker/config/options.h>
#include <broker/base/own-file.h>
#include <broker/ops/stats.h>
#include <broker/ops/supervise.h>

struct bridges;
struct tcp;

struct broker {
        struct iteration it;
        struct options given; /* by the command line */
        struct options options;
        uv_prepare_t prepare;
        uv_timer_t timer;
        uint64_t timer_at;
        uv_signal_t signals[3];
        struct supervise supervise;
        uint64_t n_reloads;
        uint64_t n_reloads_refused;
        struct metrics *metrics; /* NULL: nobody wants them */

        uint64_t started;

        /* The bus that the clients are on. */
        struct bus bus;
        struct engine *engine;   /* of `bus` */
        struct udp *udp;         /* of `bus` */
        struct config config;    /* that it was opened with */
        struct attachment *self; /* the broker is an entity, too */
        struct bridges *bridges; /* to other buses; NULL: there are none */
        uint64_t next_bus;

        /* The clients. */
        int listener;
        bool made_directory; /* that the socket stands in */
        bool handed_over;    /* the service manager's: its socket stays when the broker ends */
        int lock;            /* the lock file beside the socket */
        char *path;
        struct own_file socket_file;
        struct log_trouble socket_trouble; /* it is not where it belongs */
        uv_timer_t socket_timer;
        uv_poll_t listener_poll;
        uv_timer_t accept_timer;
        struct client *clients;
        size_t n_clients;
        struct client *dirty;
        struct client *dead;
        struct client *listing; /* those that are to be told more of a list */
        struct quota quota;
        struct nobody nobody; /* is no owner */
        char *config_path;
        struct tcp *tcp; /* NULL: none over TCP */
        uint64_t next_client;
        unsigned next_id; /* in the ids that the broker gives */

        /* Routes are valid as long as this does not change: entities come and go. */
        uint64_t generation;
        uint64_t mark;
        struct entity **matches; /* room for all that one destination matches */
        size_t matches_size;
        struct route *wide; /* the last one that had more recipients than a client remembers */

        /* Reliable messages. */
        struct deadlines deadlines;
        struct deadlines pauses;    /* of links that are read more slowly */
        struct searches searches;   /* of destinations that others wait for (patience.h) */
        struct attachment *waiting; /* those with reliable messages under way to local entities */

        struct retainer *retainers; /* entities with last values */
        size_t n_retained;

        size_t n_watchers;
        size_t n_observers;
        size_t n_filtered; /* observers with filters */

        uint64_t denials_at; /* when links are to be told of what they may not send */

        struct traffic from_links;
        struct traffic to_links;
        uint64_t counts[COUNT_MAX];
        struct log_cause causes[COUNT_MAX]; /* that are nobody's of the clients */
        struct log_trouble no_descriptors;  /* clients wait */
        struct log_cause proxy_cause;
        struct log_cause conflict_cause; /* somebody else uses addresses of clients ... */
        struct log_cause echo_cause;     /* ... and of proxies, again and again */
        struct log_cause rights_cause;
        struct log_cause framing_cause;
        struct log_cause too_large_cause;
};

/* Opens the bus and the socket. 0 or the exit status, with a line in the log. */
int broker_open(struct broker *b, const struct options *options);
/* Serves until a signal comes, says bye. Returns the exit status. */
int broker_run(struct broker *b);
/* What broker_run() does before and after it runs the loop, for those who turn the loop themselves. 0 or
 * the exit status, with a line in the log. */
int broker_start(struct broker *b);
void broker_stop(struct broker *b);
/* Copes with one that broker_open() left half open. */
void broker_close(struct broker *b);

/* Writes what the clients' queues hold. */
void broker_flush(struct broker *b);
/* Counts, and logs the first of a row of one user (@c is NULL: of the bus): "WHO: WHAT". */
void broker_count(struct broker *b, enum count count, const struct client *c, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

#endif
