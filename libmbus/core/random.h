/*
 * random.h - a seeded generator (PCG-XSH-RR 64/32), so that every run repeats from its seed.
 *
 * For delays and dither only; keys come from the operating system, through the io ring.
 */
#ifndef MBUS_CORE_RANDOM_H
#define MBUS_CORE_RANDOM_H

#include <stdint.h>

struct random {
        uint64_t state;
        uint64_t increment;
};

void random_init(struct random *r, uint64_t seed);
uint32_t random_u32(struct random *r);
uint64_t random_u64(struct random *r);
/* An even distribution over [0, 1). */
double random_unit(struct random *r);
/* An even distribution over [0, @n); @n is not 0. */
uint64_t random_below(struct random *r, uint64_t n);

#endif
