/*
 * bench.h - what the measurements share: rounds, medians, verdicts, and a network of their own.
 *
 * A measurement compares two things in one run, in turns, so that what else the machine does hits
 * both. It prints a ratio, what the ratio should be, and whether it is; it fails only when it could
 * not measure.
 */
#ifndef MBUS_BENCH_H
#define MBUS_BENCH_H

#include <stdbool.h>
#include <stddef.h>

/* Ends the process with a sentence unless @ok. */
void bench_check(bool ok, const char *what);
/* Reorders @numbers. */
double bench_median(double *numbers, size_t n);

/*
 * Keeps this process and its children on one processor, the @i-th of those that it had in the
 * beginning; -1: on all of these. False: there are not so many.
 *
 * In a round trip only one process runs at a time. Whether the next is woken on the same processor or
 * on another one makes a difference of five times, and chance decides, unless somebody else does.
 */
bool bench_stay_on(int i);

/*
 * Returns in a network namespace in which nothing but lo is up, with @seconds to live; the process
 * is replaced once for that. Returns @argc without the mark that is left on the command line.
 */
int bench_isolate(int argc, char **argv, unsigned seconds);

/* Prints @what, @value and whether it is at least, or at most, @budget. */
void bench_at_least(const char *what, double value, double budget);
void bench_at_most(const char *what, double value, double budget);

#endif
