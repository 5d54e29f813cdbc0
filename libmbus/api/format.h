/*
 * format.h - commands from a format and arguments, as printf(3) writes texts.
 */
#ifndef MBUS_API_FORMAT_H
#define MBUS_API_FORMAT_H

#include "public.h"

#include <stdarg.h>

#include <core/bytes.h>
#include <core/error.h>

/*
 * Appends what @format becomes to @out, up to the piece of it (an octet, or a conversion) that
 * makes it longer than @most. *@ret_at is where that piece, or the mistake, stands in @format; its
 * end if there is none. 0; MBUS_E_MALFORMED with a sentence; -ENOMEM.
 */
int format_expand(struct buffer *out, size_t most, const char *format, va_list arguments,
                  size_t *ret_at, const char **ret_what);

#endif
