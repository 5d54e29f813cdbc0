/*
 * value.c - what an application may ask of a received parameter (RFC 3259, section 5.3).
 *
 * A struct mbus_value is a struct value under its public name: a node in the row of nodes of its
 * message, whose siblings are found by skipping what is inside of it.
 */
#include "public.h"

#include <core/value.h>

static const struct value *value_of(const struct mbus_value *value)
{
        return (const struct value *)value;
}

enum mbus_value_type mbus_value_get_type(const struct mbus_value *value)
{
        return value ? value_of(value)->type : MBUS_VALUE_MAX;
}

int mbus_value_get_integer(const struct mbus_value *value, int64_t *ret_integer)
{
        const struct value *v = value_of(value);

        if (!v || !ret_integer)
                return MBUS_E_MALFORMED;
        if (v->type != MBUS_VALUE_INTEGER)
                return MBUS_E_TYPE;
        if (v->overflow)
                return MBUS_E_TOO_LARGE;
        *ret_integer = v->integer;
        return 0;
}

/* The real nearest to an integer of any length. */
static double real_from_digits(struct span digits)
{
        double real = 0;
        bool negative = digits.n > 0 && digits.at[0] == '-';

        for (size_t i = negative; i < digits.n; i++)
                real = real * 10 + (digits.at[i] - '0');
        return negative ? -real : real;
}

int mbus_value_get_float(const struct mbus_value *value, double *ret_real)
{
        const struct value *v = value_of(value);

        if (!v || !ret_real)
                return MBUS_E_MALFORMED;
        if (v->type == MBUS_VALUE_FLOAT)
                *ret_real = v->real;
        else if (v->type != MBUS_VALUE_INTEGER)
                return MBUS_E_TYPE;
        else
                *ret_real = v->overflow ? real_from_digits(v->raw) : (double)v->integer;
        return 0;
}

const char *mbus_value_get_text(const struct mbus_value *value, size_t *ret_n)
{
        const struct value *v = value_of(value);

        if (!v)
                return NULL;
        if (v->type != MBUS_VALUE_STRING && v->type != MBUS_VALUE_SYMBOL &&
            v->type != MBUS_VALUE_DATA)
                return NULL;
        if (ret_n)
                *ret_n = v->text.n;
        return v->text.at;
}

const char *mbus_value_get_raw(const struct mbus_value *value, size_t *ret_n)
{
        if (!value)
                return NULL;
        if (ret_n)
                *ret_n = value_of(value)->raw.n;
        return value_of(value)->raw.at;
}

size_t mbus_value_get_n(const struct mbus_value *value)
{
        return value && value_of(value)->type == MBUS_VALUE_LIST ? value_of(value)->items : 0;
}

const struct mbus_value *mbus_value_first(const struct mbus_value *list)
{
        if (mbus_value_get_n(list) == 0)
                return NULL;
        return (const struct mbus_value *)(value_of(list) + 1);
}

const struct mbus_value *mbus_value_next(const struct mbus_value *list,
                                         const struct mbus_value *item)
{
        const struct value *next;

        if (!list || !item)
                return NULL;
        next = value_of(item) + value_of(item)->nodes;
        return next < value_of(list) + value_of(list)->nodes ? (const struct mbus_value *)next
                                                             : NULL;
}
