/*
 * test-tcp-name.c - places of TCP: how they are written, and what is made of what a resolver says.
 */
#include "io/tcp-name.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "run.h"

START_TEST(test_places_that_are_written_right)
{
        static const struct {
                const char *text;
                const char *host;
                uint16_t port;
                bool is_v6;
        } good[] = {
                { "127.0.0.1:1", "127.0.0.1", 1, false },
                { "a.b-c.example:65535", "a.b-c.example", 65535, false },
                { "localhost:47000", "localhost", 47000, false },
                { "[::1]:80", "::1", 80, true },
                { "[fe80::1%eth0]:80", "fe80::1%eth0", 80, true },
                { "[::]:80", "::", 80, true },
                { "[fe80::1%no-such-if]:80", "fe80::1%no-such-if", 80, true },
        };

        for (size_t i = 0; i < N(good); i++) {
                struct tcp_name name;

                ck_assert_msg(tcp_name_parse(span_of(good[i].text), &name), "%s", good[i].text);
                ck_assert_str_eq(name.host, good[i].host);
                ck_assert_uint_eq(name.port, good[i].port);
                ck_assert_int_eq(name.is_v6, good[i].is_v6);
        }
}
END_TEST

START_TEST(test_places_that_are_not)
{
        static const char *const bad[] = {
                "",      "1",       ":",        ":1",          "a:",
                "a:0",   "a:65536", "a:b",      "a:-1",        "::1:80",
                "[::1]", "[]:1",    "[a]:1",    "[::1:80",     "::1]:80",
                "a b:1", "a/b:1",   "[::1%]:1", "[1.2.3.4]:1", "fe80::1%eth0:80",
                "a\n:1", "a: 1",
        };
        char text[300];
        struct tcp_name name;

        for (size_t i = 0; i < N(bad); i++)
                ck_assert_msg(!tcp_name_parse(span_of(bad[i]), &name), "%s", bad[i]);
        memset(text, 'a', sizeof(text));
        strcpy(text + 253, ":1");
        ck_assert(tcp_name_parse(span_of(text), &name));
        memset(text, 'a', sizeof(text));
        strcpy(text + 254, ":1");
        ck_assert(!tcp_name_parse(span_of(text), &name));
}
END_TEST

static void expect_addresses(const struct tcp_addresses *all, const char *const *want, size_t n)
{
        char text[TCP_ADDRESS_TEXT_SIZE];

        ck_assert_uint_eq(all->n, n);
        for (size_t i = 0; i < n; i++) {
                tcp_address_format(&all->at[i], text);
                ck_assert_str_eq(text, want[i]);
        }
}

static struct tcp_name name_of(const char *text)
{
        struct tcp_name name;

        ck_assert(tcp_name_parse(span_of(text), &name));
        return name;
}

START_TEST(test_numbers_and_localhost_take_no_resolver)
{
        static const struct {
                const char *text;
                const char *want[2];
                size_t n;
        } all[] = {
                { "127.0.0.1:5", { "127.0.0.1:5" }, 1 },
                { "[::1]:5", { "[::1]:5" }, 1 },
                { "[::ffff:1.2.3.4]:5", { "1.2.3.4:5" }, 1 },
                { "localhost:5", { "127.0.0.1:5", "[::1]:5" }, 2 },
                { "[fe80::1%lo]:5", { "[fe80::1%lo]:5" }, 1 },
        };

        for (size_t i = 0; i < N(all); i++) {
                struct tcp_name name = name_of(all[i].text);
                struct tcp_addresses found;
                const char *why = "";

                ck_assert_msg(tcp_name_resolve(&name, &found, &why) == 0, "%s: %s", all[i].text,
                              why);
                expect_addresses(&found, all[i].want, all[i].n);
        }
}
END_TEST

START_TEST(test_who_is_not_known_is_said_to_be)
{
        struct tcp_name name = name_of("[fe80::1%no-such-if]:1");
        struct tcp_addresses found = { .n = 7 };
        const char *why = "";

        ck_assert_int_eq(tcp_name_resolve(&name, &found, &why), MBUS_E_UNKNOWN);
        ck_assert_uint_eq(found.n, 7);
        ck_assert_str_ne(why, "");
}
END_TEST

START_TEST(test_addresses_are_taken_once_in_their_order_and_not_too_many)
{
        struct sockaddr_in v4[TCP_ADDRESSES_MAX + 4];
        struct addrinfo infos[TCP_ADDRESSES_MAX + 4];
        struct tcp_name name = name_of("many:7");
        struct tcp_addresses found;
        char text[TCP_ADDRESS_TEXT_SIZE];

        for (unsigned i = 0; i < N(infos); i++) {
                v4[i] = (struct sockaddr_in){ .sin_family = AF_INET,
                                              .sin_addr.s_addr = htonl(0x0a000000 + i / 2) };
                infos[i] = (struct addrinfo){ .ai_family = i == 0 ? AF_UNIX : AF_INET,
                                              .ai_addr = (struct sockaddr *)&v4[i],
                                              .ai_addrlen = sizeof(v4[i]),
                                              .ai_next = i + 1 < N(infos) ? &infos[i + 1] : NULL };
        }
        tcp_name_take(&name, infos, &found);
        ck_assert_uint_eq(found.n, N(infos) / 2);
        tcp_address_format(&found.at[1], text);
        ck_assert_str_eq(text, "10.0.0.1:7");
        for (unsigned i = 0; i < N(infos); i++)
                v4[i].sin_addr.s_addr = htonl(0x0a000000 + i);
        tcp_name_take(&name, infos, &found);
        ck_assert_uint_eq(found.n, TCP_ADDRESSES_MAX);
}
END_TEST

START_TEST(test_what_cannot_be_reached_from_outside_is_loopback)
{
        static const char *const inside[] = { "127.0.0.1:1", "127.9.9.9:1", "[::1]:1",
                                              "[::ffff:127.0.0.1]:1" };
        static const char *const outside[] = { "0.0.0.0:1", "[::]:1", "10.0.0.1:1",
                                               "[::ffff:10.0.0.1]:1", "[2001:db8::1]:1" };
        struct tcp_addresses found;
        const char *why;

        for (size_t i = 0; i < N(inside); i++) {
                struct tcp_name name = name_of(inside[i]);

                ck_assert_int_eq(tcp_name_resolve(&name, &found, &why), 0);
                ck_assert(tcp_address_is_loopback(&found.at[0]));
        }
        for (size_t i = 0; i < N(outside); i++) {
                struct tcp_name name = name_of(outside[i]);

                ck_assert_int_eq(tcp_name_resolve(&name, &found, &why), 0);
                ck_assert(!tcp_address_is_loopback(&found.at[0]));
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_places_that_are_written_right,
                test_places_that_are_not,
                test_numbers_and_localhost_take_no_resolver,
                test_who_is_not_known_is_said_to_be,
                test_addresses_are_taken_once_in_their_order_and_not_too_many,
                test_what_cannot_be_reached_from_outside_is_loopback,
        };

        return run_tests("tcp-name", tests, N(tests));
}
