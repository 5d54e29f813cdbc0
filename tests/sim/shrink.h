/*
 * shrink.h - from a scenario that fails to a short one that fails in the same way.
 */
#ifndef MBUS_TESTS_SIM_SHRINK_H
#define MBUS_TESTS_SIM_SHRINK_H

#include "scenario.h"

/* Plays @s in a process of its own, so that a crash is an outcome, too: claim "crash". */
void play_apart(const struct scenario *s, struct outcome *ret_outcome);
/* Leaves actions, numbers and nodes out of @s as long as it fails with the same claim; @outcome
 * becomes that of the shortest. */
void shrink(struct scenario *s, struct outcome *outcome);

#endif
