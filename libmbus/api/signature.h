/*
 * signature.h - what parameters a command has, as a small text: "s i [f]" (mbus.h,
 * mbus_value_scan()).
 */
#ifndef MBUS_API_SIGNATURE_H
#define MBUS_API_SIGNATURE_H

#include "public.h"

#include <core/bytes.h>
#include <core/error.h>

/* Where and why parameters are not as their signature says. */
struct signature_error {
        size_t argument; /* which of the outermost parameters it is, from 0 */
        size_t at;       /* the offset of what it violates in the signature */
        const char *what;
};

/* Whether @signature is one. 0 or MBUS_E_MALFORMED. */
int signature_parse(const char *signature, struct parse_error *error);
/* Whether the parameters @args, a list, are as @signature, which is one, says. 0; MBUS_E_TYPE (one
 * is of another type, or there are fewer or more), MBUS_E_TOO_LARGE (an integer has more than 64
 * bits). */
int signature_match(const char *signature, const struct mbus_value *args,
                    struct signature_error *error);

#endif
