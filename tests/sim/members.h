/*
 * members.h - a set of members, by their index.
 */
#ifndef MBUS_TESTS_SIM_MEMBERS_H
#define MBUS_TESTS_SIM_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct members {
        uint64_t *words;
        uint32_t n_words;
};

bool members_has(const struct members *members, uint32_t index);
void members_add(struct members *members, uint32_t index);
void members_deinit(struct members *members);

#endif
