/*
 * play.c - plays the actions of a scenario on a bus of engines.
 */
#include <stdio.h>
#include <stdlib.h>

#include "attack.h"
#include "memory.h"
#include "scenario.h"
#include "world.h"

/* T_r (1 + ... + N_r) of DIALECT=UCL: the longest that a ticket is open, once it is its turn. */
#define TICKET_NS_MAX                                                                              \
        (RELIABLE_N_R_UCL * (RELIABLE_N_R_UCL + 1) / 2 * RELIABLE_T_R_UCL_MS * NSEC_PER_MSEC)

/* ---- the actions ---- */

/* A destination: everybody, some, or one of the places. */
static size_t choose_dest(const struct world *w, uint64_t seed, char *text, size_t size)
{
        uint32_t node = (uint32_t)(seed >> 8) % w->options.n_nodes;
        uint32_t slot = (uint32_t)(seed >> 40) % w->options.per_node;
        char role = "abcd"[seed >> 50 & 3];
        unsigned room = (unsigned)(seed >> 52) % 7;

        switch (seed % 8) {
        case 0:
                return (size_t)snprintf(text, size, "()");
        case 1:
                return (size_t)snprintf(text, size, "(role:%c)", role);
        case 2:
                return (size_t)snprintf(text, size, "( room:%u app:sim )", room);
        case 3:
                return (size_t)snprintf(text, size, "(role:%c room:%u)", role, room);
        case 4:
                return (size_t)snprintf(text, size, "(app:other)");
        default:
                break;
        }
        return (size_t)snprintf(text, size, "(id:%u-%u@10.0.0.1)", node, slot);
}

static void send_some(struct world *w, const struct action *a)
{
        struct address dest;
        char text[80];

        for (uint32_t i = 0; i < a->n; ++i) {
                struct member *from = world_member(w, a->node, a->slot);
                /* To one place; where there is patience, to several sometimes. */
                bool one = w->options.patience == 0 || a->seed >> 60 < 12;
                uint64_t seed = a->type == ACTION_RELIABLE && one ? a->seed | 7 : a->seed;
                size_t n = choose_dest(w, seed, text, sizeof(text));

                if (!from || w->failure.claim)
                        return;
                must(address_parse((struct span){ text, n }, LENIENT, &dest, NULL, NULL) == 0
                             ? text
                             : NULL);
                if (a->type == ACTION_PING)
                        world_ping(w, from, &dest);
                else
                        world_send(w, from, &dest, a->type == ACTION_RELIABLE);
        }
}

static void for_nodes(struct world *w, const struct action *a,
                      void (*act)(struct world *w, uint32_t node))
{
        for (uint32_t i = 0; i < a->n && a->node + i < w->options.n_nodes; ++i)
                act(w, a->node + i);
}

static void change_network(struct world *w, const struct action *a)
{
        switch (a->type) {
        case ACTION_LOSS:
                w->network.rules.loss = a->n / 1000.0;
                break;
        case ACTION_DIVIDE:
                network_divide(&w->network, a->seed, a->n);
                break;
        case ACTION_CUT:
                network_cut(&w->network, a->node, a->n);
                break;
        default:
                network_heal(&w->network);
                break;
        }
        world_watch_network(w);
        world_changed(w, CHANGE_HEAL);
}

static void act(struct world *w, const struct action *a)
{
        /* Shrinking leaves nodes out that actions name. */
        if (a->node >= w->options.n_nodes || (a->type == ACTION_CUT && a->n >= w->options.n_nodes))
                return;
        switch (a->type) {
        case ACTION_START:
                for_nodes(w, a, world_start);
                break;
        case ACTION_STOP:
                for_nodes(w, a, world_stop);
                break;
        case ACTION_KILL:
                for_nodes(w, a, world_kill);
                break;
        case ACTION_ADD:
                world_add_entity(w, a->node, a->slot);
                break;
        case ACTION_REMOVE:
                world_remove_entity(w, a->node, a->slot);
                break;
        case ACTION_SEND:
        case ACTION_RELIABLE:
        case ACTION_PING:
                send_some(w, a);
                break;
        case ACTION_LOSS:
        case ACTION_DIVIDE:
        case ACTION_CUT:
        case ACTION_HEAL:
                change_network(w, a);
                break;
        case ACTION_CLOCK:
                world_step_clock(w, a->node, a->shift);
                break;
        case ACTION_SLOW:
                world_set_slow(w, a->node, a->n);
                break;
        case ACTION_SEQ:
                world_set_seq(w, a->node, a->n);
                break;
        case ACTION_FORGE:
                attack_forge(w, a->seed, a->n);
                break;
        case ACTION_FLOOD:
                attack_flood(w, a->seed, a->n);
                break;
        case ACTION_REPLAY:
                network_replay(&w->network, w->now, a->seed);
                break;
        case ACTION_AWARE:
                check_awareness(w);
                break;
        case ACTION_RATE:
                if (a->n)
                        begin_rate(w);
                else
                        check_rate(w);
                break;
        case ACTION_BREAK:
        case ACTION_STALL:
        case ACTION_RELOAD:
        case ACTION_BABBLE:
        case ACTION_MAX:
                break;
        }
}

/* By when the last ticket has ended, even if they go one after the other. One that then still waits for
 * its turn would wait for ever; check_letters() says so. */
static uint64_t last_end(const struct world *w)
{
        uint64_t n = w->ledger.n - w->ledger.first_open;

        return w->now + w->options.pop_gap + (n + 1) * TICKET_NS_MAX;
}

static bool has_open_tickets(const struct world *w, uint64_t until)
{
        return w->ledger.first_open < w->ledger.n && w->now < until;
}

/* The network becomes usable, time goes on until all must be known and said. */
static void finish(struct world *w)
{
        uint64_t until;

        if (w->network.is_divided || w->network.n_cuts || w->network.rules.loss > LOSS_BEARABLE) {
                network_heal(&w->network);
                if (w->network.rules.loss > LOSS_BEARABLE)
                        w->network.rules.loss = LOSS_BEARABLE;
                world_watch_network(w);
                world_changed(w, CHANGE_HEAL);
        }
        for (uint32_t i = 0; i < w->options.n_nodes; ++i)
                world_set_slow(w, i, false);
        /* What was sent last is still under way. */
        world_run(w, w->now + network_latency(&w->network));
        until = last_end(w);
        while (!w->failure.claim && (w->aware_at > w->now || has_open_tickets(w, until))) {
                uint64_t next = w->now + NSEC_PER_SEC;

                world_run(w, w->aware_at > next ? w->aware_at : next);
                check_overdue(w);
        }
        check_awareness(w);
        check_letters(w);
        for (uint32_t i = 0; i < w->options.n_nodes; ++i) {
                if (w->nodes[i].engine)
                        check_bounds(w, &w->nodes[i]);
        }
}

void scenario_play(const struct scenario *s, struct outcome *ret_outcome)
{
        struct world w;

        world_init(&w, &s->options);
        for (size_t i = 0; i < s->n && !w.failure.claim; ++i) {
                world_run(&w, s->actions[i].at);
                if (!w.failure.claim)
                        act(&w, &s->actions[i]);
        }
        if (!w.failure.claim)
                finish(&w);
        *ret_outcome = (struct outcome){ .failure = w.failure,
                                         .time = w.now,
                                         .n_messages = w.ledger.n,
                                         .n_delivered = w.ledger.n_delivered,
                                         .n_failed = w.ledger.n_failed,
                                         .n_datagrams = w.network.n_delivered,
                                         .n_checks = w.n_checks };
        world_deinit(&w);
}
