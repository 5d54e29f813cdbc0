/*
 * test-ini.c - the sections of the configuration file beside [MBUS] (RFC 3259, 12).
 */
#include <broker/config/options.h>
#include <broker/config/ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "damage.h"
#include "run.h"

/* What the reader of a section saw. */
static char seen[4096];

static bool on_line(void *data, const struct ini_line *line)
{
        size_t n = strlen(seen);

        snprintf(seen + n, sizeof(seen) - n, "%s%u[%.*s][%.*s]%.*s;", (const char *)data,
                 line->number, (int)line->section.n, line->section.at, (int)line->word.n,
                 line->word.at, (int)line->text.n, line->text.at);
        return true;
}

static bool read_sections(const char *text, char *ret_error)
{
        static char broker[] = "", bus[] = "bus";
        const struct ini_section sections[] = {
                { "mbus", NULL, NULL, false },
                { "broker", on_line, broker, false },
                { "policy", NULL, NULL, false },
                { "bus", on_line, bus, true },
        };
        char *copy = copy_exactly(text, strlen(text));
        bool good;

        seen[0] = '\0';
        good = ini_read((struct span){ copy, strlen(text) }, "file", sections, N(sections),
                        ret_error);
        free(copy);
        return good;
}

static void expect_error(const char *text, const char *error)
{
        char got[INI_ERROR_SIZE] = "";

        ck_assert_msg(!read_sections(text, got), "%s", text);
        ck_assert_str_eq(got, error);
}

START_TEST(test_lines_go_to_their_section_with_their_numbers)
{
        char error[INI_ERROR_SIZE];

        ck_assert(read_sections(
                "[MBUS]\nHASHKEY=x\n\n[broker]\n a = b \r\n# no\n\n[ BUS  old one ]\nc\n"
                "[Broker]\nd",
                error));
        ck_assert_str_eq(seen, "4[broker][];5[broker][]a = b;bus8[BUS][old one];"
                               "bus9[BUS][old one]c;10[Broker][];11[Broker][]d;");
}
END_TEST

START_TEST(test_a_byte_order_mark_and_an_empty_file_are_no_error)
{
        char error[INI_ERROR_SIZE];

        ck_assert(read_sections("", error));
        ck_assert(read_sections("\xef\xbb\xbf[broker]\n", error));
        ck_assert_str_eq(seen, "1[broker][];");
}
END_TEST

START_TEST(test_a_section_that_is_nearly_one_of_ours_is_an_error)
{
        expect_error("[polcy]\n", "file:1: [polcy]: there is no such section, write [policy] or "
                                  "remove it");
        expect_error("[MBUS]\n[brkoer]\n",
                     "file:2: [brkoer]: there is no such section, write [broker] or remove it");
        expect_error("[mubs]\n",
                     "file:1: [mubs]: there is no such section, write [mbus] or remove it");
        expect_error("[POLICYS]\n",
                     "file:1: [POLICYS]: there is no such section, write [policy] or remove it");
        expect_error("[buss old]\n",
                     "file:1: [buss old]: there is no such section, write [bus NAME] or remove it");
}
END_TEST

START_TEST(test_a_section_of_another_program_is_skipped)
{
        char error[INI_ERROR_SIZE];

        ck_assert(read_sections("[rat]\na=1\n[broker]\nb\n[a section with a very long name]\nc\n",
                                error));
        ck_assert_str_eq(seen, "3[broker][];4[broker][]b;");
}
END_TEST

START_TEST(test_a_broken_head_is_an_error)
{
        expect_error("[broker\n", "file:1: [broker: a section begins with [NAME], add the ]");
        expect_error("[bus old\n", "file:1: [bus old: a section begins with [NAME], add the ]");
        expect_error("[c2VjcmV0+c2VjcmV0\n",
                     "file:1: [c2VjcmV0: a section begins with [NAME], add the ]");
        expect_error("[]\n", "file:1: []: a section has a name, write [NAME]");
        expect_error("[ ]\n", "file:1: [ ]: a section has a name, write [NAME]");
        expect_error(
                "[broker] MULTICAST=never\n",
                "file:1: [broker]: nothing may stand behind the ], put it on a line of its own");
        expect_error("[\n", "file:1: [: a section begins with [NAME], add the ]");
        expect_error("\n[broker x]\n",
                     "file:2: [broker x]: there is only one of it, write [broker]");
}
END_TEST

/* A key that stands where none should must not get into a log. */
START_TEST(test_what_may_be_a_secret_is_not_repeated)
{
        char error[INI_ERROR_SIZE] = "";
        struct ini_line line = { .file = "file", .number = 7, .error = error };

        ck_assert(!ini_fail(&line, span_of("(HMAC,c2VjcmV0)"), "is wrong"));
        ck_assert_str_eq(error, "file:7: ?: is wrong");
        line.text = span_of("c2VjcmV0+c2VjcmV0");
        line.section = span_of("broker");
        ck_assert(!ini_split(&line, &line.word, &line.word));
        ck_assert_str_eq(error, "file:7: ?: is no entry of [broker], write KEY=VALUE");
}
END_TEST

START_TEST(test_an_error_fits_however_long_the_path_is)
{
        char error[INI_ERROR_SIZE + 1], path[3000];
        struct ini_line line = { .file = path, .number = 1, .error = error };

        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        error[INI_ERROR_SIZE] = '!';
        ini_fail(&line, span_of("KEY"), "%0500d", 1);
        ck_assert_uint_lt(strlen(error), INI_ERROR_SIZE);
        ck_assert_ptr_nonnull(strstr(error, "x:1: KEY: 000"));
        ck_assert_int_eq(error[INI_ERROR_SIZE], '!');
}
END_TEST

START_TEST(test_words_end_at_white_space_outside_of_parentheses)
{
        struct span rest = span_of(" a=(b c) d  (e (f g) h)i )j k"), word;
        static const char *const expected[] = { "a=(b c)", "d", "(e (f g) h)i", ")j", "k" };

        for (unsigned i = 0; i < N(expected); i++) {
                ck_assert(ini_next_word(&rest, &word));
                ck_assert_msg(span_equal_text(word, expected[i]), "%.*s", (int)word.n, word.at);
        }
        ck_assert(!ini_next_word(&rest, &word));
}
END_TEST

/* ---- the sections of the broker ------------------------------------------------------------ */

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
                test_lines_go_to_their_section_with_their_numbers,
                test_a_byte_order_mark_and_an_empty_file_are_no_error,
                test_a_section_that_is_nearly_one_of_ours_is_an_error,
                test_a_section_of_another_program_is_skipped,
                test_a_broken_head_is_an_error,
                test_what_may_be_a_secret_is_not_repeated,
                test_an_error_fits_however_long_the_path_is,
                test_words_end_at_white_space_outside_of_parentheses,
                test_all_keys_of_the_broker_are_read,
                test_values_that_make_no_sense_are_errors,
                test_a_key_stands_once,
                test_a_limit_says_from_where_to_where_it_goes,
                test_limits_that_contradict_each_other_are_errors,
                test_unknown_keys_are_ignored_with_a_warning,
        };

        return run_tests("broker-sections", tests, N(tests));
}
