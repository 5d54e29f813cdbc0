/*
 * error.h - how functions of this project say what happened.
 *
 *   0    it worked
 *   < 0  -errno: the environment failed (memory, a socket). Forwarded upwards, never matched on.
 *   > 0  MBUS_E_*: a documented outcome of this function, for its caller to handle.
 *
 * The outcomes are those of the public header, which is the vocabulary of all rings.
 */
#ifndef MBUS_CORE_ERROR_H
#define MBUS_CORE_ERROR_H

#include <errno.h>
#include <stddef.h>

#include "../mbus.h"

/*
 * Where a text went wrong. Every parser takes one, or NULL, and fills it only when it fails: `at`
 * counts octets from the start of the text that was given, `what` is a sentence without a full stop
 * in static storage.
 */
struct parse_error {
        size_t at;
        const char *what;
};

/* Fills @error, if there is one, and returns MBUS_E_MALFORMED. */
static inline int parse_fail(struct parse_error *error, size_t at, const char *what)
{
        if (error)
                *error = (struct parse_error){ .at = at, .what = what };
        return MBUS_E_MALFORMED;
}

#endif
