/*
 * state.h - what the files of the bridge share. Other rooms look at nothing in it.
 *
 * A bridge joins two buses; the entity on bus[s] that it hosts on bus[1 - s] is real, which no
 * proxy ever is: what is hosted is not hosted again.
 *
 * Invariants:
 *
 * The buses of a bridge are open as long as it is there. What it has by its state:
 *
 *      state       beacons     proxies, hold-downs     `until`
 *      STANDBY     none        none                    never, or when memory may suffice
 *      CANDIDATE   both        none                    the end of the election
 *      ACTIVE      both        as they come            never
 *
 * It gets from STANDBY to CANDIDATE (bridge_become_candidate), from there to ACTIVE (bridge_begin),
 * and from all of them back (bridge_stand_by).
 *
 * The entity of a proxy is on bus[side] until proxy_free(). What it has sent, and what was sent to
 * it, ends before.
 */
#ifndef BROKER_BRIDGE_STATE_H
#define BROKER_BRIDGE_STATE_H

#include <core/deadline.h>
#include <core/index.h>
#include <core/random.h>

#include <broker/routing/routing.h>

/* What every bridge has on both of its buses while it works, so that others stand by. */
#define BRIDGE_ADDRESS "(app:mbus-broker module:bridge)"

/* An entity of the broker's own on one of the buses; on main it is a local entity, too. */
struct hosted_entity {
        struct bus *bus;
        struct entity *entity; /* NULL: it is not there */
        struct local_entity *local;
};

enum bridge_state {
        BRIDGE_STANDBY,   /* another broker joins the two buses */
        BRIDGE_CANDIDATE, /* whether there is one is being found out, until `until` */
        BRIDGE_ACTIVE,
};

struct bridge {
        struct bridges *all;
        unsigned number; /* in its id */
        struct bus *bus[2];
        const struct export_rule **rules[2]; /* from bus[s] to the other */
        size_t n_rules[2];
        enum bridge_state state;
        uint64_t until;
        uint64_t since; /* wall clock, ms: the oldest of several bridges works */
        struct hosted_entity beacons[2];
        uint64_t states_until; /* what is said of its states in this time, ... */
        unsigned n_states;
        struct log_ratelimit flapping; /* ... and of those beyond */
        struct list proxies;           /* the newest first */
        struct index held_down[2];     /* who is not to be hosted on bus[s] yet */
};

struct bridges {
        struct session_listener listener;
        struct other_buses others; /* what routing/ is given */
        struct bus_owner bus_owner;
        struct routing *routing;
        struct sessions *sessions;
        struct buses *buses;
        struct iteration *it;
        struct quota *quota;
        struct bridge **list;
        size_t n;
        unsigned n_made;                   /* bridges so far */
        const struct bus_configs *configs; /* that counts; NULL: none has ever had a bus but main */
        bool started;
        struct deadlines hold_downs;
        struct deadlines relays;
        struct random random;
        struct buffer text; /* a payload in the RFC's dialect */
        struct log_ratelimit proxy_log;
        struct log_ratelimit conflict_log; /* somebody else uses the broker's own address */
        struct log_ratelimit echo_log;     /* ... and those of proxies, again and again */
};

struct relay;

struct proxy {
        struct bridge *bridge;
        unsigned side; /* it stands on bus[side] */
        struct hosted_entity hosted;
        struct list_node node; /* of the bridge */
        uint64_t since;        /* wall clock, ms: nothing that it says is older */
        uint32_t seq;          /* of what it gives clients */
        struct relay *sent;    /* by it, oldest first (pending-relays.h) */
        struct relay *sent_end;
        size_t n_sent;
        struct relay *awaited; /* to it, on the other bus, newest first */
        uint64_t born;         /* monotonic */
        unsigned n_conflicts;  /* in a row, before it came */
};

static inline const struct address *proxy_address(const struct proxy *p)
{
        return entity_address(p->hosted.entity);
}

static inline struct bus *proxy_bus(const struct proxy *p)
{
        return p->bridge->bus[p->side];
}

/* Whom it stands for is here. */
static inline struct bus *proxy_home(const struct proxy *p)
{
        return p->bridge->bus[1 - p->side];
}

/* ---- lookup.c ---- */

/* @entity of @bus as a proxy, or NULL. */
struct proxy *proxy_of(const struct bus *bus, const struct entity *entity);
/* What @address has on bus[side] as a proxy of @bridge, or NULL. */
struct proxy *bridge_find(const struct bridge *bridge, unsigned side,
                          const struct address *address);
/* The next bridge that @bus is bus[*@ret_side] of; *@cursor is 0 at first. */
struct bridge *bridges_next(const struct bridges *all, const struct bus *bus, size_t *cursor,
                            unsigned *ret_side);
/* Whether @address is one of a broker, ours or another. */
bool is_of_a_broker(const struct address *address);

#endif
