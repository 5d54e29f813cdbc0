/*
 * test-scan.c - parameters are read into variables, as a signature says.
 */
#include <stdio.h>
#include <string.h>

#include <api/api.h>
#include <core/message.h>

#include "run.h"

static struct message *message;

static const struct mbus_value *args_of(const char *payload)
{
        struct buffer text = BUFFER_INIT;

        buffer_add_text(&text, "mbus/1.0 7 99 R (app:a id:1-1@127.0.0.1) (app:b) ()\r\n");
        buffer_add_text(&text, payload);
        message_unref(message);
        message = NULL;
        ck_assert_int_eq(message_new(buffer_span(&text), &message, NULL), 0);
        buffer_deinit(&text);
        return mbus_message_get_args((struct mbus_message *)message, 0);
}

static void teardown(void)
{
        message_unref(message);
        message = NULL;
}

/* CMD-07 */
START_TEST(test_each_type_is_read_into_its_variable)
{
        const struct mbus_value *list = NULL, *any = NULL;
        const char *s = NULL, *y = NULL;
        const void *d = NULL;
        bool yes = false, no = true, large = false;
        int64_t i = 0;
        double f = 0, whole = 0;
        size_t n = 0;
        int r = mbus_value_scan(
                args_of("a(\"te\\nxt\" FAST -7 2.5 3 2 0 99999999999999999999 <AAE=> (1 2) z)"),
                "s y i f f b b b d l v", &s, &y, &i, &f, &whole, &yes, &no, &large, &d, &n, &list,
                &any);

        ck_assert_int_eq(r, 0);
        ck_assert_str_eq(s, "te\nxt");
        ck_assert_str_eq(y, "FAST");
        ck_assert_int_eq(i, -7);
        ck_assert(f == 2.5 && whole == 3.0);
        ck_assert(yes && !no && large);
        ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(memcmp(d, "\0\1", 2), 0);
        ck_assert_uint_eq(mbus_value_get_n(list), 2);
        ck_assert_int_eq(mbus_value_get_type(any), MBUS_VALUE_SYMBOL);
}
END_TEST

START_TEST(test_lists_are_read_from_inside)
{
        const char *a = NULL, *b = NULL, *c = NULL;
        int64_t i = 0, j = 0;

        ck_assert_int_eq(mbus_value_scan(args_of("a(((\"a\" 1) \"b\") () 2 (\"c\"))"),
                                         "((si)s)()i(s)", &a, &i, &b, &j, &c),
                         0);
        ck_assert_str_eq(a, "a");
        ck_assert_str_eq(b, "b");
        ck_assert_str_eq(c, "c");
        ck_assert_int_eq(i, 1);
        ck_assert_int_eq(j, 2);
}
END_TEST

START_TEST(test_what_is_left_out_stays_as_it_is)
{
        const char *s = "default";
        const void *d = "default";
        size_t n = 7;
        int64_t i = 42, j = 43;
        double f = 44;

        ck_assert_int_eq(
                mbus_value_scan(args_of("a()"), "[s] [(i [i])] [d f]", &s, &i, &j, &d, &n, &f), 0);
        ck_assert_str_eq(s, "default");
        ck_assert(i == 42 && j == 43 && n == 7 && f == 44);
        ck_assert_int_eq(mbus_value_scan(args_of("a(\"x\" (1))"), "[s] [(i [i])] [d f]", &s, &i, &j,
                                         &d, &n, &f),
                         0);
        ck_assert_str_eq(s, "x");
        ck_assert(i == 1 && j == 43 && n == 7 && f == 44);
        ck_assert_int_eq(mbus_value_scan(args_of("a(\"x\" (1 2) <> 0.5)"), "[s] [(i [i])] [d f]",
                                         &s, &i, &j, &d, &n, &f),
                         0);
        ck_assert(j == 2 && n == 0 && f == 0.5);
        /* A group is there or not, as a whole. */
        ck_assert_int_eq(mbus_value_scan(args_of("a(\"y\" (7 8) <AAAA>)"), "[s] [(i [i])] [d f]",
                                         &s, &i, &j, &d, &n, &f),
                         MBUS_E_TYPE);
        ck_assert(i == 1 && j == 2 && n == 0);
}
END_TEST

START_TEST(test_the_rest_can_be_walked)
{
        const struct mbus_value *args = args_of("a(1 (2 3 4) 5 6 7)"), *inner = NULL, *outer = NULL;
        size_t inner_n = 9, outer_n = 9;
        int64_t i = 0, sum = 0, one;

        ck_assert_int_eq(mbus_value_scan(args, "i (i *) i *", &i, &i, &inner, &inner_n, &i, &outer,
                                         &outer_n),
                         0);
        ck_assert_uint_eq(inner_n, 2);
        ck_assert_uint_eq(outer_n, 2);
        for (size_t n = inner_n; n > 0; n--, inner = mbus_value_next(args, inner)) {
                ck_assert_int_eq(mbus_value_get_integer(inner, &one), 0);
                sum += one;
        }
        ck_assert_int_eq(sum, 7);
        for (; outer; outer = mbus_value_next(args, outer)) {
                ck_assert_int_eq(mbus_value_get_integer(outer, &one), 0);
                sum += one;
        }
        ck_assert_int_eq(sum, 20);
        outer = args;
        ck_assert_int_eq(mbus_value_scan(args_of("a(1)"), "i [s] *", &i, NULL, &outer, &outer_n),
                         0);
        ck_assert_ptr_null(outer);
        ck_assert_uint_eq(outer_n, 0);
        ck_assert_int_eq(mbus_value_scan(args_of("a(1)"), "*", NULL, NULL), 0);
}
END_TEST

START_TEST(test_what_is_wrong_is_told_and_nothing_is_written)
{
        static const struct {
                const char *payload;
                const char *signature;
                int error;
                size_t argument;
                size_t at;
                const char *what;
        } cases[] = {
                { "a(1)", "i s", MBUS_E_TYPE, 1, 2, "missing" },
                { "a()", "s", MBUS_E_TYPE, 0, 0, "missing" },
                { "a(1 2)", "i", MBUS_E_TYPE, 1, 1, "more parameters" },
                { "a(1)", "", MBUS_E_TYPE, 0, 0, "more parameters" },
                { "a(1 x)", "i s", MBUS_E_TYPE, 1, 2, "a string is wanted" },
                { "a(1 \"x\")", "i y", MBUS_E_TYPE, 1, 2, "a symbol" },
                { "a(1.0)", "i", MBUS_E_TYPE, 0, 0, "an integer" },
                { "a(x)", "f", MBUS_E_TYPE, 0, 0, "a number" },
                { "a(1.0)", "b", MBUS_E_TYPE, 0, 0, "a boolean" },
                { "a(x)", "d", MBUS_E_TYPE, 0, 0, "data" },
                { "a(x)", "l", MBUS_E_TYPE, 0, 0, "a list" },
                { "a(1 x)", "i (s)", MBUS_E_TYPE, 1, 2, "a list" },
                { "a(1 (\"a\" 2))", "i (s s)", MBUS_E_TYPE, 1, 5, "a string" },
                { "a(1 (\"a\"))", "i (s s) i", MBUS_E_TYPE, 1, 5, "missing" },
                { "a(1 (\"a\" 2 3))", "i (s i)", MBUS_E_TYPE, 1, 6, "more parameters" },
                { "a(9223372036854775808)", "i", MBUS_E_TOO_LARGE, 0, 0, "64 bits" },
                { "a(1 2)", "i [i i]", MBUS_E_TYPE, 2, 5, "missing" },
                { "a(1 2)", "i [s] [i]", MBUS_E_TYPE, 1, 3, "a string" },
        };

        for (size_t i = 0; i < N(cases); i++) {
                const struct mbus_value *args = args_of(cases[i].payload);
                size_t argument = SIZE_MAX, at = SIZE_MAX;
                const char *what = "";
                int64_t place = 77;

                ck_assert_int_eq(mbus_value_check(args, cases[i].signature, &argument, &at, &what),
                                 cases[i].error);
                ck_assert_msg(argument == cases[i].argument && at == cases[i].at &&
                                      strstr(what, cases[i].what),
                              "%s, %s: %zu, %zu, %s", cases[i].payload, cases[i].signature,
                              argument, at, what);
                ck_assert_int_eq(
                        mbus_value_scan(args, cases[i].signature, &place, NULL, NULL, NULL),
                        cases[i].error);
                ck_assert_int_eq(place, 77);
        }
}
END_TEST

START_TEST(test_signatures_that_are_none_are_malformed)
{
        static const struct {
                const char *signature;
                size_t at;
        } cases[] = {
                { "x", 0 },    { "s i ,", 4 }, { "(s", 2 },      { "s)", 1 },    { "s]", 1 },
                { "[s", 2 },   { "(s]", 2 },   { "[s)", 2 },     { "[s] i", 4 }, { "* s", 2 },
                { "*[s]", 1 }, { "[*]", 2 },   { "([s] i)", 5 }, { "s\n", 1 },   { "**", 1 },
        };
        char deep[200] = "";

        for (size_t i = 0; i < N(cases); i++) {
                size_t at = SIZE_MAX, argument = SIZE_MAX;
                const char *what = NULL;

                ck_assert_int_eq(
                        mbus_value_check(args_of("a()"), cases[i].signature, &argument, &at, &what),
                        MBUS_E_MALFORMED);
                ck_assert_msg(at == cases[i].at && what, "%s: %zu", cases[i].signature, at);
                ck_assert_uint_eq(argument, 0);
                ck_assert_int_eq(mbus_value_scan(args_of("a()"), cases[i].signature),
                                 MBUS_E_MALFORMED);
        }
        memset(deep, '(', 65);
        memset(deep + 65, ')', 65);
        ck_assert_int_eq(mbus_value_check(args_of("a()"), deep, NULL, NULL, NULL),
                         MBUS_E_MALFORMED);
        deep[129] = '\0';
        ck_assert_int_eq(mbus_value_check(args_of("a()"), deep + 1, NULL, NULL, NULL), MBUS_E_TYPE);
        ck_assert_int_eq(mbus_value_scan(NULL, "i"), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_value_scan(args_of("a()"), NULL), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_value_scan(mbus_value_first(args_of("a(1)")), "i", NULL),
                         MBUS_E_MALFORMED);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_each_type_is_read_into_its_variable,
                test_lists_are_read_from_inside,
                test_what_is_left_out_stays_as_it_is,
                test_the_rest_can_be_walked,
                test_what_is_wrong_is_told_and_nothing_is_written,
                test_signatures_that_are_none_are_malformed,
        };

        return run_fixture_tests("scan", tests, N(tests), NULL, teardown);
}
