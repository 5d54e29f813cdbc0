/*
 * test-duration.c - spans of time on the command line, and how ages are shown.
 */
#include <check.h>
#include <stdlib.h>

#include <cli/text/duration.h>

static uint64_t parse(const char *text)
{
        const char *what;
        uint64_t ns = 0;
        size_t at;

        ck_assert_msg(duration_parse(text, &ns, &at, &what) == 0, "%s: %s", text, what);
        return ns;
}

static size_t refuse(const char *text)
{
        const char *what = NULL;
        uint64_t ns = 4711;
        size_t at;

        ck_assert_int_eq(duration_parse(text, &ns, &at, &what), -1);
        ck_assert_ptr_nonnull(what);
        ck_assert_uint_eq(ns, 4711);
        return at;
}

START_TEST(test_a_plain_number_is_seconds)
{
        ck_assert_uint_eq(parse("2"), 2 * DURATION_S);
        ck_assert_uint_eq(parse("0"), 0);
        ck_assert_uint_eq(parse("0.5"), 500 * DURATION_MS);
        ck_assert_uint_eq(parse(".25"), 250 * DURATION_MS);
        ck_assert_uint_eq(parse("1."), DURATION_S);
        ck_assert_uint_eq(parse("0.0000000019"), 1);
}
END_TEST

START_TEST(test_units_multiply)
{
        ck_assert_uint_eq(parse("500ms"), 500 * DURATION_MS);
        ck_assert_uint_eq(parse("1.5ms"), 1500000);
        ck_assert_uint_eq(parse("2s"), 2 * DURATION_S);
        ck_assert_uint_eq(parse("1m"), 60 * DURATION_S);
        ck_assert_uint_eq(parse("1.5m"), 90 * DURATION_S);
        ck_assert_uint_eq(parse("2h"), 7200 * DURATION_S);
}
END_TEST

START_TEST(test_what_is_no_duration_is_refused_at_its_place)
{
        ck_assert_uint_eq(refuse(""), 0);
        ck_assert_uint_eq(refuse("."), 0);
        ck_assert_uint_eq(refuse("-1"), 0);
        ck_assert_uint_eq(refuse("nan"), 0);
        ck_assert_uint_eq(refuse("5x"), 1);
        ck_assert_uint_eq(refuse("1.5 s"), 3);
        ck_assert_uint_eq(refuse("0x10"), 1);
        ck_assert_uint_eq(refuse("1e3"), 1);
}
END_TEST

START_TEST(test_what_does_not_fit_is_refused)
{
        refuse("99999999999999999999");
        refuse("1000000001");
        refuse("99999999999999h");
        ck_assert_uint_eq(parse("1000000000"), UINT64_C(1000000000) * DURATION_S);
        ck_assert_uint_eq(parse("277777h"), UINT64_C(277777) * 3600 * DURATION_S);
}
END_TEST

START_TEST(test_an_age_is_shown_in_the_largest_unit)
{
        char buffer[DURATION_SIZE];

        ck_assert_str_eq(duration_format(0, buffer), "0ms");
        ck_assert_str_eq(duration_format(999 * DURATION_MS, buffer), "999ms");
        ck_assert_str_eq(duration_format(59 * DURATION_S, buffer), "59s");
        ck_assert_str_eq(duration_format(60 * DURATION_S, buffer), "1m");
        ck_assert_str_eq(duration_format(3600 * DURATION_S, buffer), "1h");
        ck_assert_str_eq(duration_format(86400 * DURATION_S, buffer), "1d");
        ck_assert_str_eq(duration_format(UINT64_MAX, buffer), "213503d");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("duration");
        TCase *tcase = tcase_create("duration");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_test(tcase, test_a_plain_number_is_seconds);
        tcase_add_test(tcase, test_units_multiply);
        tcase_add_test(tcase, test_what_is_no_duration_is_refused_at_its_place);
        tcase_add_test(tcase, test_what_does_not_fit_is_refused);
        tcase_add_test(tcase, test_an_age_is_shown_in_the_largest_unit);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed != 0;
}
