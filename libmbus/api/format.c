/*
 * format.c - commands from a format and arguments, as printf(3) writes texts (RFC 3259, section
 * 5.3).
 *
 * A conversion stands for one whole value, so that no argument can end a string, a list or a
 * command: a text is quoted and escaped, and a number is written as the RFC does, in every locale.
 * What the format then has become is read like any other text of commands.
 */
#include "format.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <core/value-format.h>
#include <core/value-real.h>

#include "commands.h"

/* Digits of a precision are two at most: "-", 309 digits, a point of some octets, 99 digits. */
#define PRECISION_MAX 99
#define ROUNDED_SIZE 432

enum length {
        LENGTH_INT,
        LENGTH_CHAR,
        LENGTH_SHORT,
        LENGTH_LONG,
        LENGTH_LLONG,
        LENGTH_SIZE,
        LENGTH_MAX,
        LENGTH_DIFF
};

struct conversion {
        enum length length;
        int precision; /* -1: none */
        char letter;
};

/* A va_list can be handed on by its address only from inside of a structure. */
struct arguments {
        va_list list;
};

static const char *read_precision(const char **f, struct conversion *k)
{
        k->precision = -1;
        if (**f != '.')
                return NULL;
        ++*f;
        for (k->precision = 0; is_digit(**f); ++*f) {
                k->precision = k->precision * 10 + (**f - '0');
                if (k->precision > PRECISION_MAX)
                        return "this precision is too large";
        }
        return NULL;
}

static void read_length(const char **f, struct conversion *k)
{
        static const struct {
                const char *text;
                enum length length;
        } lengths[] = {
                { "hh", LENGTH_CHAR }, { "h", LENGTH_SHORT }, { "ll", LENGTH_LLONG },
                { "l", LENGTH_LONG },  { "j", LENGTH_MAX },   { "z", LENGTH_SIZE },
                { "t", LENGTH_DIFF },
        };

        k->length = LENGTH_INT;
        for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
                if (!span_begins(span_of(*f), lengths[i].text))
                        continue;
                k->length = lengths[i].length;
                *f += strlen(lengths[i].text);
                return;
        }
}

/* Reads what stands behind a "%". NULL, or what is wrong with it. */
static const char *read_conversion(const char **f, struct conversion *k)
{
        const char *what;

        if (**f == '%')
                return "a percent sign may stand in a string only, which is given with %s";
        if (**f && strchr("-+ #0'123456789", **f))
                return "flags and a width have no meaning in a command";
        what = read_precision(f, k);
        if (what)
                return what;
        read_length(f, k);
        k->letter = **f;
        if (k->letter == '\0' || !strchr("sdiufg", k->letter) ||
            (k->letter == 's' && k->length != LENGTH_INT) ||
            (strchr("fg", k->letter) && k->length != LENGTH_INT && k->length != LENGTH_LONG))
                return "known are %s, %d, %i and %u with hh h l ll j z t, %f and %g";
        if (k->precision >= 0 && !strchr("fg", k->letter))
                return "only %f and %g have a precision";
        ++*f;
        return NULL;
}

static int64_t take_signed(struct arguments *a, enum length length)
{
        switch (length) {
        case LENGTH_CHAR:
                return (signed char)va_arg(a->list, int);
        case LENGTH_SHORT:
                return (short)va_arg(a->list, int);
        case LENGTH_LONG:
                return va_arg(a->list, long);
        case LENGTH_LLONG:
                return va_arg(a->list, long long);
        case LENGTH_MAX:
                return va_arg(a->list, intmax_t);
        case LENGTH_SIZE:
                return va_arg(a->list, ssize_t);
        case LENGTH_DIFF:
                return va_arg(a->list, ptrdiff_t);
        default:
                return va_arg(a->list, int);
        }
}

static uint64_t take_unsigned(struct arguments *a, enum length length)
{
        switch (length) {
        case LENGTH_CHAR:
                return (unsigned char)va_arg(a->list, unsigned);
        case LENGTH_SHORT:
                return (unsigned short)va_arg(a->list, unsigned);
        case LENGTH_LONG:
                return va_arg(a->list, unsigned long);
        case LENGTH_LLONG:
                return va_arg(a->list, unsigned long long);
        case LENGTH_MAX:
                return va_arg(a->list, uintmax_t);
        case LENGTH_SIZE:
                return va_arg(a->list, size_t);
        case LENGTH_DIFF:
                /* Unsigned, it has the size of ptrdiff_t. */
                return sizeof(ptrdiff_t) == sizeof(uint64_t) ? (uint64_t)va_arg(a->list, ptrdiff_t)
                                                             : (uint32_t)va_arg(a->list, ptrdiff_t);
        default:
                return va_arg(a->list, unsigned);
        }
}

/* @real with as many places as @k says: behind the point with %f, in all with %g. What printf()
 * writes in a locale strtod() reads in the same. */
static double rounded(double real, const struct conversion *k)
{
        char text[ROUNDED_SIZE];
        int n;

        if (k->precision < 0)
                return real;
        if (k->letter == 'f')
                n = snprintf(text, sizeof(text), "%.*f", k->precision, real);
        else
                n = snprintf(text, sizeof(text), "%.*e", k->precision > 0 ? k->precision - 1 : 0,
                             real);
        assert(n > 0 && (size_t)n < sizeof(text));
        return strtod(text, NULL);
}

static const char *write_real(struct buffer *out, double real, const struct conversion *k)
{
        if (!isfinite(real))
                return "a float is a finite number, and this is none";
        real = rounded(real, k);
        if (!isfinite(real))
                return "this number, rounded, is none any more";
        value_format_real(real, out);
        return NULL;
}

static const char *write_string(struct buffer *out, const char *text)
{
        if (!text)
                return "there is no text: NULL";
        if (!span_is_utf8(span_of(text), NULL))
                return "the text for this is not UTF-8";
        value_format_string(span_of(text), out);
        return NULL;
}

/* Writes the next argument. NULL, or what is wrong with it. */
static const char *write_argument(struct buffer *out, struct arguments *a,
                                  const struct conversion *k)
{
        switch (k->letter) {
        case 's':
                return write_string(out, va_arg(a->list, const char *));
        case 'u':
                buffer_add_uint(out, take_unsigned(a, k->length));
                return NULL;
        case 'f':
        case 'g':
                return write_real(out, va_arg(a->list, double), k);
        default:
                buffer_add_int(out, take_signed(a, k->length));
                return NULL;
        }
}

static bool begins_value(const char *format, const char *at)
{
        return at == format || at[-1] == '(' || is_wsp(at[-1]);
}

static bool ends_value(const char *at)
{
        return *at == '\0' || *at == ')' || is_wsp(*at);
}

/* The piece at *@f: an octet of the format itself, or a conversion. NULL, or what is wrong. */
static const char *expand_piece(struct buffer *out, const char *format, const char **f,
                                bool *in_data, struct arguments *a)
{
        const char *at = *f, *what;
        struct conversion k;

        if (*at == '"')
                return "a quote is not for a format: give the string with %s";
        *in_data = *at == '<' || (*in_data && *at != '>');
        ++*f;
        if (*at != '%') {
                buffer_add_char(out, *at);
                return NULL;
        }
        what = read_conversion(f, &k);
        if (!what && (*in_data || !begins_value(format, at) || !ends_value(*f)))
                what = "a conversion is a whole value, between brackets or spaces";
        return what ? what : write_argument(out, a, &k);
}

int format_expand(struct buffer *out, size_t most, const char *format, va_list list, size_t *ret_at,
                  const char **ret_what)
{
        const char *f = format, *what = NULL;
        struct arguments arguments;
        bool in_data = false;

        va_copy(arguments.list, list);
        do {
                *ret_at = (size_t)(f - format);
                if (*f)
                        what = expand_piece(out, format, &f, &in_data, &arguments);
        } while (!what && format[*ret_at] && out->n <= most);
        va_end(arguments.list);
        if (out->failed)
                what = "there is not enough memory";
        if (!what)
                return 0;
        *ret_what = what;
        return out->failed ? -ENOMEM : MBUS_E_MALFORMED;
}

/* @error is about what @format became: says the same of @format. Without memory, of all of it. */
static void find_in_format(const char *format, va_list list, struct parse_error *error)
{
        struct buffer text = BUFFER_INIT;
        const char *what;
        size_t at;

        error->at = format_expand(&text, error->at, format, list, &at, &what) == 0 ? at : 0;
        buffer_deinit(&text);
}

int mbus_commands_vaddf(struct mbus_commands *c, const char *format, va_list list)
{
        struct parse_error error = { 0, "there is no format" };
        struct buffer text = BUFFER_INIT;
        int r = c ? commands_mistake(c) : MBUS_E_MALFORMED;

        if (r != 0)
                return r;
        r = MBUS_E_MALFORMED;
        if (format)
                r = format_expand(&text, SIZE_MAX, format, list, &error.at, &error.what);
        if (r == 0) {
                r = commands_are_open(c) ? commands_add_values(c, buffer_span(&text), &error)
                                         : commands_add(c, buffer_span(&text), &error);
                if (r > 0)
                        find_in_format(format, list, &error);
        }
        if (r != 0)
                commands_fail(c, r, error);
        buffer_deinit(&text);
        return r;
}

int mbus_commands_addf(struct mbus_commands *c, const char *format, ...)
{
        va_list list;
        int r;

        va_start(list, format);
        r = mbus_commands_vaddf(c, format, list);
        va_end(list);
        return r;
}
