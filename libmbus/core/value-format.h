/*
 * value-format.h - values as canonical text (RFC 3259, section 5.3).
 */
#ifndef MBUS_CORE_VALUE_FORMAT_H
#define MBUS_CORE_VALUE_FORMAT_H

#include "value.h"

/* Appends the canonical text of @v: one space between items, shortest digits, only \\ \" \n
 * escaped. Integers and floats keep the digits they were written with. */
void value_format(const struct value *v, struct buffer *out);
/* The same of a list, with a space before each ")" of it and of those inside that are not empty, as
 * libgmbus needs it. */
void value_format_spaced(const struct value *list, struct buffer *out);

/* The pieces of value_format, for those who build a text without a struct value; for floats there
 * is value_format_real() in value-real.h. */
void value_format_string(struct span text, struct buffer *out); /* quotes and escapes */
void value_format_data(struct span bytes, struct buffer *out);

#endif
