/*
 * shrink.c - delta debugging over the actions, then smaller numbers in those that are left.
 */
#include "shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

/* Runs that a shrinking may take, and their virtual datagrams in all: a crowd is slow to shrink. */
#define RUNS_MAX 3000
#define DATAGRAMS_MAX UINT64_C(100000000)

struct shrinking {
        struct scenario *s;
        struct outcome *outcome; /* of the shortest so far */
        unsigned n_runs;
        uint64_t n_datagrams;
};

void play_apart(const struct scenario *s, struct outcome *ret_outcome)
{
        struct outcome *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int status = 0;
        pid_t pid;

        must(shared == MAP_FAILED ? NULL : shared);
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
                scenario_play(s, shared);
                exit(0);
        }
        must(pid < 0 || waitpid(pid, &status, 0) < 0 ? NULL : shared);
        *ret_outcome = *shared;
        munmap(shared, sizeof(*shared));
        if (status != 0) {
                ret_outcome->failure.claim = "crash";
                snprintf(ret_outcome->failure.text, sizeof(ret_outcome->failure.text),
                         "the process ended with status %#x", (unsigned)status);
        }
}

/* Whether @s still fails in the same way. */
static bool still_fails(struct shrinking *sh)
{
        struct outcome outcome;

        if (++sh->n_runs > RUNS_MAX || sh->n_datagrams > DATAGRAMS_MAX)
                return false;
        play_apart(sh->s, &outcome);
        sh->n_datagrams += outcome.n_datagrams;
        if (!outcome.failure.claim ||
            strcmp(outcome.failure.claim, sh->outcome->failure.claim) != 0)
                return false;
        *sh->outcome = outcome;
        return true;
}

/* Tries without the actions [at, at + n). */
static bool leave_out(struct shrinking *sh, size_t at, size_t n)
{
        struct scenario *s = sh->s;
        struct action *all = s->actions;
        size_t n_all = s->n;
        struct action *fewer = must(malloc((n_all + 1) * sizeof(*fewer)));

        memcpy(fewer, all, at * sizeof(*all));
        memcpy(fewer + at, all + at + n, (n_all - at - n) * sizeof(*all));
        s->actions = fewer;
        s->n = n_all - n;
        if (still_fails(sh)) {
                free(all);
                s->size = n_all + 1;
                return true;
        }
        free(fewer);
        s->actions = all;
        s->n = n_all;
        return false;
}

static bool drop_actions(struct shrinking *sh)
{
        bool any = false;

        for (size_t n = sh->s->n / 2; n > 0; n = n > 1 ? (n + 1) / 2 : 0) {
                for (size_t at = 0; at < sh->s->n;) {
                        size_t piece = n < sh->s->n - at ? n : sh->s->n - at;

                        if (leave_out(sh, at, piece))
                                any = true;
                        else
                                at += piece;
                }
        }
        return any;
}

/* Tries a smaller number in place of *@number. */
static bool try_number(struct shrinking *sh, uint32_t *number, uint32_t smaller)
{
        uint32_t old = *number;

        if (smaller >= old)
                return false;
        *number = smaller;
        if (still_fails(sh))
                return true;
        *number = old;
        return false;
}

static bool lower_number(struct shrinking *sh, uint32_t *number, uint32_t least)
{
        bool any = false;

        while (*number > least) {
                if (!try_number(sh, number, least) &&
                    !try_number(sh, number, least + (*number - least) / 2) &&
                    !try_number(sh, number, *number - 1))
                        break;
                any = true;
        }
        return any;
}

static bool try_rule(struct shrinking *sh, double *rule)
{
        double old = *rule;

        if (old == 0)
                return false;
        *rule = 0;
        if (still_fails(sh))
                return true;
        *rule = old;
        return false;
}

static bool lower_numbers(struct shrinking *sh)
{
        struct world_options *options = &sh->s->options;
        bool any = lower_number(sh, &options->per_node, 1);

        any |= try_rule(sh, &options->network.loss);
        any |= try_rule(sh, &options->network.duplicate);
        any |= try_rule(sh, &options->network.echo);
        any |= try_rule(sh, &options->network.late);
        for (size_t i = 0; i < sh->s->n; ++i) {
                if (sh->s->actions[i].n > 1)
                        any |= lower_number(sh, &sh->s->actions[i].n, 1);
        }
        return any;
}

/* Nodes behind the last that is named. */
static void drop_nodes(struct shrinking *sh)
{
        lower_number(sh, &sh->s->options.n_nodes, 1);
}

void shrink(struct scenario *s, struct outcome *outcome)
{
        struct shrinking sh = { .s = s, .outcome = outcome };
        bool again = true;

        drop_nodes(&sh);
        while (again) {
                again = drop_actions(&sh);
                again |= lower_numbers(&sh);
        }
        printf("  shrunk to %zu actions in %u runs\n", s->n, sh.n_runs);
}
