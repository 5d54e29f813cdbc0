/*
 * test-limit.c - each limit is of the kind and the scope that its key names, and has values that make sense.
 */
#include <stdio.h>
#include <string.h>

#include <broker/base/limits.h>
#include <broker/config/limit.h>

#include "run.h"

static const char *const kinds[QUOTA_MAX] = {
        [QUOTA_BYTES] = "BYTES",       [QUOTA_MESSAGES] = "MESSAGES", [QUOTA_ENTITIES] = "ENTITIES",
        [QUOTA_TICKETS] = "TICKETS",   [QUOTA_LINKS] = "LINKS",       [QUOTA_WATCHES] = "WATCHES",
        [QUOTA_RETAINED] = "RETAINED",
};

static const char *const scopes[SCOPE_MAX] = {
        [SCOPE_TOTAL] = "", [SCOPE_USER] = "_PER_USER", [SCOPE_LINK] = "_PER_LINK"
};

/* There is no number of all links for a link, and watches are counted for nobody else. */
static bool is_left_out(enum quota_kind kind, enum limit_scope scope)
{
        return kind == QUOTA_LINKS ? scope == SCOPE_LINK
                                   : kind == QUOTA_WATCHES && scope != SCOPE_LINK;
}

/* Reads "KEY=VALUE" as a line of [limits]. */
static bool read_limit(struct limits *l, const char *text, unsigned number)
{
        char error[INI_ERROR_SIZE] = "";
        const struct ini_line line = { .file = "file",
                                       .number = number,
                                       .section = span_of("limits"),
                                       .text = span_of(text),
                                       .error = error };

        return limits_on_line(l, &line);
}

START_TEST(test_the_key_of_a_limit_names_its_kind_and_its_scope)
{
        for (enum quota_kind kind = 0; kind < QUOTA_MAX; kind++) {
                for (enum limit_scope scope = 0; scope < SCOPE_MAX; scope++) {
                        enum limit limit = limit_of(kind, scope);
                        char key[64], text[80];
                        struct limits l;

                        if (is_left_out(kind, scope))
                                continue;
                        snprintf(key, sizeof(key), "%s%s", kinds[kind], scopes[scope]);
                        ck_assert_str_eq(limit_name(limit), key);
                        limits_init(&l);
                        snprintf(text, sizeof(text), "%s=777777", key);
                        ck_assert(read_limit(&l, text, 9));
                        for (unsigned i = 0; i < LIMIT_MAX; i++)
                                ck_assert((l.of[i] == 777777) == (i == limit));
                        ck_assert_uint_eq(l.lines[limit], 9);
                }
        }
}
END_TEST

START_TEST(test_limits_of_no_kind_are_none_of_those)
{
        static const enum limit alone[] = { LIMIT_NONE, LIMIT_SEND_RATE, LIMIT_SEND_RATE_PER_USER,
                                            LIMIT_COMMAND_RATE_PER_USER, LIMIT_PATIENCE };

        for (enum quota_kind kind = 0; kind < QUOTA_MAX; kind++)
                for (enum limit_scope scope = 0; scope < SCOPE_MAX; scope++)
                        for (unsigned i = 0; i < N(alone); i++)
                                ck_assert_int_ne(limit_of(kind, scope), alone[i]);
        ck_assert_str_eq(limit_name(LIMIT_SEND_RATE), "SEND_RATE");
        ck_assert_str_eq(limit_name(LIMIT_PATIENCE), "PATIENCE");
}
END_TEST

START_TEST(test_a_scope_that_a_kind_does_not_have_has_no_limit)
{
        struct limits l;

        limits_init(&l);
        ck_assert_uint_eq(l.of[limit_of(QUOTA_LINKS, SCOPE_LINK)], LIMIT_OFF);
        ck_assert_uint_eq(l.of[limit_of(QUOTA_WATCHES, SCOPE_TOTAL)], LIMIT_OFF);
        ck_assert_uint_eq(l.of[limit_of(QUOTA_WATCHES, SCOPE_USER)], LIMIT_OFF);
}
END_TEST

START_TEST(test_what_nobody_wrote_is_in_order)
{
        char error[INI_ERROR_SIZE] = "";
        struct limits l;

        limits_init(&l);
        ck_assert(limits_check(&l, "file", error));
        for (unsigned i = 0; i < LIMIT_MAX; i++)
                ck_assert_uint_eq(l.lines[i], 0);
}
END_TEST

/* Reads the lines of [limits]; what is wrong with them is in the error, "" if nothing is. */
static const char *read_limits(const char *lines, struct limits *ret_limits)
{
        static char error[INI_ERROR_SIZE];
        const struct ini_section section = { .name = "limits",
                                             .on_line = limits_on_line,
                                             .data = ret_limits };
        char text[512];

        snprintf(text, sizeof(text), "[MBUS]\n[limits]\n%s", lines);
        error[0] = '\0';
        limits_init(ret_limits);
        if (ini_read(span_of(text), "F", &section, 1, error))
                ck_assert_str_eq(error, "");
        else
                ck_assert_str_ne(error, "");
        return error;
}

static void expect_value(const char *lines, enum limit limit, uint64_t value)
{
        struct limits limits;

        ck_assert_str_eq(read_limits(lines, &limits), "");
        ck_assert_msg(limits.of[limit] == value, "%s: %ju", lines, (uintmax_t)limits.of[limit]);
        ck_assert_uint_eq(limits.lines[limit], 3);
}

static void expect_error(const char *lines, const char *what)
{
        struct limits limits;
        const char *error = read_limits(lines, &limits);

        ck_assert_msg(strstr(error, what) != NULL, "%s: instead of: %s\ncame: %s", lines, what,
                      error);
}

START_TEST(test_values_are_numbers_with_a_unit_at_their_end)
{
        expect_value("ENTITIES=1", LIMIT_ENTITIES, 1);
        expect_value(" entities = 77 ", LIMIT_ENTITIES, 77);
        expect_value("BYTES=3M", LIMIT_BYTES, UINT64_C(3) << 20);
        expect_value("BYTES=300K", LIMIT_BYTES, 300 << 10);
        expect_value("BYTES=2g", LIMIT_BYTES, UINT64_C(2) << 30);
        expect_value("BYTES=1024G", LIMIT_BYTES, LIMIT_VALUE_MAX);
        expect_value("BYTES=1099511627776", LIMIT_BYTES, LIMIT_VALUE_MAX);
        expect_value("PATIENCE=0", LIMIT_PATIENCE, 0);
}
END_TEST

START_TEST(test_other_values_are_errors_that_say_what_may_be)
{
        static const char *const bad[] = { "",
                                           "0",
                                           "-1",
                                           "+1",
                                           "1.5",
                                           "K",
                                           "1KB",
                                           "1 K",
                                           "0x10",
                                           "1025G",
                                           "1099511627777",
                                           "1T",
                                           "off",
                                           "none",
                                           "share",
                                           "18446744073709551616" };

        for (size_t i = 0; i < N(bad); i++) {
                char line[64];

                snprintf(line, sizeof(line), "ENTITIES=%s", bad[i]);
                expect_error(line, "F:3: ENTITIES: ");
        }
        expect_error("ENTITIES=0", "write a number from 1 to 1099511627776 (K, M, G: times 1024)");
        expect_error("MESSAGES=15", "\"15\" is no value for it, write a number from 16 to ");
        expect_error("ENTITIES", "F:3: ENTITIES");
}
END_TEST

/* Each that can be without a limit has a word for that, and no other. */
START_TEST(test_words_stand_for_no_limit_where_there_need_not_be_one)
{
        expect_value("BYTES_PER_USER=share", LIMIT_BYTES_PER_USER, LIMIT_OFF);
        expect_value("LINKS_PER_USER=Share", LIMIT_LINKS_PER_USER, LIMIT_OFF);
        expect_value("SEND_RATE=none", LIMIT_SEND_RATE, LIMIT_OFF);
        expect_value("COMMAND_RATE_PER_USER=NONE", LIMIT_COMMAND_RATE_PER_USER, LIMIT_OFF);
        expect_error("BYTES_PER_USER=none", ", or share");
        expect_error("SEND_RATE=share", ", or none");
        expect_error("SEND_RATE=0", ", or none");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_key_of_a_limit_names_its_kind_and_its_scope,
                test_limits_of_no_kind_are_none_of_those,
                test_a_scope_that_a_kind_does_not_have_has_no_limit,
                test_what_nobody_wrote_is_in_order,
                test_values_are_numbers_with_a_unit_at_their_end,
                test_other_values_are_errors_that_say_what_may_be,
                test_words_stand_for_no_limit_where_there_need_not_be_one,
        };

        return run_tests("broker-limit", tests, N(tests));
}
