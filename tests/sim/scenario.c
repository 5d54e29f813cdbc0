/*
 * scenario.c - lists of actions: made, printed.
 */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const char *const action_names[ACTION_MAX] = {
        [ACTION_START] = "start",       [ACTION_STOP] = "stop",     [ACTION_KILL] = "kill",
        [ACTION_ADD] = "add",           [ACTION_REMOVE] = "remove", [ACTION_SEND] = "send",
        [ACTION_RELIABLE] = "reliable", [ACTION_PING] = "ping",     [ACTION_LOSS] = "loss",
        [ACTION_DIVIDE] = "divide",     [ACTION_CUT] = "cut",       [ACTION_HEAL] = "heal",
        [ACTION_CLOCK] = "clock",       [ACTION_SLOW] = "slow",     [ACTION_SEQ] = "seq",
        [ACTION_FORGE] = "forge",       [ACTION_FLOOD] = "flood",   [ACTION_REPLAY] = "replay",
        [ACTION_AWARE] = "aware",       [ACTION_RATE] = "rate",     [ACTION_BREAK] = "break",
        [ACTION_STALL] = "stall",       [ACTION_RELOAD] = "reload", [ACTION_BABBLE] = "babble",
};

void scenario_deinit(struct scenario *s)
{
        free(s->actions);
}

void scenario_add(struct scenario *s, struct action action)
{
        size_t i;

        if (s->n == s->size) {
                s->size = s->size ? s->size * 2 : 64;
                s->actions = must(realloc(s->actions, s->size * sizeof(*s->actions)));
        }
        /* In the order of time; what comes at one time, in the order of the calls. */
        for (i = s->n++; i > 0 && s->actions[i - 1].at > action.at; --i)
                s->actions[i] = s->actions[i - 1];
        s->actions[i] = action;
}

void scenario_print(const struct scenario *s)
{
        const struct world_options *o = &s->options;
        const struct network_rules *r = &o->network;

        printf("  scenario %s, seed %llu: %u nodes of %u, loss %g, duplicates %g, echo %g, late %g "
               "(%g ms), delay %g to %g ms\n",
               s->kind, (unsigned long long)s->seed, o->n_nodes, o->per_node, r->loss, r->duplicate,
               r->echo, r->late, (double)r->late_max / 1e6, (double)r->delay_min / 1e6,
               (double)r->delay_max / 1e6);
        for (size_t i = 0; i < s->n; ++i) {
                const struct action *a = &s->actions[i];

                printf("  %12.6f s  %-8s node %u slot %u n %u shift %d seed %llu\n",
                       (double)a->at / 1e9, action_names[a->type], a->node, a->slot, a->n, a->shift,
                       (unsigned long long)a->seed);
        }
}

/* ---- kinds --------------------------------------------------------------------------------- */

const char *kind_name(size_t i, const char **ret_about)
{
        if (i >= n_kinds)
                return NULL;
        *ret_about = kinds[i].about;
        return kinds[i].name;
}

bool scenario_make(const char *kind, uint64_t seed, struct scenario *ret_scenario)
{
        struct random random;

        for (size_t i = 0; i < n_kinds; ++i) {
                if (strcmp(kinds[i].name, kind) != 0)
                        continue;
                *ret_scenario = (struct scenario){ .kind = kinds[i].name,
                                                   .seed = seed,
                                                   .options = { .seed = seed } };
                random_init(&random, seed);
                kinds[i].make(ret_scenario, &random);
                return true;
        }
        return false;
}
