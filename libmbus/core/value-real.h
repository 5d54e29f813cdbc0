/*
 * value-real.h - Float parameters as text and back (RFC 3259, section 5.3), in every locale.
 *
 * What value_format_real() writes, value_real_from_text() reads back to the very same number.
 */
#ifndef MBUS_CORE_VALUE_REAL_H
#define MBUS_CORE_VALUE_REAL_H

#include "bytes.h"

/* Appends the shortest text that reads back as @real, which is finite: no exponent, a digit at
 * least on both sides of the point. */
void value_format_real(double real, struct buffer *out);

/* The double nearest to @text, "-"? digits "." digits; an infinity if that is out of range. */
double value_real_from_text(struct span text);

#endif
