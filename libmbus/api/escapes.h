/*
 * escapes.h - escapes in strings that an application wrote.
 */
#ifndef MBUS_API_ESCAPES_H
#define MBUS_API_ESCAPES_H

#include <core/command.h>

/* Whoever receives an escape that the grammar does not know takes what follows for itself
 * (spec/errata.md, 41), so that the backslash vanishes: hardly what somebody wanted who wrote
 * it. 0, or MBUS_E_MALFORMED with the place in @text, from which @p was parsed. */
int escapes_check(const struct payload *p, struct span text, struct parse_error *error);

#endif
