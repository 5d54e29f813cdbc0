/*
 * bridge-state.h - what the files of the bridge share. Nobody else includes it.
 *
 * A bridge joins two buses; the entity on bus[s] that it hosts on bus[1 - s] is real, which no proxy
 * ever is: what is hosted is not hosted again.
 */
#ifndef BROKER_BRIDGE_BRIDGE_STATE_H
#define BROKER_BRIDGE_BRIDGE_STATE_H

#include <core/deadline.h>
#include <core/index.h>
#include <core/random.h>

#include "bridge.h"

/* What every bridge has on both of its buses while it works, so that others stand by. */
#define BRIDGE_ADDRESS "(app:mbus-broker module:bridge)"

/* An entity of the broker's own on one of the buses; on main it is an attachment, too. */
struct stand {
        struct bus *bus;
        struct entity *entity; /* NULL: it is not there */
        struct attachment *attachment;
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
        const struct rule **rules[2]; /* from bus[s] to the other */
        size_t n_rules[2];
        enum bridge_state state;
        uint64_t until;
        uint64_t since; /* wall clock, ms: the oldest of several bridges works */
        struct stand signs[2];
        uint64_t states_until; /* what is said of its states in this time, ... */
        unsigned n_states;
        struct log_cause flapping; /* ... and of those beyond */
        struct proxy *proxies;
        struct index held[2]; /* who is not to be hosted on bus[s] yet */
};

struct bridges {
        struct broker *broker;
        struct bus **buses; /* all but main */
        size_t n_buses;
        struct bridge **list;
        size_t n;
        unsigned n_made;                   /* bridges so far */
        const struct bus_configs *configs; /* that counts */
        bool started;
        struct deadlines holds;
        struct deadlines relays;
        struct random random;
        struct buffer text; /* a payload in the RFC's dialect */
};

struct relay;

struct proxy {
        struct bridge *bridge;
        unsigned side; /* it stands on bus[side] */
        struct stand stand;
        struct proxy *previous; /* of the bridge */
        struct proxy *next;
        uint64_t since;     /* wall clock, ms: nothing that it says is older */
        uint32_t seq;       /* of what it gives clients */
        struct relay *sent; /* by it, oldest first */
        struct relay *sent_end;
        size_t n_sent;
        struct relay *awaited; /* to it, on the other bus */
        uint64_t born;         /* monotonic */
        unsigned n_conflicts;  /* in a row, before it came */
};

static inline const struct address *proxy_address(const struct proxy *p)
{
        return entity_address(p->stand.entity);
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

bool bus_is_main(const struct bus *bus);
/* @entity of @bus as a proxy, or NULL. */
struct proxy *proxy_of(const struct bus *bus, const struct entity *entity);
/* What @address has on bus[side] as a proxy of @bridge, or NULL. */
struct proxy *bridge_find(const struct bridge *bridge, unsigned side,
                          const struct address *address);

/* The next bridge that @bus is bus[*@ret_side] of; *@cursor is 0 at first. */
struct bridge *bridges_next(struct bridges *all, const struct bus *bus, size_t *cursor,
                            unsigned *ret_side);
/* The sign of a bridge may have come or gone. */
void bridges_check(struct bridges *all, const struct address *address);

/* Shows that @bridge wants to work, and asks who does already. */
void bridge_apply(struct bridge *bridge);
/* It works no more: all that it hosts leaves. */
void bridge_stand_by(struct bridge *bridge, bool bye);

/* ---- proxy.c ---- */

/* As engine_add_entity(). */
int stand_enter(struct stand *s, struct bus *bus, const struct address *address,
                struct proxy *proxy);
/* @bye: not if somebody else has the address. */
void stand_leave(struct stand *s, bool bye);
/* Hosts @address of bus[from] on the other one, if that is to be so by now. */
void bridge_consider(struct bridge *bridge, unsigned from, const struct address *address);
/* The same, later: in @min_ms to @max_ms. */
void bridge_defer(struct bridge *bridge, unsigned from, const struct address *address,
                  unsigned min_ms, unsigned max_ms);
/* All that are known on bus[from]. */
void bridge_consider_all(struct bridge *bridge, unsigned from);
/* The rules are others: who is not to be hosted any more leaves, who is to be comes. */
void bridge_review(struct bridge *bridge);
/* Who @p stands for has left: @told, senders of reliable messages are, too. */
void proxy_free(struct proxy *p, bool bye, bool told);
void bridge_drop_proxies(struct bridge *bridge, bool bye);
void bridge_drop_holds(struct bridge *bridge);
/* Looks at those whose time is over. Whether there were any. */
bool bridges_end_holds(struct bridges *all);

/* ---- relay-books.c ---- */

/* Ends what @p has sent, and what was sent to it. @told: senders on links learn it. */
void relay_forget(struct proxy *p, bool told);
/* Ends what clients did not acknowledge in time. Whether there was anything. */
bool bridges_expire(struct bridges *all);

#endif
