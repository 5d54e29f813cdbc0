/*
 * test-limit.c - each limit is of the kind and the scope that its key names.
 */
#include <stdio.h>
#include <string.h>

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

int main(void)
{
        const TTest *const tests[] = {
                test_the_key_of_a_limit_names_its_kind_and_its_scope,
                test_limits_of_no_kind_are_none_of_those,
                test_a_scope_that_a_kind_does_not_have_has_no_limit,
                test_what_nobody_wrote_is_in_order,
        };

        return run_tests("broker-limit", tests, N(tests));
}
