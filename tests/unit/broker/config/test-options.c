/*
 * test-options.c - [broker] and [limits]: their values, and what is said when they are wrong.
 */
#include <stdio.h>
#include <unistd.h>

#include <broker/config/options.h>

#include "run.h"

static bool read_options(struct options *o, const char *text, char *ret_error)
{
        *o = OPTIONS_INIT;
        limits_init(&o->limits);
        o->policy = policy_new(1);
        ck_assert_ptr_nonnull(o->policy);
        ret_error[0] = '\0';
        return options_read_sections(o, span_of(text), "file", ret_error);
}

static void expect_option_error(const char *text, const char *begin)
{
        char error[INI_ERROR_SIZE];
        struct options o;

        ck_assert_msg(!read_options(&o, text, error), "%s", text);
        ck_assert_msg(strncmp(error, begin, strlen(begin)) == 0, "%s", error);
        policy_free(o.policy);
}

START_TEST(test_all_keys_of_the_broker_are_read)
{
        char error[INI_ERROR_SIZE];
        struct options o;

        ck_assert_msg(read_options(&o,
                                   "[MBUS]\n[broker]\nmulticast=Never\nSOCKET_MODE=0660\n"
                                   "SOCKET_GROUP=77\nQUIT=bus\n"
                                   "[limits]\nBYTES_PER_LINK=1M\nentities_per_user=5\n"
                                   "LINKS_PER_USER=share\nSEND_RATE=2K\n",
                                   error),
                      "%s", error);
        ck_assert_int_eq(o.multicast, MULTICAST_NEVER);
        ck_assert_uint_eq(o.socket_mode, 0660);
        ck_assert_uint_eq(o.socket_group, 77);
        ck_assert_uint_eq(o.lines.socket_mode, 4);
        ck_assert_uint_eq(o.lines.socket_group, 5);
        ck_assert_uint_eq(o.tcp.n, 0);
        ck_assert_int_eq(o.quit, QUIT_BUS);
        ck_assert_uint_eq(o.limits.of[LIMIT_BYTES_PER_LINK], 1 << 20);
        ck_assert_uint_eq(o.limits.of[LIMIT_ENTITIES_PER_USER], 5);
        ck_assert_uint_eq(o.limits.of[LIMIT_LINKS_PER_USER], LIMIT_OFF);
        ck_assert_uint_eq(o.limits.of[LIMIT_SEND_RATE], 2048);
        policy_free(o.policy);
}
END_TEST

START_TEST(test_values_that_make_no_sense_are_errors)
{
        expect_option_error("[broker]\nMULTICAST=sometimes\n",
                            "file:2: MULTICAST: \"sometimes\" is no value for it, write always, ");
        expect_option_error("[broker]\nSOCKET_MODE=\n", "file:2: SOCKET_MODE: \"\" is no value");
        expect_option_error("[broker]\nSOCKET_MODE=0066\n", "file:2: SOCKET_MODE: ");
        expect_option_error("[broker]\nSOCKET_MODE=0777\n", "file:2: SOCKET_MODE: ");
        expect_option_error("[broker]\nSOCKET_MODE=4600\n", "file:2: SOCKET_MODE: ");
        expect_option_error("[broker]\nSOCKET_MODE=rw\n", "file:2: SOCKET_MODE: ");
        expect_option_error("[broker]\nSOCKET_GROUP=no such group\n", "file:2: SOCKET_GROUP: ");
        expect_option_error("[broker]\nQUIT=yes\n", "file:2: QUIT: ");
        expect_option_error("[limits]\nBYTES=1\n", "file:2: BYTES: \"1\" is no value for it, ");
        expect_option_error("[limits]\nBYTES=share\n", "file:2: BYTES: ");
        expect_option_error("[limits]\nLINKS=-1\n", "file:2: LINKS: ");
        expect_option_error("[limits]\nLINKS=0\n", "file:2: LINKS: ");
        expect_option_error("[limits]\nLINKS=K\n", "file:2: LINKS: ");
        expect_option_error("[limits]\nBYTES=99999999G\n", "file:2: BYTES: ");
        expect_option_error("[limits]\nBYTES=18446744073709551616\n", "file:2: BYTES: ");
        expect_option_error("[limits]\nSEND_RATE=share\n", "file:2: SEND_RATE: ");
        expect_option_error("[limits]\nLINKS\n", "file:2: LINKS: is no entry of [limits], ");
}
END_TEST

START_TEST(test_a_key_stands_once)
{
        static const char *const keys[] = { "MULTICAST=never", "METRICS=no", "SOCKET_MODE=0600",
                                            "QUIT=owner" };
        char text[256], begin[64];

        for (size_t i = 0; i < N(keys); i++) {
                size_t n = strcspn(keys[i], "=");

                snprintf(text, sizeof(text), "[broker]\n%s\n\n[broker]\n%s\n", keys[i], keys[i]);
                snprintf(begin, sizeof(begin), "file:5: %.*s: stands on line 2 already, ", (int)n,
                         keys[i]);
                expect_option_error(text, begin);
                snprintf(text, sizeof(text), "[broker]\n%.*s=\n", (int)n, keys[i]);
                snprintf(begin, sizeof(begin), "file:2: %.*s: \"\" is no value for it, write ",
                         (int)n, keys[i]);
                expect_option_error(text, begin);
        }
        expect_option_error("[broker]\nSOCKET_GROUP=0\nSOCKET_GROUP=0\n",
                            "file:3: SOCKET_GROUP: stands on line 2 already, ");
        expect_option_error("[broker]\nSOCKET_GROUP=\n", "file:2: SOCKET_GROUP: a name is missing");
        expect_option_error("[limits]\nLINKS=5\nlinks=5\n",
                            "file:3: links: stands on line 2 already, remove one of the two");
}
END_TEST

START_TEST(test_a_limit_says_from_where_to_where_it_goes)
{
        expect_option_error("[limits]\nLINKS=99999999999999999999\n",
                            "file:2: LINKS: \"99999999999999999999\" is no value for it, write a "
                            "number from 1 to 1099511627776 (K, M, G: times 1024)");
        expect_option_error("[limits]\nBYTES_PER_USER=\n",
                            "file:2: BYTES_PER_USER: \"\" is no value for it, write a number from "
                            "131072 to 1099511627776 (K, M, G: times 1024), or share");
}
END_TEST

START_TEST(test_limits_that_contradict_each_other_are_errors)
{
        static const struct {
                const char *text;
                const char *error; /* NULL: there is none */
        } cases[] = {
                { "ENTITIES=10\nENTITIES_PER_LINK=11\n",
                  "F:3: ENTITIES_PER_LINK: 11 is above ENTITIES=10 of line 2, lower it or raise "
                  "the "
                  "other" },
                { "ENTITIES_PER_LINK=11\n\nENTITIES=10\n",
                  "F:2: ENTITIES_PER_LINK: 11 is above ENTITIES=10 of line 4, lower it or raise "
                  "the "
                  "other" },
                { "ENTITIES_PER_LINK=11\nENTITIES_PER_USER=10\n",
                  "F:2: ENTITIES_PER_LINK: 11 is above ENTITIES_PER_USER=10 of line 3, lower it or "
                  "raise the other" },
                { "LINKS=10\nLINKS_PER_USER=11\n",
                  "F:3: LINKS_PER_USER: 11 is above LINKS=10 of line 2, lower it or raise the "
                  "other" },
                { "TICKETS_PER_LINK=2M\n",
                  "F:2: TICKETS_PER_LINK: 2097152 is above TICKETS, which is 1048576 where no line "
                  "says otherwise, lower it or write TICKETS=NUMBER" },
                { "BYTES_PER_USER=2M\nBYTES=1M\n", "F:2: BYTES_PER_USER: 2097152 is above " },
                { "MESSAGES_PER_LINK=20\nMESSAGES_PER_USER=19\n", "F:2: MESSAGES_PER_LINK: 20 " },
                { "RETAINED_PER_LINK=20K\nRETAINED=19K\n", "F:2: RETAINED_PER_LINK: 20480 is " },
                { "SEND_RATE=20\nSEND_RATE_PER_USER=19\n", "F:2: SEND_RATE: 20 is above " },
                /* What nobody wrote gives way. */
                { "ENTITIES=10\n", NULL },
                { "ENTITIES_PER_USER=10\n", NULL },
                { "ENTITIES=10\nENTITIES_PER_LINK=10\nENTITIES_PER_USER=10\n", NULL },
                { "ENTITIES=10\nENTITIES_PER_USER=share\nENTITIES_PER_LINK=9\n", NULL },
        };

        for (size_t i = 0; i < N(cases); i++) {
                char text[256], error[INI_ERROR_SIZE];
                const char *want = cases[i].error;
                struct options o;

                snprintf(text, sizeof(text), "[limits]\n%s", cases[i].text);
                ck_assert_msg(read_options(&o, text, error), "%s: %s", text, error);
                ck_assert_msg(limits_check(&o.limits, "F", error) == !want, "%s", text);
                ck_assert_msg(!want || strncmp(error, want, strlen(want)) == 0, "%s", error);
                policy_free(o.policy);
        }
}
END_TEST

/* CFG-07 is of [MBUS]; the same holds for the other sections. */
START_TEST(test_unknown_keys_are_ignored_with_a_warning)
{
        char error[INI_ERROR_SIZE], text[512] = "";
        int fds[2], saved = dup(STDERR_FILENO);
        struct options o;

        ck_assert_int_eq(pipe(fds), 0);
        dup2(fds[1], STDERR_FILENO);
        ck_assert(read_options(&o, "[broker]\nFROBNICATE=1\n[limits]\nBITES=1\n", error));
        fflush(stderr);
        dup2(saved, STDERR_FILENO);
        close(saved);
        close(fds[1]);
        ck_assert_int_gt(read(fds[0], text, sizeof(text) - 1), 0);
        close(fds[0]);
        ck_assert_ptr_nonnull(strstr(text, "file:2: FROBNICATE: it is unknown in [broker]"));
        ck_assert_ptr_nonnull(strstr(text, "file:4: BITES: it is unknown in [limits] and ignored, "
                                           "is BYTES meant?\n"));
        policy_free(o.policy);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_all_keys_of_the_broker_are_read,
                test_values_that_make_no_sense_are_errors,
                test_a_key_stands_once,
                test_a_limit_says_from_where_to_where_it_goes,
                test_limits_that_contradict_each_other_are_errors,
                test_unknown_keys_are_ignored_with_a_warning,
        };

        return run_tests("broker-options", tests, N(tests));
}
