/*
 * test-format.c - commands from a format and arguments.
 */
#include <check.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <api/api.h>

#include "run.h"

static struct mbus_commands *commands;

static void setup(void)
{
        ck_assert_int_eq(mbus_commands_new(&commands), 0);
}

static void teardown(void)
{
        commands = mbus_commands_free(commands);
}

static void expect(const char *text)
{
        ck_assert_int_eq(mbus_commands_check(commands), 0);
        ck_assert_str_eq(mbus_commands_get_text(commands), text);
        mbus_commands_clear(commands);
}

/* Not for the compiler to check: here are formats that it would refuse. */
static int add(const char *format, ...)
{
        va_list list;
        int r;

        va_start(list, format);
        r = mbus_commands_vaddf(commands, format, list);
        va_end(list);
        return r;
}

static void expect_mistake(size_t at, const char *what, const char *format, ...)
{
        va_list list;
        size_t found = SIZE_MAX;
        const char *sentence;

        mbus_commands_clear(commands);
        va_start(list, format);
        ck_assert_int_eq(mbus_commands_vaddf(commands, format, list), MBUS_E_MALFORMED);
        va_end(list);
        ck_assert_int_eq(mbus_commands_check(commands), MBUS_E_MALFORMED);
        ck_assert_str_eq(mbus_commands_get_text(commands), "");
        sentence = mbus_commands_get_error(commands, &found);
        ck_assert_msg(found == at, "%s: %zu instead of %zu: %s", format, found, at, sentence);
        ck_assert_msg(strstr(sentence, what) != NULL, "%s: %s", format, sentence);
        mbus_commands_clear(commands);
        ck_assert_str_eq(mbus_commands_get_error(commands, NULL), "");
}

START_TEST(test_a_format_becomes_commands)
{
        ck_assert_int_eq(mbus_commands_addf(commands, "player.load(%s %d FAST)", "rtp://a", 3), 0);
        expect("player.load(\"rtp://a\" 3 FAST)");
        ck_assert_int_eq(mbus_commands_addf(commands, "a(%d (%s (%u)) %f)\nb()\r\nc(%s)", -1, "x",
                                            2u, 0.5, ""),
                         0);
        expect("a(-1 (\"x\" (2)) 0.5)\r\nb()\r\nc(\"\")");
        ck_assert_int_eq(mbus_commands_addf(commands, "first()"), 0);
        ck_assert_int_eq(mbus_commands_addf(commands, "second( \t%s )", "2"), 0);
        expect("first()\r\nsecond(\"2\")");
}
END_TEST

/* CMD-02: nothing in a text ends the string. */
START_TEST(test_a_text_is_quoted_and_escaped)
{
        ck_assert_int_eq(mbus_commands_addf(commands, "a(%s %s)", "\") evil(\"",
                                            "line\nback\\slash %d \xc3\xa9"),
                         0);
        expect("a(\"\\\") evil(\\\"\" \"line\\nback\\\\slash %d \xc3\xa9\")");
        expect_mistake(5, "NULL", "a(%d %s)", 1, (const char *)NULL);
        expect_mistake(2, "UTF-8", "a(%s)", "\xff");
}
END_TEST

START_TEST(test_integers_of_every_length_are_written)
{
        ck_assert_int_eq(mbus_commands_addf(commands, "a(%hhd %hd %d %ld %lld %jd %zd %td)",
                                            (signed char)SCHAR_MIN, (short)SHRT_MIN, INT_MIN, -5L,
                                            LLONG_MIN, INTMAX_MIN, (ssize_t)-1, (ptrdiff_t)-2),
                         0);
        expect("a(-128 -32768 -2147483648 -5 -9223372036854775808 -9223372036854775808 -1 -2)");
        ck_assert_int_eq(mbus_commands_addf(commands, "a(%hhu %hu %u %lu %llu %ju %zu %tu %i)",
                                            (unsigned char)255, (unsigned short)65535, UINT_MAX,
                                            5ul, ULLONG_MAX, UINTMAX_MAX, (size_t)7, (size_t)8, 9),
                         0);
        expect("a(255 65535 4294967295 5 18446744073709551615 18446744073709551615 7 8 9)");
        ck_assert_int_eq(
                mbus_commands_addf(commands, "a(%" PRId64 " %" PRIu64 ")", INT64_MAX, UINT64_MAX),
                0);
        expect("a(9223372036854775807 18446744073709551615)");
}
END_TEST

START_TEST(test_floats_are_written_without_exponent_in_every_locale)
{
        static const char *const locales[] = { "C", "de_DE.UTF-8", "fa_IR.UTF-8" };

        for (size_t i = 0; i < N(locales); i++) {
                if (!setlocale(LC_ALL, locales[i]))
                        printf("there is no locale %s\n", locales[i]);
                ck_assert_int_eq(mbus_commands_addf(commands, "a(%f %g %lf %lg %f %g)",
                                                    3.14159265358979, 1e21, -0.1, 1e-7, 2.0, 100.0),
                                 0);
                expect("a(3.14159265358979 1000000000000000000000.0 -0.1 0.0000001 2.0 100.0)");
                ck_assert_int_eq(mbus_commands_addf(commands, "a(%.2f %.0f %.3g %.f %.1g)", 2.71828,
                                                    2.5, 123456.0, 1.4, 0.0),
                                 0);
                expect("a(2.72 2.0 123000.0 1.0 0.0)");
        }
        setlocale(LC_ALL, "C");
        expect_mistake(2, "finite", "a(%f)", (double)NAN);
        expect_mistake(4, "finite", "a(1 %g)", -(double)INFINITY);
        expect_mistake(2, "rounded", "a(%.1g)", 1.797e308);
}
END_TEST

START_TEST(test_what_printf_knows_and_a_command_does_not_is_a_mistake_with_its_place)
{
        static const char *const unknown[] = { "a(%c)",  "a(%p)", "a(%n)", "a(%x)",  "a(%a)",
                                               "a(%e)",  "a(%o)", "a(%m)", "a(%ls)", "a(%hf)",
                                               "a(%Lf)", "a(%",   "a(%.2", "a(%h" };
        static const char *const meaningless[] = { "a(%*d)", "a(%5d)", "a(%-d)",
                                                   "a(%+d)", "a(%#g)", "a(%05d)",
                                                   "a(% d)", "a(%'d)", "a(%1$d)" };

        for (size_t i = 0; i < N(unknown); i++)
                expect_mistake(2, "known are", unknown[i], 0);
        for (size_t i = 0; i < N(meaningless); i++)
                expect_mistake(2, strpbrk(meaningless[i], "*'") ? "" : "flags and a width",
                               meaningless[i], 0);
        for (size_t i = 0; i < 2; i++)
                expect_mistake(4, "precision", i ? "a(1 %.2s)" : "a(1 %.2d)", 0);
        expect_mistake(2, "precision", "a(%.100f)", 1.0);
        expect_mistake(2, "", "a(%.*f)", 1, 1.0);
        expect_mistake(2, "percent sign", "a(%%)");
}
END_TEST

START_TEST(test_a_conversion_is_a_whole_value)
{
        expect_mistake(2, "quote", "a(\"%s\")", "x");
        expect_mistake(3, "whole value", "a(x%d)", 1);
        expect_mistake(2, "whole value", "a(%d%d)", 1, 2);
        expect_mistake(3, "whole value", "a(<%d>)", 1);
        expect_mistake(4, "whole value", "a(< %d >)", 1);
        expect_mistake(7, "whole value", "player.%s()", "load");
        expect_mistake(0, "whole value", "%s()", "load");
        expect_mistake(2, "whole value", "a(%d(1))", 1);
        ck_assert_int_eq(mbus_commands_addf(commands, "a(<AAEC> %d)", 1), 0);
        expect("a(<AAEC> 1)");
}
END_TEST

START_TEST(test_what_does_not_become_commands_is_a_mistake_of_the_format)
{
        expect_mistake(8, "", "a(%s %s %) ", "long enough to move offsets", "x");
        expect_mistake(1, "", "a(%s %s ", "long enough to move offsets", "x");
        expect_mistake(6, "", "a(%s) ?", "long enough to move offsets");
        expect_mistake(7, "", "a(%s)\r\n(1)", "long enough to move offsets");
        mbus_commands_clear(commands);
        ck_assert_int_eq(mbus_commands_addf(commands, "a(%s)\nmbus.hello()", "long enough"),
                         MBUS_E_RESERVED);
        ck_assert_int_eq(mbus_commands_check(commands), MBUS_E_RESERVED);
        ck_assert_str_ne(mbus_commands_get_error(commands, NULL), "");
        /* The first mistake stays. */
        ck_assert_int_eq(mbus_commands_addf(commands, "a()"), MBUS_E_RESERVED);
        mbus_commands_clear(commands);
        ck_assert_int_eq(mbus_commands_addf(NULL, "a()"), MBUS_E_MALFORMED);
        ck_assert_int_eq(add(NULL), MBUS_E_MALFORMED);
}
END_TEST

START_TEST(test_in_an_open_command_a_format_becomes_parameters)
{
        mbus_commands_begin(commands, "a");
        mbus_commands_add_symbol(commands, "y");
        ck_assert_int_eq(mbus_commands_addf(commands, "%s %d", "x) b(", 1), 0);
        mbus_commands_begin_list(commands);
        ck_assert_int_eq(mbus_commands_addf(commands, "(%f) z", 1.5), 0);
        ck_assert_int_eq(add(""), 0);
        mbus_commands_end_list(commands);
        mbus_commands_add_data(commands, "\0\1\2", 3);
        mbus_commands_end(commands);
        expect("a(y \"x) b(\" 1 ((1.5) z) <AAEC>)");
        for (size_t i = 0; i < 3; i++) {
                size_t at = SIZE_MAX;

                mbus_commands_clear(commands);
                mbus_commands_begin(commands, "a");
                ck_assert_int_eq(add(i == 0   ? "%d) b(1"
                                     : i == 1 ? "%d)\nb(1"
                                              : "%d ?",
                                     11),
                                 MBUS_E_MALFORMED);
                ck_assert_str_ne(mbus_commands_get_error(commands, &at), "");
                ck_assert_uint_le(at, 7);
        }
}
END_TEST

/* What is nested too deeply for others is not sent. */
START_TEST(test_values_are_not_added_deeper_than_lists_may_be)
{
        char nested[2 * VALUE_DEPTH_MAX + 1] = "";

        for (unsigned depth = VALUE_DEPTH_MAX - 1; depth <= VALUE_DEPTH_MAX; depth++) {
                memset(nested, '(', depth - 1);
                memset(nested + depth - 1, ')', depth - 1);
                nested[2 * depth - 2] = '\0';
                mbus_commands_clear(commands);
                mbus_commands_begin(commands, "a");
                mbus_commands_begin_list(commands);
                ck_assert_int_eq(add(nested), depth < VALUE_DEPTH_MAX ? 0 : MBUS_E_MALFORMED);
        }
        ck_assert_str_eq(mbus_commands_get_error(commands, NULL), "lists are nested too deeply");
}
END_TEST

START_TEST(test_each_mistake_has_a_sentence)
{
        size_t at = SIZE_MAX;

        ck_assert_str_eq(mbus_commands_get_error(NULL, &at), "");
        ck_assert_uint_eq(at, 0);
        mbus_commands_begin(commands, "no symbol");
        ck_assert_str_eq(mbus_commands_get_error(commands, NULL),
                         "the name of a command is a symbol");
        mbus_commands_clear(commands);
        mbus_commands_add_integer(commands, 1);
        ck_assert_ptr_nonnull(strstr(mbus_commands_get_error(commands, &at), "none is open"));
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "a");
        ck_assert_ptr_nonnull(strstr(mbus_commands_get_error(commands, NULL), "not ended"));
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "mbus.waiting");
        mbus_commands_end(commands);
        ck_assert_str_ne(mbus_commands_get_error(commands, NULL), "");
        mbus_commands_clear(commands);
        ck_assert_int_eq(mbus_commands_add_text(commands, "a(1\n", NULL, NULL), MBUS_E_MALFORMED);
        ck_assert_str_ne(mbus_commands_get_error(commands, &at), "");
        ck_assert_uint_eq(at, 3);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_format_becomes_commands,
                test_a_text_is_quoted_and_escaped,
                test_integers_of_every_length_are_written,
                test_floats_are_written_without_exponent_in_every_locale,
                test_what_printf_knows_and_a_command_does_not_is_a_mistake_with_its_place,
                test_a_conversion_is_a_whole_value,
                test_what_does_not_become_commands_is_a_mistake_of_the_format,
                test_in_an_open_command_a_format_becomes_parameters,
                test_values_are_not_added_deeper_than_lists_may_be,
                test_each_mistake_has_a_sentence,
        };

        return run_fixture_tests("format", tests, N(tests), setup, teardown);
}
