/*
 * random.c - PCG-XSH-RR 64/32: a 64-bit linear congruential state, and an output of 32 bits that is
 * its better half, xor-shifted and rotated by its top five bits.
 *
 * For the dither and the delays of RFC 3259, sections 8 and 9. Equal seeds give equal runs, on any
 * machine.
 */
#include "random.h"

#include <assert.h>

#define MULTIPLIER UINT64_C(6364136223846793005)
/* Any odd number makes a full period; this is the stream of the generator's published examples. */
#define INCREMENT UINT64_C(109)

void random_init(struct random *r, uint64_t seed)
{
        *r = (struct random){ .state = seed + INCREMENT, .increment = INCREMENT };
        random_u32(r);
}

uint32_t random_u32(struct random *r)
{
        uint64_t state = r->state;
        uint32_t mixed = (uint32_t)((state >> 18 ^ state) >> 27);
        unsigned turn = (unsigned)(state >> 59);

        r->state = state * MULTIPLIER + r->increment;
        return mixed >> turn | mixed << (-turn & 31);
}

uint64_t random_u64(struct random *r)
{
        uint64_t high = random_u32(r);

        return high << 32 | random_u32(r);
}

double random_unit(struct random *r)
{
        /* 53 bits are what a double holds, so that no result is rounded up to 1. */
        return (double)(random_u64(r) >> 11) * 0x1p-53;
}

uint64_t random_below(struct random *r, uint64_t n)
{
        uint64_t reject, x;

        assert(n > 0);
        /* 2^64 mod n: the lowest so many numbers would make the remainders uneven. */
        reject = -n % n;
        do
                x = random_u64(r);
        while (x < reject);
        return x % n;
}
