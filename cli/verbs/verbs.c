/*
 * verbs.c - see verbs.h.
 */
#include "verbs.h"

#define POINTER(name) &verb_##name,

const struct verb *const verbs[] = { VERBS(POINTER) NULL };
