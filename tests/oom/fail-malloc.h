/*
 * fail-malloc.h - memory that runs out on demand.
 *
 * A test that links fail-malloc.c with -Wl,--wrap for malloc and its relatives replays a scenario
 * once for each allocation in it, twice over: only that one fails, and that one and all behind it.
 */
#ifndef MBUS_TESTS_FAIL_MALLOC_H
#define MBUS_TESTS_FAIL_MALLOC_H

#include "trial.h"

/* libgcrypt takes its memory here, too. To be called before anything else. */
void fail_malloc_init(void);

/* Replays @scenario until no allocation is left to fail, and prints how many there were. */
void fail_each_malloc(const char *name, void (*scenario)(struct trial *t));

/* From here on there is memory again: for the end of a scenario, in which all has to work. */
void fail_malloc_stop(void);
/* Somebody else has a turn: nothing fails, and nothing is counted, until @pause is false again. */
void fail_malloc_pause(bool pause);
/* Blocks that are allocated and not freed. */
size_t fail_malloc_live(void);
/* Prints the blocks that are live and were allocated after the first @n of all. */
void fail_malloc_report(size_t n);
/* Allocations so far. */
size_t fail_malloc_n(void);

#endif
