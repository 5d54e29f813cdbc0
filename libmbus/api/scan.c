/*
 * scan.c - parameters are read into variables, as their signature says.
 *
 * They are checked first and written then, so that nothing is written that is not all there.
 */
#include "signature.h"

#include <stdarg.h>

#include <assert.h>

int mbus_value_check(const struct mbus_value *args, const char *signature, size_t *ret_argument,
                     size_t *ret_at, const char **ret_what)
{
        struct signature_error error = { 0, 0, "there is no list, or no signature" };
        struct parse_error wrong;
        int r = MBUS_E_MALFORMED;

        if (signature && mbus_value_get_type(args) == MBUS_VALUE_LIST) {
                r = signature_parse(signature, &wrong);
                if (r != 0)
                        error = (struct signature_error){ 0, wrong.at, wrong.what };
                else
                        r = signature_match(signature, args, &error);
        }
        if (r == 0)
                return 0;
        if (ret_argument)
                *ret_argument = error.argument;
        if (ret_at)
                *ret_at = error.at;
        if (ret_what)
                *ret_what = error.what;
        return r;
}

/* Where values go. A va_list can be handed on by its address only from inside of a structure. */
struct places {
        const char *at; /* in the signature */
        va_list list;
};

static void put_text(struct places *p, const struct mbus_value *value)
{
        const char **place = va_arg(p->list, const char **);

        if (place && value)
                *place = mbus_value_get_text(value, NULL);
}

static void put_data(struct places *p, const struct mbus_value *value)
{
        const void **place = va_arg(p->list, const void **);
        size_t *place_n = va_arg(p->list, size_t *), n;
        const char *octets = mbus_value_get_text(value, &n);

        if (place && value)
                *place = octets;
        if (place_n && value)
                *place_n = n;
}

static void put_integer(struct places *p, const struct mbus_value *value)
{
        int64_t *place = va_arg(p->list, int64_t *);

        if (place && value)
                (void)mbus_value_get_integer(value, place);
}

static void put_float(struct places *p, const struct mbus_value *value)
{
        double *place = va_arg(p->list, double *);

        if (place && value)
                (void)mbus_value_get_float(value, place);
}

static void put_boolean(struct places *p, const struct mbus_value *value)
{
        bool *place = va_arg(p->list, bool *);
        int64_t integer = 0;

        /* What has more than 64 bits is not 0. */
        if (place && value)
                *place = mbus_value_get_integer(value, &integer) != 0 || integer != 0;
}

static void put_value(struct places *p, const struct mbus_value *value)
{
        const struct mbus_value **place = va_arg(p->list, const struct mbus_value **);

        if (place && value)
                *place = value;
}

static void put_rest(struct places *p, const struct mbus_value *list,
                     const struct mbus_value *value)
{
        const struct mbus_value **place = va_arg(p->list, const struct mbus_value **);
        size_t *place_n = va_arg(p->list, size_t *), n = 0;

        for (const struct mbus_value *v = value; v; v = mbus_value_next(list, v))
                n++;
        if (place && list)
                *place = value;
        if (place_n && list)
                *place_n = n;
}

static void put_one(struct places *p, const struct mbus_value *value)
{
        switch (*p->at) {
        case 's':
        case 'y':
                put_text(p, value);
                break;
        case 'd':
                put_data(p, value);
                break;
        case 'i':
                put_integer(p, value);
                break;
        case 'f':
                put_float(p, value);
                break;
        case 'b':
                put_boolean(p, value);
                break;
        default:
                assert(*p->at == 'v' || *p->at == 'l');
                put_value(p, value);
        }
}

/* Writes the items of @list from *@item on. NULL: left out, and their places not written. */
static void put_until(struct places *p, char end, const struct mbus_value *list,
                      const struct mbus_value **item)
{
        for (; *p->at != end; p->at++) {
                const struct mbus_value *inside = mbus_value_first(*item);

                switch (*p->at) {
                case ' ':
                        break;
                case '[':
                        p->at++;
                        put_until(p, ']', list, item);
                        break;
                case '*':
                        put_rest(p, list, *item);
                        *item = NULL;
                        break;
                case '(':
                        p->at++;
                        put_until(p, ')', *item, &inside);
                        *item = mbus_value_next(list, *item);
                        break;
                default:
                        put_one(p, *item);
                        *item = mbus_value_next(list, *item);
                }
        }
}

int mbus_value_scan(const struct mbus_value *args, const char *signature, ...)
{
        const struct mbus_value *first = mbus_value_first(args);
        struct places places = { .at = signature };
        int r = mbus_value_check(args, signature, NULL, NULL, NULL);

        if (r != 0)
                return r;
        va_start(places.list, signature);
        put_until(&places, '\0', args, &first);
        va_end(places.list);
        return 0;
}
