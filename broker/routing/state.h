/*
 * state.h - what the files of routing/ share: all that is remembered of where messages go.
 *
 * Invariants:
 *
 * A fanout is used only while its generation is the room's. fanouts_invalidate() ends all of them
 * at once, and nothing else changes the generation: it is called when an entity comes or goes on
 * the bus main, when a proxy does, when rights change, and when the configuration of buses does. So
 * what a fanout points to, entities and sessions, is there as long as the fanout is used: each of
 * them announces its end here before.
 *
 * n_watchers, n_observers and n_filtered count sessions that watch, observe, and observe with
 * filters; so where there are none nobody is looked for. n_filtered <= n_observers.
 *
 * n_retained counts last values that are kept; `retained` of a session is the sum of what those of
 * its entities, and their names, are charged for.
 */
#ifndef BROKER_ROUTING_STATE_H
#define BROKER_ROUTING_STATE_H

#include <core/engine.h>
#include <core/filter.h>
#include <core/message.h>
#include <core/search.h>

#include <broker/sessions/sessions.h>

struct fanout;
struct watch;

/*
 * What is remembered of a session.
 *
 * Invariants: `watches` holds n_watches; filters and observes_hello are there only while it
 * observes.
 */
struct session_routing {
        struct routing *all;
        struct fanout *fanouts[FANOUTS_MAX]; /* where it has sent to */
        unsigned next_fanout;
        size_t retained; /* octets of last values */
        struct watch *watches;
        unsigned n_watches;
        bool observes;
        bool observes_hello;
        struct filter *filters; /* of what it observes; NULL: all */
};

/* The entities of other buses that stand on the bus main as proxies, and who carries messages to
 * them. */
struct other_buses {
        /* Whether they host @src, an entity of a session. */
        bool (*exports)(struct other_buses *others, const struct address *src);
        /* An unreliable message of @src; @payload is well-formed. */
        void (*forward)(struct other_buses *others, const struct local_entity *src,
                        const struct address *dest, uint64_t timestamp, struct span payload);
        /* A reliable one to the entity that @to stands for, of which the client hears as of any
         * other. What reliable_check() says was asked for; the client is charged until it ends.
         * 0, MBUS_E_UNKNOWN: @src is not known there, or the rules do not let it pass; else as
         * engine_send_reliable(). */
        int (*send_reliable)(const struct local_entity *src, struct proxy *to, uint32_t seq,
                             uint64_t timestamp, struct span payload);
        /* An entity of a session, @from, acknowledged @seq, which @by gave it. False if that is not
         * waited for. */
        bool (*acknowledge)(struct proxy *by, uint32_t seq, const struct local_entity *from);
};

/* Who does what the broker itself is told. */
struct broker_commands {
        /* A message from a session; @src is NULL if SrcAddr is not attached to it. */
        void (*on_message)(struct broker_commands *commands, struct session *s,
                           const struct header *h, struct local_entity *src, struct span payload);
        /* A message from the bus main. */
        void (*on_bus_message)(struct broker_commands *commands, const struct message *m);
};

struct routing {
        struct session_listener listener;
        struct sessions *sessions;
        struct buses *buses;
        struct engine *engine; /* of the bus main */
        struct iteration *it;
        struct quota *quota;
        const struct options *options;
        struct other_buses *others;
        struct broker_commands *commands;
        uint64_t generation;
        struct entity **matches; /* room for all that one destination matches */
        size_t matches_size;
        struct fanout *wide; /* the last one that had more recipients than a session remembers */
        struct searches searches; /* of destinations that messages wait for (patience.h) */
        struct list retainers;    /* entities with last values */
        size_t n_retained;
        size_t n_watchers;
        size_t n_observers;
        size_t n_filtered;
};

#endif
