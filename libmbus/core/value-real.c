/*
 * value-real.c - Float parameters: correctly rounded in, shortest fixed notation out (RFC 3259,
 * section 5.3; spec/errata.md, 43).
 *
 * The conversions of libc do the arithmetic. Their texts depend on the locale only in the decimal
 * point, so none is ever given to or taken from them: a number goes in as an integer with an
 * exponent ("314e-2"), and of what comes out only the digits and the exponent are looked at.
 * snprintf() is all that the core takes from stdio: strfromd() would do as well, but only glibc has
 * it.
 */
#include "value-real.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Digits of 1 to 17 places are told apart by a double; 767 decide a tie between two of them. Of a
 * longer text it matters only whether something other than zeros follows. */
#define SHORTEST_MAX 17
#define DIGITS_MAX 768
/* "-", up to 309 digits before the point, up to 323 zeros and 17 digits behind it. */
#define FIXED_MAX 400

/* DIGITS times ten to the power of EXPONENT; no digits are zero. */
struct decimal {
        size_t n;
        long exponent;
        char digits[DIGITS_MAX + 1];
};

/* Ten to these powers, and all integers of 15 digits, are doubles without any rounding. */
static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static double nearest_exactly(const struct decimal *d)
{
        char text[DIGITS_MAX + 16];
        unsigned long exponent =
                d->exponent < 0 ? -(unsigned long)d->exponent : (unsigned long)d->exponent;
        size_t n = d->n, i;

        memcpy(text, d->digits, n);
        text[n++] = 'e';
        text[n++] = d->exponent < 0 ? '-' : '+';
        /* Nine digits: nothing is as long as the text that an exponent beyond them stands for. */
        for (i = 9; i-- > 0; exponent /= 10)
                text[n + i] = (char)('0' + exponent % 10);
        text[n + 9] = '\0';
        return strtod(text, NULL);
}

static double nearest(const struct decimal *d)
{
        uint64_t integer = 0;
        size_t i;

        if (d->n == 0)
                return 0;
        /* One division of two exact numbers is rounded once, if nothing is computed more widely. */
        if (FLT_EVAL_METHOD != 0 || d->n > 15 || d->exponent > 0 || d->exponent < -22)
                return nearest_exactly(d);
        for (i = 0; i < d->n; i++)
                integer = integer * 10 + (uint64_t)(d->digits[i] - '0');
        return (double)integer / tens[-d->exponent];
}

double value_real_from_text(struct span text)
{
        struct decimal d = { .n = 0 };
        bool negative = text.n > 0 && text.at[0] == '-', behind = false, more = false;
        size_t i;

        for (i = negative; i < text.n; i++) {
                char c = text.at[i];

                if (c == '.') {
                        behind = true;
                } else if (d.n == DIGITS_MAX) {
                        more |= c != '0';
                        d.exponent += !behind;
                } else {
                        if (d.n > 0 || c != '0')
                                d.digits[d.n++] = c;
                        d.exponent -= behind;
                }
        }
        if (more) {
                d.digits[d.n++] = '1';
                d.exponent--;
        }
        return negative ? -nearest(&d) : nearest(&d);
}

/* @real, not negative, rounded to @precision places. */
static void round_to(double real, unsigned precision, struct decimal *d)
{
        char text[48]; /* 17 digits, a point of some octets, "e-324" */
        const char *c, *e;
        long exponent = 0;

        snprintf(text, sizeof(text), "%.*e", (int)precision - 1, real);
        d->n = 0;
        for (e = text; *e != 'e'; e++) {
                if (is_digit(*e))
                        d->digits[d->n++] = *e;
        }
        for (c = e + 2; is_digit(*c); c++)
                exponent = exponent * 10 + (*c - '0');
        /* The point that was left out stood behind the first digit. */
        d->exponent = (e[1] == '-' ? -exponent : exponent) - (long)(d->n - 1);
}

/* Adds one to the last digit of @d. */
static void round_up(struct decimal *d)
{
        size_t i = d->n;

        while (i > 0 && d->digits[i - 1] == '9')
                d->digits[--i] = '0';
        if (i > 0) {
                d->digits[i - 1]++;
                return;
        }
        d->digits[0] = '1';
        d->exponent += (long)d->n;
        d->n = 1;
}

/* The shortest digits that are nearer to @real, not negative, than to any other double. */
static void shortest(double real, struct decimal *d)
{
        /* 15 places suffice for whatever was written with as many, unless it lost precision by
         * being tiny. */
        unsigned precision = real < DBL_MIN ? 1 : DBL_DIG;

        for (;; precision++) {
                round_to(real, precision, d);
                if (precision == SHORTEST_MAX || nearest(d) == real)
                        break;
                /* Above a power of two doubles are sparser than below: farther off may do. */
                round_up(d);
                if (nearest(d) == real)
                        break;
        }
        for (; d->n > 0 && d->digits[d->n - 1] == '0'; d->n--)
                d->exponent++;
}

void value_format_real(double real, struct buffer *out)
{
        struct decimal d;
        char *to = buffer_reserve(out, FIXED_MAX);
        long place;

        assert(isfinite(real));
        if (!to)
                return;
        shortest(fabs(real), &d);
        if (signbit(real))
                *to++ = '-';
        /* From the highest place, or that of the ones, to the lowest, or that of the tenths. */
        place = d.n > 0 ? (long)d.n + d.exponent - 1 : 0;
        for (place = place > 0 ? place : 0; place >= d.exponent || place >= -1; place--) {
                long i = (long)d.n - 1 - (place - d.exponent);

                if (place == -1)
                        *to++ = '.';
                *to++ = i >= 0 && i < (long)d.n ? d.digits[i] : '0';
        }
        out->n = (size_t)(to - out->at);
}
