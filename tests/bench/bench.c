/*
 * bench.c - what the measurements share: rounds, medians, verdicts, and a network of their own.
 */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK "--inside"
#define ARGUMENTS_MAX 8

void bench_check(bool ok, const char *what)
{
        if (ok)
                return;
        fprintf(stderr, "%s: failed: %s\n", program_invocation_short_name, what);
        exit(1);
}

static int compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

double bench_median(double *numbers, size_t n)
{
        qsort(numbers, n, sizeof(*numbers), compare);
        return numbers[n / 2];
}

bool bench_stay_on(int i)
{
        static cpu_set_t all;
        cpu_set_t one;
        int cpu = -1;

        if (CPU_COUNT(&all) == 0)
                bench_check(sched_getaffinity(0, sizeof(all), &all) == 0, "sched_getaffinity");
        if (i >= CPU_COUNT(&all))
                return false;
        CPU_ZERO(&one);
        for (int n = 0; n <= i; n++) {
                while (!CPU_ISSET(++cpu, &all))
                        ;
        }
        if (i >= 0)
                CPU_SET(cpu, &one);
        bench_check(sched_setaffinity(0, sizeof(one), i < 0 ? &all : &one) == 0,
                    "sched_setaffinity");
        return true;
}

int bench_isolate(int argc, char **argv, unsigned seconds)
{
        static char wrapper[] = IN_NAMESPACE, mark[] = MARK;
        char *arguments[ARGUMENTS_MAX + 3] = { wrapper };

        if (strcmp(argv[argc - 1], MARK) == 0) {
                alarm(seconds);
                setvbuf(stdout, NULL, _IOLBF, 0);
                return argc - 1;
        }
        bench_check(argc <= ARGUMENTS_MAX, "too many arguments");
        for (int i = 0; i < argc; i++)
                arguments[i + 1] = argv[i];
        arguments[argc + 1] = mark;
        execv(IN_NAMESPACE, arguments);
        perror(IN_NAMESPACE);
        exit(77);
}

static void print_verdict(const char *what, double value, const char *relation, double budget,
                          bool holds)
{
        printf("  %-32s %10.2f   budget %s %-7.6g %s\n", what, value, relation, budget,
               holds ? "holds" : "MISSED");
}

void bench_at_least(const char *what, double value, double budget)
{
        print_verdict(what, value, ">=", budget, value >= budget);
}

void bench_at_most(const char *what, double value, double budget)
{
        print_verdict(what, value, "<=", budget, value <= budget);
}
