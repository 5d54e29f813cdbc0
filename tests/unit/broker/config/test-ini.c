/*
 * test-ini.c - the sections of the configuration file beside [MBUS] (RFC 3259, 12).
 */
#include <stdio.h>
#include <stdlib.h>

#include <broker/config/ini.h>

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
        };

        return run_tests("broker-ini", tests, N(tests));
}
