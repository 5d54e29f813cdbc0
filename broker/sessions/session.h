/*
 * session.h - a session: what a client on a connection is here, which entities it has, and what it
 * may do.
 *
 * Sessions own the connections (net/connection.h). What happens to entities of the bus main,
 * whether a session has them or they were heard on the network, is told to listeners, which the
 * rooms above are. Each of those keeps what it knows of a session for itself, and hangs it here by
 * a pointer to a structure of its own.
 *
 * Invariants: a session begins with its connection, and has its memory. `self`, the broker as an
 * entity, is there from sessions_open() to sessions_leave(), and nobody is told anything without
 * it. An entity of a session is in its list, and charged to its user, from when it is on the bus
 * until it leaves. All entities of a session leave before it ends, and then nothing of it is under
 * way or kept.
 */
#ifndef BROKER_SESSIONS_SESSION_H
#define BROKER_SESSIONS_SESSION_H

#include <core/address.h>
#include <core/list.h>

#include <broker/net/net.h>
#include <broker/buses/buses.h>

struct local_entity;
struct session_control;
struct session_routing;

/*
 * Unreliable messages that a session may not send, and was not told of yet (denial.h).
 *
 * Invariant: while there are some, sessions.denials_at is no later than `due`.
 */
struct denials {
        uint64_t n;
        uint64_t due;    /* when it may be told */
        uint32_t seq;    /* of the first of them */
        const char *why; /* that was denied; lives for ever */
};

struct session {
        struct connection link; /* first member */
        struct sessions *all;
        struct rights *rights; /* NULL: it may do everything */
        struct list entities;  /* the newest first */
        size_t n_entities;
        size_t n_tickets;       /* reliable messages of its entities whose end is not known yet */
        size_t bytes_in_flight; /* octets of those that a bus is to acknowledge */
        uint32_t seq;           /* of the broker's next message to it */
        struct denials denials;
        uint64_t visited; /* sessions.last_visit when it was seen last (session_is_new()) */
        struct session_routing *routing;
        struct session_control *control;
};

/*
 * Who is told of sessions and of entities on the bus main; what is NULL is not.
 *
 * What begins or has come is told from the ground up, what ends or has left from the top down: so a
 * room finds those below it as they are while the thing is there. Of one entity: on_joined, when it
 * is on the bus and can be found; on_left, on_joined for another address; on_left, when it can
 * still be found; on_forget, after which no room has a pointer to it.
 */
struct session_listener {
        /* A session begins. 0 or -ENOMEM, and then it does not. */
        int (*on_begin)(struct session_listener *l, struct session *s);
        /* It ends, and has no entity any more. */
        void (*on_end)(struct session_listener *l, struct session *s);
        /* An entity has come: @e, or (NULL) one of another host. */
        void (*on_joined)(struct session_listener *l, const struct local_entity *e,
                          const struct address *address);
        /* It is gone, or about to go. */
        void (*on_left)(struct session_listener *l, const struct local_entity *e,
                        const struct address *address, enum mbus_reason reason);
        /* @e is gone, and freed next. */
        void (*on_forget)(struct session_listener *l, struct local_entity *e);
};

#define SESSION_LISTENERS_MAX 4

struct sessions {
        struct connection_owner owner;
        struct connections *net;
        struct buses *buses;
        struct iteration *it;
        struct engine *engine; /* of the bus main */
        struct local_entity *self;
        const struct address *self_address; /* of it */
        struct session_listener *listeners[SESSION_LISTENERS_MAX];
        unsigned n_listeners;
        unsigned last_id;     /* in the ids that the broker gives */
        uint64_t last_entity; /* how many entities there have been */
        uint64_t last_visit;
        struct deadlines acknowledgements; /* that are waited for from local entities */
        struct list senders;               /* entities that wait for some (reliable.h) */
        uint64_t denials_at; /* when sessions are to be told of what they may not send */
        struct log_ratelimit conflict_log; /* somebody else uses addresses of clients */
};

/* @l is told from now on: of what begins after those before it, of what ends before them. */
void sessions_listen(struct sessions *all, struct session_listener *l);
/* Tells all listeners; @e is NULL for an entity of another host. */
void sessions_tell_joined(struct sessions *all, const struct local_entity *e,
                          const struct address *address);
void sessions_tell_left(struct sessions *all, const struct local_entity *e,
                        const struct address *address, enum mbus_reason reason);
void sessions_tell_forgotten(struct sessions *all, struct local_entity *e);
/* Whether @dest is the broker and nobody else: its full address or (app:mbus-broker). */
bool sessions_is_self(const struct sessions *all, const struct address *dest);
/* Begins a visit of some sessions, each of which session_is_new() counts once until the next one
 * begins. */
void sessions_visit(struct sessions *all);
static inline bool session_is_new(struct session *s)
{
        bool is_new = s->visited != s->all->last_visit;

        s->visited = s->all->last_visit;
        return is_new;
}

/* The newest, and the one that began before @s; NULL: there is none. */
struct session *sessions_first(const struct sessions *all);
struct session *session_next(const struct session *s);
static inline struct session *session_of(const struct connection *c)
{
        return container_of(c, struct session, link);
}

#endif
