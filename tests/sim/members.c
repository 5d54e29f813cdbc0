/*
 * members.c - a set of members, by their index.
 */
#include "members.h"

#include <stdlib.h>

#include "memory.h"

bool members_has(const struct members *members, uint32_t index)
{
        return index / 64 < members->n_words && members->words[index / 64] >> index % 64 & 1;
}

void members_add(struct members *members, uint32_t index)
{
        if (index / 64 >= members->n_words) {
                uint32_t n = index / 64 + 1;

                members->words = must(realloc(members->words, n * sizeof(*members->words)));
                while (members->n_words < n)
                        members->words[members->n_words++] = 0;
        }
        members->words[index / 64] |= UINT64_C(1) << index % 64;
}

void members_deinit(struct members *members)
{
        free(members->words);
        *members = (struct members){ NULL, 0 };
}
