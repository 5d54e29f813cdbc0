/*
 * scenario.h - what happens in a run: a list of timed actions, made from a kind and a seed.
 *
 * An action that makes no sense when its time comes (a message from a node that is not running) does
 * nothing, so any part of a list is a scenario, too; that is what shrinking needs.
 */
#ifndef MBUS_TESTS_SIM_SCENARIO_H
#define MBUS_TESTS_SIM_SCENARIO_H

#include "failure.h"
#include "options.h"

enum action_type {
        ACTION_START, /* `n` nodes from `node` on */
        ACTION_STOP,
        ACTION_KILL,
        ACTION_ADD, /* entity `slot` of `node` */
        ACTION_REMOVE,
        ACTION_SEND, /* `n` unreliable messages of node and slot; `seed` says to whom */
        ACTION_RELIABLE,
        ACTION_PING,
        ACTION_LOSS,   /* `n` in a thousand */
        ACTION_DIVIDE, /* into `n` sides */
        ACTION_CUT,    /* `node` is not heard by node `n` */
        ACTION_HEAL,
        ACTION_CLOCK, /* `shift` ms */
        ACTION_SLOW,  /* or, with n = 0, no longer */
        ACTION_SEQ,   /* `n` SeqNums before the wrap; right after a start */
        ACTION_FORGE, /* `n` datagrams */
        ACTION_FLOOD, /* `n` sources */
        ACTION_REPLAY,
        ACTION_AWARE, /* check: everybody knows the living */
        ACTION_RATE,  /* the measure of the hello rate begins, or, with n = 0, ends */
        /* Of links only. */
        ACTION_BREAK,  /* of the link of `node` */
        ACTION_STALL,  /* `node` gets no time for `n` ms */
        ACTION_RELOAD, /* of the configuration of broker `node` */
        ACTION_BABBLE, /* a stranger at broker `node` */
        ACTION_MAX
};

struct action {
        uint64_t at; /* ns */
        enum action_type type;
        uint32_t node;
        uint32_t slot;
        uint32_t n;
        int32_t shift;
        uint64_t seed;
};

struct scenario {
        const char *kind;
        uint64_t seed;
        struct world_options options;
        struct link_options links;
        struct action *actions; /* by time */
        size_t n;
        size_t size;
};

/* What a run came to. */
struct outcome {
        struct failure failure;
        uint64_t time; /* ns of virtual time */
        uint64_t n_messages;
        uint64_t n_delivered, n_failed; /* tickets */
        uint64_t n_datagrams;           /* copies that arrived */
        uint64_t n_checks;              /* of awareness and rate */
};

void scenario_deinit(struct scenario *s);
void scenario_add(struct scenario *s, struct action action);
/* A kind of scenarios; each program has its own (kinds.c, links/kinds.c). */
struct scenario_kind {
        const char *name;
        void (*make)(struct scenario *s, struct random *r);
        const char *about;
};

extern const struct scenario_kind kinds[];
extern const size_t n_kinds;

/* The kind that a seed has when none is named. */
const char *kind_of_seed(uint64_t seed);
/* The @i-th kind and what it is about, NULL behind the last. */
const char *kind_name(size_t i, const char **ret_about);
/* False if there is no such kind. */
bool scenario_make(const char *kind, uint64_t seed, struct scenario *ret_scenario);
/* From 0 to @n. */
static inline uint64_t upto(struct random *r, uint64_t n)
{
        return random_below(r, n + 1);
}

void scenario_play(const struct scenario *s, struct outcome *ret_outcome);
void scenario_print(const struct scenario *s);

#endif
