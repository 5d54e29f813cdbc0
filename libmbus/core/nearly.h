/*
 * nearly.h - whether a name may be a slip of the pen for another: what configurations and commands
 * are asked before they say that something is unknown.
 */
#ifndef MBUS_CORE_NEARLY_H
#define MBUS_CORE_NEARLY_H

#include "bytes.h"

/* Longer names than this are nobody's slip of the pen. */
#define NEARLY_MAX 32

/* Whether few letters of @name must be added, removed, exchanged or swapped with their neighbour to
 * make @known of it: two, or one if @known has four letters at most. Case does not matter. */
bool is_nearly(struct span name, const char *known);

#endif
