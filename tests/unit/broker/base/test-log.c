/*
 * test-log.c - when a line is logged, and when it is not.
 */
#include <core/limits.h>

#include <broker/base/limits.h>
#include <broker/base/log.h>

#include "run.h"

START_TEST(test_trouble_is_said_once_while_it_lasts_and_not_each_time_that_it_comes)
{
        const uint64_t start = 1000 * NSEC_PER_MSEC, interval = LOG_INTERVAL_MS * NSEC_PER_MSEC;
        struct log_trouble t = { .said = false };

        ck_assert(!log_trouble_is_over(&t));
        ck_assert(log_trouble_is_due(&t, start));
        ck_assert(!log_trouble_is_due(&t, start + 1));
        ck_assert(!log_trouble_is_due(&t, start + 5 * interval));
        ck_assert(log_trouble_is_over(&t));
        ck_assert(!log_trouble_is_over(&t));
        ck_assert(log_trouble_is_due(&t, start + 5 * interval));
        ck_assert(log_trouble_is_over(&t));
        /* It is there again at once: nothing is said, so its end is not, either. */
        ck_assert(!log_trouble_is_due(&t, start + 5 * interval + 1));
        ck_assert(!log_trouble_is_over(&t));
        ck_assert(log_trouble_is_due(&t, start + 6 * interval));
}
END_TEST

START_TEST(test_a_line_is_logged_again_after_a_while_with_how_often_it_was_not)
{
        const uint64_t interval = LOG_INTERVAL_MS * NSEC_PER_MSEC;
        struct log_ratelimit limit = { 0 };
        uint64_t n = 99;

        ck_assert(log_ratelimit_is_due(&limit, 5, &n));
        ck_assert_uint_eq(n, 0);
        n = 99;
        for (unsigned i = 0; i < 3; i++)
                ck_assert(!log_ratelimit_is_due(&limit, 5 + interval - 1, &n));
        ck_assert_uint_eq(n, 99);
        ck_assert(log_ratelimit_is_due(&limit, 5 + interval, &n));
        ck_assert_uint_eq(n, 3);
        ck_assert(log_ratelimit_is_due(&limit, 5 + 2 * interval, &n));
        ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_levels_have_names)
{
        enum log_level level = LOG_LEVEL_MAX;

        ck_assert(!log_level_parse("warn", &level));
        ck_assert(!log_level_parse("", &level));
        ck_assert_int_eq(level, LOG_LEVEL_MAX);
        ck_assert(log_level_parse("warning", &level));
        ck_assert_int_eq(level, LOG_LEVEL_WARNING);
        ck_assert(log_level_parse("debug", &level));
        ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_trouble_is_said_once_while_it_lasts_and_not_each_time_that_it_comes,
                test_a_line_is_logged_again_after_a_while_with_how_often_it_was_not,
                test_levels_have_names,
        };

        return run_tests("broker-log", tests, N(tests));
}
