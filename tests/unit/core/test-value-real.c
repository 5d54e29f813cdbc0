/*
 * test-value-real.c - floats as text and back (RFC 3259, section 5.3).
 */
#include <float.h>
#include <locale.h>
#include <math.h>

#include "core/value-real.h"
#include "run.h"
#include "seed.h"

/* 0.1 + 0.2 and 1.0 / 3 in doubles. As an expression a compiler may compute them more widely (i386). */
#define SUM 0x1.3333333333334p-2
#define THIRD 0x1.5555555555555p-2

static void assert_written(double real, const char *expected)
{
        struct buffer b = BUFFER_INIT;

        value_format_real(real, &b);
        ck_assert_msg(span_equal_text(buffer_span(&b), expected), "%a gives %.*s, not %s", real,
                      (int)b.n, b.at, expected);
        buffer_deinit(&b);
}

static void assert_same(double a, double b)
{
        ck_assert_msg(memcmp(&a, &b, sizeof(a)) == 0, "%a, not %a", a, b);
}

static double read_text(const char *text)
{
        return value_real_from_text(span_of(text));
}

/* "0." and @zeros zeros and @digits, or @digits and @zeros zeros and ".0" behind, if @large. */
static double read_long(const char *digits, size_t zeros, bool large)
{
        struct buffer b = BUFFER_INIT;
        double real;

        buffer_add_text(&b, large ? digits : "0.");
        while (zeros-- > 0)
                buffer_add_char(&b, '0');
        buffer_add_text(&b, large ? ".0" : digits);
        real = value_real_from_text(buffer_span(&b));
        buffer_deinit(&b);
        return real;
}

/* CMD-02 */
START_TEST(test_shortest_digits_in_fixed_notation)
{
        assert_written(0.0, "0.0");
        assert_written(-0.0, "-0.0");
        assert_written(3.0, "3.0");
        assert_written(-0.5, "-0.5");
        assert_written(0.1, "0.1");
        assert_written(3.14, "3.14");
        assert_written(100.0, "100.0");
        assert_written(120.5, "120.5");
        assert_written(0.001, "0.001");
        assert_written(1e22, "10000000000000000000000.0");
        assert_written(THIRD, "0.3333333333333333");
        assert_written(SUM, "0.30000000000000004");
        assert_written(9007199254740993.0, "9007199254740992.0");
        assert_written(123456789012345680.0, "123456789012345680.0");
        /* The nearest 16 digits end in 1 and are read back as another number; these are not. */
        assert_written(0x1p-44, "0.00000000000005684341886080802");
}
END_TEST

START_TEST(test_extremes_are_written_in_full)
{
        struct buffer b = BUFFER_INIT;

        value_format_real(DBL_MAX, &b);
        ck_assert_uint_eq(b.n, 311);
        ck_assert(span_begins(buffer_span(&b), "179769313486231570000"));
        buffer_clear(&b);
        value_format_real(-0x1p-1074, &b);
        ck_assert_uint_eq(b.n, 327);
        ck_assert(span_begins(buffer_span(&b), "-0.00000") && b.at[b.n - 1] == '5');
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_text_gives_the_nearest_number)
{
        assert_same(read_text("0.0"), 0.0);
        assert_same(read_text("-0.0"), -0.0);
        assert_same(read_text("000.50"), 0.5);
        assert_same(read_text("-3.25"), -3.25);
        assert_same(read_text("0.1"), 0.1);
        assert_same(read_text("123456789012345.6"), 123456789012345.6);
        assert_same(read_text("9007199254740993.0"), 9007199254740992.0);
        assert_same(read_text("9007199254740993.00000000000000000000001"), 9007199254740994.0);
        assert_same(read_text("0.30000000000000004"), SUM);
        assert_same(read_long("1", 21, false), 1e-22);
        assert_same(read_long("1", 22, false), 1e-23);
        assert_same(read_long("123", 20, false), 1.23e-21);
        assert_same(read_long("17976931348623157", 292, true), DBL_MAX);
        assert_same(read_long("5", 323, false), 0x1p-1074);
}
END_TEST

START_TEST(test_numbers_out_of_range_are_infinite_or_zero)
{
        ck_assert(isinf(read_long("1", 309, true)));
        ck_assert(isinf(read_long("1", 60000, true)));
        assert_same(read_long("1", 400, false), 0.0);
        assert_same(read_long("1", 60000, false), 0.0);
}
END_TEST

/* Half way between two numbers, by far more digits than are kept: what is behind decides. */
START_TEST(test_last_of_very_many_digits_decides_a_tie)
{
        struct buffer b = BUFFER_INIT;
        size_t i;

        buffer_add_text(&b, "9007199254740993.");
        for (i = 0; i < 5000; i++)
                buffer_add_char(&b, '0');
        assert_same(value_real_from_text(buffer_span(&b)), 9007199254740992.0);
        buffer_add_char(&b, '1');
        assert_same(value_real_from_text(buffer_span(&b)), 9007199254740994.0);
        buffer_deinit(&b);
}
END_TEST

/* The number of digits of @text from the first to the last that is not 0. */
static size_t significant(struct span text)
{
        size_t i, n = 0, first = SIZE_MAX, last = 0;

        for (i = 0; i < text.n; i++) {
                if (!is_digit(text.at[i]))
                        continue;
                if (text.at[i] != '0') {
                        first = first < n ? first : n;
                        last = n;
                }
                n++;
        }
        return first == SIZE_MAX ? 0 : last - first + 1;
}

/* CMD-02 */
START_TEST(test_any_number_is_read_back_and_agrees_with_libc)
{
        struct random r = seeded("floats");
        unsigned i;

        for (i = 0; i < 20000; i++) {
                uint64_t bits = random_u64(&r);
                struct buffer b = BUFFER_INIT;
                char text[40];
                double real;
                int precision;

                /* Powers of two, and tiny ones, are the hard cases. */
                if (i % 4 == 0)
                        bits &= UINT64_C(0xfff) << 52;
                if (i % 4 == 1)
                        bits = bits >> 12 >> random_below(&r, 50);
                memcpy(&real, &bits, sizeof(real));
                if (!isfinite(real))
                        continue;
                value_format_real(real, &b);
                assert_same(value_real_from_text(buffer_span(&b)), real);
                for (precision = 0; precision < 17; precision++) {
                        snprintf(text, sizeof(text), "%.*e", precision, real);
                        if (strtod(text, NULL) == real)
                                break;
                }
                ck_assert_msg(significant(buffer_span(&b)) <= (size_t)precision + 1, "%a: %.*s",
                              real, (int)b.n, b.at);
                buffer_add_char(&b, '\0');
                assert_same(strtod(b.at, NULL), real);
                buffer_deinit(&b);
        }
}
END_TEST

/* CMD-02 */
START_TEST(test_short_decimals_stay_as_they_are)
{
        struct random r = seeded("decimals");
        unsigned i;

        for (i = 0; i < 20000; i++) {
                uint64_t whole = random_u64(&r) % 10000000, part = random_u64(&r) % 1000000;
                char text[40];

                snprintf(text, sizeof(text), "%llu.%06llu", (unsigned long long)whole,
                         (unsigned long long)part);
                while (text[strlen(text) - 1] == '0' && text[strlen(text) - 2] != '.')
                        text[strlen(text) - 1] = '\0';
                assert_written(read_text(text), text);
        }
}
END_TEST

/* In a locale with a decimal comma, if the system has one; without, in the one that is left. */
START_TEST(test_locale_does_not_matter)
{
        static const char *const names[] = { "de_DE.UTF-8", "de_DE",       "fr_FR.UTF-8",
                                             "da_DK.UTF-8", "ps_AF.UTF-8", "C.UTF-8" };
        size_t i;

        for (i = 0; i < N(names); i++) {
                if (!setlocale(LC_ALL, names[i]))
                        continue;
                assert_written(SUM, "0.30000000000000004");
                assert_same(read_text("0.30000000000000004"), SUM);
                assert_same(read_text("12345678901234567890.5"), 12345678901234567168.0);
        }
        setlocale(LC_ALL, "C");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_shortest_digits_in_fixed_notation,
                test_extremes_are_written_in_full,
                test_text_gives_the_nearest_number,
                test_numbers_out_of_range_are_infinite_or_zero,
                test_last_of_very_many_digits_decides_a_tie,
                test_any_number_is_read_back_and_agrees_with_libc,
                test_short_decimals_stay_as_they_are,
                test_locale_does_not_matter,
        };

        return run_tests("value-real", tests, N(tests));
}
