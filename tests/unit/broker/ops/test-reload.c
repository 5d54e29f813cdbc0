/*
 * test-reload.c - which keys of [MBUS] have changed.
 */
#include <stdio.h>

#include <broker/ops/reload.h>

#include "run.h"

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
                test_changes_of_the_configuration_are_named_and_no_key_is_shown,
        };

        return run_tests("ops-reload", tests, N(tests));
}
