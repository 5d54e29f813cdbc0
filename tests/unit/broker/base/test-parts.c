/*
 * test-parts.c - parts of the broker that need no broker: places to listen at, and the log.
 */
#include <errno.h>
#include <stdio.h>

#include <broker/base/limits.h>
#include <broker/base/log.h>
#include <broker/base/listen-address.h>
#include <core/limits.h>

#include "run.h"

/* ---- places -------------------------------------------------------------------------------- */

START_TEST(test_places_on_this_host_are_places)
{
        static const char *const good[] = { "127.0.0.1:1", "127.0.0.1:65535", "[::1]:9259",
                                            "unix:/run/x" };
        char text[LISTEN_ADDRESS_SIZE];

        for (size_t i = 0; i < N(good); i++) {
                ck_assert(listen_address_parse(span_of(good[i]), text));
                ck_assert_str_eq(text, good[i]);
        }
        ck_assert(listen_address_parse(SPAN_NULL, text));
        ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_everything_else_is_no_place)
{
        struct own_file file = OWN_FILE_INIT;
        static const char *const bad[] = { "127.0.0.1",       "127.0.0.1:",    "127.0.0.1:0",
                                           "127.0.0.1:65536", "127.0.0.1:80x", "127.0.0.2:80",
                                           "[::1]",           "[::]:80",       "0.0.0.0:80",
                                           "unix:",           "unix:relative", "/run/x" };
        char text[LISTEN_ADDRESS_SIZE] = "untouched", path[200] = "unix:/";

        for (size_t i = 0; i < N(bad); i++)
                ck_assert_msg(!listen_address_parse(span_of(bad[i]), text), "%s", bad[i]);
        memset(path + 6, 'x', 106);
        ck_assert(listen_address_parse(span_of(path),
                                       text)); /* 107 octets and a zero fill sockaddr_un */
        path[112] = 'x';
        ck_assert(!listen_address_parse(span_of(path), text));
        memset(path + 6, 'x', 150);
        ck_assert(!listen_address_parse(span_of(path), text));
        ck_assert_int_eq(listen_address_open("nowhere", &file), -EINVAL);
}
END_TEST

/* ---- the log ------------------------------------------------------------------------------- */

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

int main(void)
{
        const TTest *const tests[] = {
                test_places_on_this_host_are_places,
                test_everything_else_is_no_place,
                test_trouble_is_said_once_while_it_lasts_and_not_each_time_that_it_comes,
        };

        return run_tests("broker-parts", tests, N(tests));
}
