/*
 * seed.h - the random numbers of a test that tries many cases: the same in every run, others with
 * SEED=number in the environment. The seed is printed, so that a failure can be repeated.
 */
#ifndef MBUS_TESTS_SEED_H
#define MBUS_TESTS_SEED_H

#include <stdio.h>
#include <stdlib.h>

#include "core/random.h"

static inline struct random seeded(const char *what)
{
        const char *text = getenv("SEED");
        unsigned long long seed = text ? strtoull(text, NULL, 0) : 3259;
        struct random r;

        printf("%s: SEED=%llu\n", what, seed);
        random_init(&r, seed);
        return r;
}

#endif
