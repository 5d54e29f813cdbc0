/*
 * test-tcp-listen-address.c - where clients over TCP are taken, and what contradicts each other.
 */
#include <stdio.h>

#include <core/error.h>

#include <broker/config/tcp-listen-address.h>

#include "run.h"

static char error[INI_ERROR_SIZE];

static bool read_value(struct tcp_listen_addresses *addresses, const char *value, unsigned number)
{
        const struct ini_line line = { .file = "file", .number = number, .error = error };

        return tcp_listen_addresses_read(addresses, &line, span_of("TCP"), span_of(value));
}

START_TEST(test_all_forms_of_addresses_are_read_and_nothing_else)
{
        static const char *const good[] = { "127.0.0.1:1", "host:47000", "[::1]:65535",
                                            "[fe80::1%eth0]:1", "*:47000" };
        static const char *const bad[] = {
                "host", "host:", "host:0", "host:65536", "*", "*:x", ""
        };
        struct tcp_listen_addresses addresses = { .n = 0 };

        for (unsigned i = 0; i < N(good); i++)
                ck_assert_msg(read_value(&addresses, good[i], i + 1), "%s", good[i]);
        ck_assert_uint_eq(addresses.n, N(good));
        ck_assert_str_eq(addresses.of[1].text, "host:47000");
        ck_assert_uint_eq(addresses.of[1].line, 2);
        for (unsigned i = 0; i < N(bad); i++)
                ck_assert_msg(!read_value(&addresses, bad[i], 9), "%s", bad[i]);
        ck_assert_uint_eq(addresses.n, N(good));
}
END_TEST

START_TEST(test_no_contradicts_addresses_and_addresses_that_are_the_same_each_other)
{
        struct tcp_listen_addresses addresses = { .n = 0 }, none = { .n = 0 };

        ck_assert(read_value(&addresses, "a:1", 3));
        ck_assert(!read_value(&addresses, "no", 4));
        ck_assert_str_eq(error, "file:4: TCP: line 3 says otherwise, remove one of them");
        ck_assert(!read_value(&addresses, "a:1", 5));
        ck_assert_str_eq(error, "file:5: TCP: line 3 says the same, remove one of them");
        ck_assert(read_value(&none, "No", 6));
        ck_assert(!read_value(&none, "a:1", 7));
        ck_assert_str_eq(error, "file:7: TCP: line 6 says otherwise, remove one of them");
        ck_assert_uint_eq(none.n, 0);
        ck_assert(!tcp_listen_addresses_equal(&addresses, &none));
        ck_assert(tcp_listen_addresses_equal(&addresses, &addresses));
}
END_TEST

START_TEST(test_more_than_there_may_be_are_an_error)
{
        struct tcp_listen_addresses addresses = { .n = 0 };
        char value[16];

        for (unsigned i = 0; i <= TCP_PLACES_MAX; i++) {
                snprintf(value, sizeof(value), "a:%u", i + 1);
                ck_assert_int_eq(read_value(&addresses, value, i + 1), i < TCP_PLACES_MAX);
        }
        ck_assert_uint_eq(addresses.n, TCP_PLACES_MAX);
}
END_TEST

START_TEST(test_numbers_are_found_without_a_resolver_and_a_star_is_all_of_ipv6)
{
        struct tcp_addresses found = { .n = 0 };
        const char *why = NULL;

        ck_assert_int_eq(tcp_listen_address_find("127.0.0.1:5", &found, &why), 0);
        ck_assert_uint_eq(found.n, 1);
        ck_assert_uint_eq(socket_address_port(&found.at[0]), 5);
        ck_assert_int_eq(tcp_listen_address_find("*:6", &found, &why), 0);
        ck_assert_uint_eq(found.n, 1);
        ck_assert_int_eq(found.at[0].any.sa_family, AF_INET6);
        ck_assert_int_eq(tcp_listen_address_find("nothing", &found, &why), MBUS_E_UNKNOWN);
        ck_assert_str_eq(why, "it is no place");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_all_forms_of_addresses_are_read_and_nothing_else,
                test_no_contradicts_addresses_and_addresses_that_are_the_same_each_other,
                test_more_than_there_may_be_are_an_error,
                test_numbers_are_found_without_a_resolver_and_a_star_is_all_of_ipv6,
        };

        return run_tests("broker-tcp-listen-address", tests, N(tests));
}
