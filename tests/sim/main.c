/*
 * main.c - runs scenarios by their seeds, and shrinks the first that fails.
 *
 *      sim --seed N [--scenario KIND]          one run
 *      sim --seeds A..B [--scenario KIND]      a row of them
 *      sim --list                              the kinds
 *      --no-shrink, --apart (each run in a process of its own), --print (the actions), --quiet
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "scenario.h"
#include "shrink.h"

struct arguments {
        uint64_t first, last;
        const char *kind;
        bool no_shrink, apart, print, quiet;
};

struct totals {
        uint64_t n_runs, n_failures, time, n_messages, n_tickets, n_datagrams, n_checks;
};

static double seconds(void)
{
        struct rusage own, children;

        getrusage(RUSAGE_SELF, &own);
        getrusage(RUSAGE_CHILDREN, &children);
        return (double)(own.ru_utime.tv_sec + children.ru_utime.tv_sec) +
               (double)(own.ru_utime.tv_usec + children.ru_utime.tv_usec) / 1e6;
}

static int usage(void)
{
        fputs("usage: sim --seed N | --seeds A..B | --list [--scenario KIND] [--no-shrink] "
              "[--apart] [--print] [--quiet]\n",
              stderr);
        return 2;
}

static int list_kinds(void)
{
        const char *name, *about;

        for (size_t i = 0; (name = kind_name(i, &about)); ++i)
                printf("%-20s%s\n", name, about);
        return 0;
}

static void report(const struct arguments *arg, struct scenario *s, struct outcome *outcome)
{
        const struct failure *failure = &outcome->failure;

        printf("FAILED seed %llu, scenario %s, at %.6f s: %s: %s\n", (unsigned long long)s->seed,
               s->kind, (double)failure->at / 1e9, failure->claim, failure->text);
        printf("repeat: build/tests/sim/%s --seed %llu --scenario %s\n",
               program_invocation_short_name, (unsigned long long)s->seed, s->kind);
        if (arg->no_shrink)
                return;
        shrink(s, outcome);
        printf("  %s: %s\n", failure->claim, failure->text);
        scenario_print(s);
}

static bool run(const struct arguments *arg, uint64_t seed, struct totals *totals)
{
        const char *kind = arg->kind ? arg->kind : kind_of_seed(seed);
        struct scenario s;
        struct outcome outcome;

        if (!scenario_make(kind, seed, &s)) {
                fprintf(stderr, "sim: there is no scenario %s; --list names them\n", kind);
                exit(2);
        }
        if (arg->print)
                scenario_print(&s);
        if (arg->apart)
                play_apart(&s, &outcome);
        else
                scenario_play(&s, &outcome);
        ++totals->n_runs;
        totals->time += outcome.time;
        totals->n_messages += outcome.n_messages;
        totals->n_tickets += outcome.n_delivered + outcome.n_failed;
        totals->n_datagrams += outcome.n_datagrams;
        totals->n_checks += outcome.n_checks;
        if (outcome.failure.claim) {
                ++totals->n_failures;
                report(arg, &s, &outcome);
        }
        scenario_deinit(&s);
        return !outcome.failure.claim;
}

static bool read_arguments(int argc, char **argv, struct arguments *ret_arg)
{
        char *end;

        *ret_arg = (struct arguments){ .first = 1, .last = 0 };
        for (int i = 1; i < argc; ++i) {
                const char *value = i + 1 < argc ? argv[i + 1] : NULL;

                if (!strcmp(argv[i], "--no-shrink")) {
                        ret_arg->no_shrink = true;
                } else if (!strcmp(argv[i], "--apart")) {
                        ret_arg->apart = true;
                } else if (!strcmp(argv[i], "--print")) {
                        ret_arg->print = true;
                } else if (!strcmp(argv[i], "--quiet")) {
                        ret_arg->quiet = true;
                } else if (!strcmp(argv[i], "--scenario") && value) {
                        ret_arg->kind = argv[++i];
                } else if (!strncmp(argv[i], "--seed", 6) && value) {
                        ret_arg->first = ret_arg->last = strtoull(argv[++i], &end, 10);
                        if (!strncmp(end, "..", 2))
                                ret_arg->last = strtoull(end + 2, &end, 10);
                        if (*end)
                                return false;
                } else {
                        return false;
                }
        }
        return ret_arg->first <= ret_arg->last;
}

int main(int argc, char **argv)
{
        struct totals totals = { 0 };
        struct arguments arg;
        double start, took;
        bool ok = true;

        if (argc == 2 && !strcmp(argv[1], "--list"))
                return list_kinds();
        if (!read_arguments(argc, argv, &arg))
                return usage();
        start = seconds();
        for (uint64_t seed = arg.first; ok && seed <= arg.last; ++seed)
                ok = run(&arg, seed, &totals);
        took = seconds() - start;
        if (!arg.quiet || !ok)
                printf("%llu runs, %llu failed: %.2f h, %llu messages, %llu tickets, "
                       "%llu datagrams arrived, %llu checks of all; %.1f s, %.0f datagrams/s\n",
                       (unsigned long long)totals.n_runs, (unsigned long long)totals.n_failures,
                       (double)totals.time / 3600e9, (unsigned long long)totals.n_messages,
                       (unsigned long long)totals.n_tickets, (unsigned long long)totals.n_datagrams,
                       (unsigned long long)totals.n_checks, took,
                       took > 0 ? (double)totals.n_datagrams / took : 0.0);
        return ok ? 0 : 1;
}
