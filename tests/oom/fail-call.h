/*
 * fail-call.h - system calls that fail on demand.
 *
 * A test that links fail-call.c with -Wl,--wrap for all that is listed there replays a scenario once
 * for each call of each function and each error that fits it.
 */
#ifndef MBUS_TESTS_FAIL_CALL_H
#define MBUS_TESTS_FAIL_CALL_H

#include "trial.h"

/* Replays @scenario, and prints which calls it made and how often. */
void fail_each_call(const char *name, void (*scenario)(struct trial *t));
/* From here on nothing fails any more. */
void fail_call_stop(void);
/* Somebody else has a turn: nothing fails, and nothing is counted, until @pause is false again. */
void fail_call_pause(bool pause);
/* What strerror() says of the error of this run. */
const char *fail_call_cause(void);

#endif
