/*
 * damage.h - texts for tests that cut and damage them, always in the same way.
 */
#ifndef MBUS_TESTS_DAMAGE_H
#define MBUS_TESTS_DAMAGE_H

#include <check.h>
#include <stdlib.h>

#include "core/bytes.h"

#define DAMAGE_SEED UINT64_C(0x3259)

/* A copy that ends where its memory ends, so that a reader that goes too far is caught; freed with
 * free(). */
static inline char *copy_exactly(const char *at, size_t n)
{
        char *copy = malloc(n > 0 ? n : 1);

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, at, n);
        return copy;
}

static inline uint64_t next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

/* Changes one to three octets, half of the time to one that means something to a parser. */
static inline void damage(char *at, size_t n, uint64_t *state)
{
        static const char octets[] = "()\"\\<>=\r\n \t.-_:09azAZ\x80\xc3\xff%";
        unsigned k;

        for (k = (unsigned)(next_random(state) % 3) + 1; k > 0; k--) {
                uint64_t dice = next_random(state);
                char octet = (char)(dice >> 41);

                if (dice & UINT64_C(1) << 40)
                        octet = octets[(dice >> 41) % (sizeof(octets) - 1)];
                at[dice % n] = octet;
        }
}

#endif
