/*
 * world.h - a bus of engines on a virtual clock: nodes that start, end, send, stall and crash.
 *
 * A node is a process: one engine with one or more entities. A member is one life of one entity; a
 * place (node, slot) keeps its address from life to life. Time jumps from one thing that is due to the
 * next, so an hour of silence costs nothing. A run depends on nothing but its scenario.
 */
#ifndef MBUS_TESTS_SIM_WORLD_H
#define MBUS_TESTS_SIM_WORLD_H

#include "core/engine.h"
#include "invariants.h"
#include "ledger.h"
#include "network.h"
#include "options.h"

#define SLOTS_MAX 64
/* The loss that no entity may be given up for. */
#define LOSS_BEARABLE 0.1

struct member {
        uint32_t index; /* in world.members */
        uint32_t node;
        uint32_t slot;
        struct entity *entity; /* NULL when it is over */
        struct address *address;
        uint64_t born;
        uint64_t died; /* TIME_NEVER while it lives */
};

struct node {
        struct deadline wake; /* first member */
        uint32_t index;
        struct engine *engine; /* NULL: not running */
        struct member *slots[SLOTS_MAX];
        int64_t wall_offset; /* ms */
        uint64_t started;
        bool clock_fell; /* its wall clock was set back once */
        bool slow;       /* its application pops events now and then only */
        uint64_t pop_at;
        bool touched;
        uint64_t settled_at;
        unsigned n_settled; /* times at that moment */
        uint64_t n_joined, n_left;
        uint64_t n_hellos; /* that it said */
        uint64_t rate_hellos;
};

/* What changed, for the time it may take until everybody knows (spec/simulation.md). */
enum change {
        CHANGE_START,     /* an entity started together with all others */
        CHANGE_JOIN,      /* one started later */
        CHANGE_BYE,       /* one said bye */
        CHANGE_SILENCE,   /* one died */
        CHANGE_HEAL,      /* some did not hear others for a time */
        CHANGE_CONFUSION, /* a clock was set back, or strangers were let in */
};

struct world {
        struct world_options options;
        struct crypto *crypto;
        struct crypto *stranger; /* with another key */
        struct network network;
        struct random random;
        struct node *nodes;
        struct member **members;
        uint32_t n_members;
        uint32_t members_size;
        uint32_t n_living;
        uint32_t n_places; /* that ever had a member */
        struct deadlines wakes;
        uint32_t *touched;
        uint32_t n_touched;
        uint64_t now;
        uint64_t check_at;
        uint64_t epoch;    /* when the first of those who live started */
        uint64_t aware_at; /* when everybody must know the living again */
        bool doubtful;     /* messages were missed, or seem so: time-outs may be longer */
        bool in_trouble;
        uint64_t trouble_since, longest_trouble;
        bool clock_fell;
        uint32_t n_strangers; /* sources made up by a flood */
        struct ledger ledger;
        uint64_t n_hellos;
        uint64_t rate_from, rate_hellos;
        uint64_t rate_members;
        uint64_t n_checks;
        struct failure failure;
};

void world_init(struct world *w, const struct world_options *options);
void world_deinit(struct world *w);

/* Starts a node with all its entities, unless it runs. */
void world_start(struct world *w, uint32_t node);
/* Ends it with mbus.bye. */
void world_stop(struct world *w, uint32_t node);
/* Ends it without a word. */
void world_kill(struct world *w, uint32_t node);
/* One entity more or less on a running node. */
void world_add_entity(struct world *w, uint32_t node, uint32_t slot);
void world_remove_entity(struct world *w, uint32_t node, uint32_t slot);
/* The living member with this place, or NULL. */
struct member *world_member(const struct world *w, uint32_t node, uint32_t slot);

/* A message from @from to all that match @dest, or to the one. */
void world_send(struct world *w, struct member *from, const struct address *dest, bool reliable);
void world_ping(struct world *w, struct member *from, const struct address *dest);
void world_step_clock(struct world *w, uint32_t node, int64_t ms);
void world_set_slow(struct world *w, uint32_t node, bool slow);
/* The SeqNums of each entity of the node begin @n before the wrap. */
void world_set_seq(struct world *w, uint32_t node, uint32_t n);

/* Who lives, or who hears whom, changed. */
void world_changed(struct world *w, enum change change);
uint64_t world_bound(const struct world *w, enum change change);
/* The network became better or worse. */
void world_watch_network(struct world *w);
/* Something happened to @node: it gets its tick at the end of this moment, or now. */
void world_touch(struct world *w, struct node *node);
void world_settle(struct world *w, struct node *node);
uint64_t node_wall(const struct world *w, const struct node *node);

/* Runs until @until, or the first failure. */
void world_run(struct world *w, uint64_t until);

#endif
