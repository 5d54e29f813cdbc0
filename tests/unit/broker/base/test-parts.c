/*
 * test-parts.c - parts of the broker that need no broker: places to listen at, the log, and how
 * figures are written.
 */
#include <errno.h>
#include <stdio.h>

#include <broker/base/limits.h>
#include <broker/base/log.h>
#include <broker/base/listen-address.h>
#include <broker/ops/reload.h>
#include <broker/control/figure.h>

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

/* ---- figures ------------------------------------------------------------------------------- */

static void expect_written(const struct figure *f, const char *symbol, const char *value)
{
        struct buffer out = BUFFER_INIT;

        figure_format_symbol(f, &out);
        ck_assert(span_equal_text(buffer_span(&out), symbol));
        buffer_clear(&out);
        figure_format_value(f, &out);
        ck_assert(span_equal_text(buffer_span(&out), value));
        buffer_deinit(&out);
}

START_TEST(test_figures_have_symbols_without_units_of_counting_and_seconds_with_three_digits)
{
        expect_written(&(struct figure){ .name = "clients", .value = 7 }, "clients", "7");
        expect_written(&(struct figure){ .name = "link_bytes_total",
                                         .label = "direction",
                                         .labels = "in",
                                         .value = UINT64_MAX },
                       "link-bytes-in", "18446744073709551615");
        expect_written(&(struct figure){ .name = "uptime_seconds", .value = 61007, .in_ms = true },
                       "uptime-seconds", "61.007");
        expect_written(&(struct figure){ .name = "x_total", .in_ms = true }, "x", "0.000");
        expect_written(&(struct figure){ .name = "_total" }, "-total", "0");
}
END_TEST

/* Names of buses may differ in nothing but "-" and "_". */
START_TEST(test_figures_of_the_bus_main_have_its_name_left_out_and_those_of_others_at_the_end)
{
        struct figure f = {
                .name = "bus_bytes_total", .bus = "main", .label = "direction", .labels = "in"
        };

        expect_written(&f, "bus-bytes-in", "0");
        f.bus = "old_studio";
        expect_written(&f, "bus-bytes-in-old_studio", "0");
        f.label = NULL;
        expect_written(&f, "bus-bytes-old_studio", "0");
}
END_TEST

/* ---- what changed -------------------------------------------------------------------------- */

static void expect_changes(const char *lines_a, const char *lines_b, const char *names)
{
        static const char head[] = "[MBUS]\nCONFIG_VERSION=1\nENCRYPTIONKEY=(NOENCR,)\n";
        struct config a = CONFIG_INIT, b = CONFIG_INIT;
        struct buffer out = BUFFER_INIT;
        char text[1024], error[256];

        snprintf(text, sizeof(text), "%s%s", head, lines_a);
        ck_assert_msg(config_parse(span_of(text), "a", &a, error) == 0, "%s", error);
        snprintf(text, sizeof(text), "%s%s", head, lines_b);
        ck_assert_msg(config_parse(span_of(text), "b", &b, error) == 0, "%s", error);
        buffer_add_text(&out, "in front ");
        reload_format_changes(&a, &b, &out);
        ck_assert_msg(span_equal_text(span_from(buffer_span(&out), 9), names), "%.*s", (int)out.n,
                      out.at);
        buffer_deinit(&out);
}

#define HASHKEY_A "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
#define HASHKEY_B "HASHKEY=(HMAC-SHA1-96,BQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"

START_TEST(test_changes_of_the_configuration_are_named_and_no_key_is_shown)
{
        expect_changes(HASHKEY_A, "# the same\r\n" HASHKEY_A, "");
        expect_changes(HASHKEY_A, HASHKEY_B, "HASHKEY");
        expect_changes(HASHKEY_A "SCOPE=HOSTLOCAL\n", HASHKEY_B "SCOPE=LINKLOCAL\nPORT=4711\n",
                       "HASHKEY, SCOPE, PORT");
        expect_changes(HASHKEY_A "INTERFACE=lo\n", HASHKEY_A "INTERFACE=lo\nINTERFACE=eth0\n",
                       "INTERFACE");
        expect_changes(HASHKEY_A "PORT=4711\n", HASHKEY_A, "PORT");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_places_on_this_host_are_places,
                test_everything_else_is_no_place,
                test_trouble_is_said_once_while_it_lasts_and_not_each_time_that_it_comes,
                test_changes_of_the_configuration_are_named_and_no_key_is_shown,
                test_figures_have_symbols_without_units_of_counting_and_seconds_with_three_digits,
                test_figures_of_the_bus_main_have_its_name_left_out_and_those_of_others_at_the_end,
        };

        return run_tests("broker-parts", tests, N(tests));
}
