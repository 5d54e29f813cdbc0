/*
 * test-policy.c - what the lines of [policy] let whom do.
 */
#include <broker/base/limits.h>
#include <broker/config/policy.h>
#include <stdio.h>
#include <stdlib.h>

#include "damage.h"
#include "run.h"

#define OWNER 1000
#define ALICE 1001

static struct ini_section policy_section(struct policy *p)
{
        return (struct ini_section){ "policy", policy_on_line, p, false };
}

/* A policy of @lines, which must be right. */
static struct policy *policy_of(const char *lines)
{
        struct policy *p = policy_new(OWNER);
        struct ini_section section = policy_section(p);
        char text[8192], error[INI_ERROR_SIZE] = "";
        char *copy;
        int n = snprintf(text, sizeof(text), "[policy]\n%s", lines);

        ck_assert_ptr_nonnull(p);
        ck_assert_int_lt(n, (int)sizeof(text));
        /* Nothing of the text is needed later. */
        copy = copy_exactly(text, (size_t)n);
        ck_assert_msg(ini_read((struct span){ copy, (size_t)n }, "file", &section, 1, error), "%s",
                      error);
        free(copy);
        return p;
}

static void expect_error(const char *line, const char *error)
{
        struct policy *p = policy_new(OWNER);
        struct ini_section section = policy_section(p);
        char text[8192], got[INI_ERROR_SIZE] = "";

        snprintf(text, sizeof(text), "[policy]\n%s", line);
        ck_assert_msg(!ini_read(span_of(text), "file", &section, 1, got), "%s", line);
        ck_assert_msg(strncmp(got, error, strlen(error)) == 0, "%s\ninstead of\n%s", got, error);
        policy_free(p);
}

static struct rights *rights_of(const struct policy *p, uid_t uid, gid_t gid, const gid_t *groups,
                                size_t n_groups)
{
        struct credentials who = { .uid = uid, .gid = gid, .groups = groups, .n_groups = n_groups };
        struct rights *r;

        ck_assert_int_eq(policy_judge(p, &who, &r), 0);
        return r;
}

static struct rights *rights_of_alice(const struct policy *p)
{
        struct rights *r = rights_of(p, ALICE, 50, NULL, 0);

        ck_assert_ptr_nonnull(r);
        return r;
}

static struct address address(const char *text)
{
        struct address a;

        ck_assert_msg(address_parse(span_of(text), LENIENT, &a, NULL, NULL) == 0, "%s", text);
        return a;
}

static bool may_attach(const struct rights *r, const char *text)
{
        struct address a = address(text);

        return rights_may_attach(r, &a);
}

static bool may_send(const struct rights *r, const char *dest, const char *command)
{
        struct address a = address(dest);
        uint64_t lines = rights_to(r, &a);

        /* What holds for all commands holds for each, but for two. */
        if (rights_for_all_commands(r, lines) && strcmp(command, "mbus.go") != 0 &&
            strcmp(command, "mbus.quit") != 0)
                ck_assert(rights_for_command(r, lines, span_of(command)));
        return rights_for_command(r, lines, span_of(command));
}

START_TEST(test_the_owner_and_root_may_do_everything_and_others_nothing)
{
        struct policy *p = policy_of("");
        struct rights *r;

        ck_assert_ptr_null(rights_of(p, OWNER, 1, NULL, 0));
        ck_assert_ptr_null(rights_of(p, 0, 1, NULL, 0));
        r = rights_of_alice(p);
        ck_assert(!may_attach(r, "(a:b)"));
        ck_assert(!may_attach(r, "()"));
        ck_assert(!may_send(r, "()", "x"));
        ck_assert(!may_send(r, "(a:b)", "x"));
        ck_assert(!rights_may_watch(r));
        ck_assert(!rights_may_observe(r));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_the_owner_is_not_bound_by_a_line_for_everybody)
{
        struct policy *p = policy_of("deny user=*\n");

        ck_assert_ptr_null(rights_of(p, OWNER, 1, NULL, 0));
        ck_assert_ptr_null(rights_of(p, 0, 1, NULL, 0));
        policy_free(p);
}
END_TEST

START_TEST(test_who_may_say_all_must_be_named_to_let_go_or_end_others)
{
        static const struct {
                const char *line;
                bool go, quit, waiting;
        } cases[] = {
                { "allow user=1001 send=*\n", false, false, true },
                { "allow user=1001 send=* commands=mbus.go\n", true, false, false },
                { "allow user=1001 send=* commands=mbus.\n", true, true, true },
                { "allow user=1001 send=* commands=mbus.g\n", false, false, false },
                { "allow user=1001 send=*\nallow user=1001 send=* commands=mbus.quit\n", false,
                  true, true },
                { "allow user=1001 send=*\nallow user=1001 send=(a:x) commands=mbus.go\n", false,
                  false, true },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct policy *p = policy_of(cases[i].line);
                struct rights *r = rights_of_alice(p);

                ck_assert_int_eq(may_send(r, "(a:b)", "mbus.go"), cases[i].go);
                ck_assert_int_eq(may_send(r, "(a:b)", "mbus.quit"), cases[i].quit);
                ck_assert_int_eq(may_send(r, "(a:b)", "mbus.waiting"), cases[i].waiting);
                free(r);
                policy_free(p);
        }
}
END_TEST

START_TEST(test_lines_are_for_users_and_groups_supplementary_ones_too)
{
        struct policy *p = policy_of("allow user=1001,1002 all\nallow group=7,8 all\n");
        const gid_t groups[] = { 3, 8 };
        struct rights *r;

        ck_assert_ptr_null(rights_of(p, 1001, 1, NULL, 0));
        ck_assert_ptr_null(rights_of(p, 1002, 1, NULL, 0));
        ck_assert_ptr_null(rights_of(p, 1003, 7, NULL, 0));
        ck_assert_ptr_null(rights_of(p, 1003, 1, groups, 2));
        /* A user's number is no group's. */
        r = rights_of(p, 7, 1001, groups, 1);
        ck_assert_ptr_nonnull(r);
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_names_are_found_in_the_user_database)
{
        struct policy *p = policy_of("allow user=root,daemon group=daemon all\n");

        ck_assert_ptr_null(rights_of(p, 1, 50, NULL, 0));
        ck_assert_ptr_null(rights_of(p, 77, 1, NULL, 0));
        policy_free(p);
}
END_TEST

START_TEST(test_an_entity_has_the_elements_of_the_line_and_an_id)
{
        struct policy *p = policy_of("allow user=* attach=(media:audio module:ui)\n");
        struct rights *r = rights_of_alice(p);

        ck_assert(may_attach(r, "(media:audio module:ui)"));
        ck_assert(may_attach(r, "(module:ui media:audio id:1-1@h)"));
        ck_assert(!may_attach(r, "(media:audio)"));
        ck_assert(!may_attach(r, "(media:audio module:engine)"));
        /* It would hear what is meant for the bank. */
        ck_assert(!may_attach(r, "(media:audio module:ui app:bank)"));
        ck_assert(!may_attach(r, "(media:audio module:ui app:bank id:1-1@h)"));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_a_star_lets_an_entity_have_other_elements)
{
        struct policy *p =
                policy_of("allow user=1001 attach=(media:audio *)\n"
                          "allow user=5 attach=*\nallow user=6 attach=( * )\n"
                          "allow user=7 attach=()\nallow user=8 attach=(a:b id:1-1@h)\n");
        struct rights *r = rights_of_alice(p);

        ck_assert(may_attach(r, "(media:audio app:bank id:1-1@h)"));
        ck_assert(may_attach(r, "(media:audio)"));
        ck_assert(!may_attach(r, "(app:bank)"));
        free(r);
        for (uid_t uid = 5; uid <= 6; uid++) {
                r = rights_of(p, uid, 1, NULL, 0);
                ck_assert(may_attach(r, "(app:bank)"));
                ck_assert(may_attach(r, "()"));
                free(r);
        }
        r = rights_of(p, 7, 1, NULL, 0);
        ck_assert(may_attach(r, "(id:1-1@h)"));
        ck_assert(!may_attach(r, "(app:bank)"));
        free(r);
        r = rights_of(p, 8, 1, NULL, 0);
        ck_assert(may_attach(r, "(a:b id:1-1@h)"));
        ck_assert(!may_attach(r, "(a:b id:1-2@h)"));
        ck_assert(!may_attach(r, "(a:b)"));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_messages_go_to_those_who_have_the_elements_of_the_line)
{
        struct policy *p = policy_of("allow user=* send=(module:engine)\n");
        struct rights *r = rights_of_alice(p);

        ck_assert(may_send(r, "(module:engine)", "x"));
        ck_assert(may_send(r, "(app:rat module:engine id:1-1@h)", "x"));
        ck_assert(!may_send(r, "()", "x"));
        ck_assert(!may_send(r, "(app:rat)", "x"));
        ck_assert(!may_send(r, "(module:ui)", "x"));
        ck_assert(!may_attach(r, "(module:engine)"));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_commands_are_names_or_all_that_begin_with_one)
{
        struct policy *p = policy_of(
                "allow user=* send=(module:engine) commands=audio.,tools.rat.mute,b-c_d\n");
        struct rights *r = rights_of_alice(p);
        struct address engine = address("(module:engine)");

        ck_assert(!rights_for_all_commands(r, rights_to(r, &engine)));
        ck_assert(may_send(r, "(module:engine)", "audio.mute"));
        ck_assert(may_send(r, "(module:engine)", "audio.input.gain"));
        ck_assert(may_send(r, "(module:engine)", "tools.rat.mute"));
        ck_assert(may_send(r, "(module:engine)", "b-c_d"));
        ck_assert(!may_send(r, "(module:engine)", "audio"));
        ck_assert(!may_send(r, "(module:engine)", "audio."));
        ck_assert(!may_send(r, "(module:engine)", "audiox"));
        ck_assert(!may_send(r, "(module:engine)", "Audio.mute"));
        ck_assert(!may_send(r, "(module:engine)", "tools.rat.mute.all"));
        ck_assert(!may_send(r, "(module:engine)", "tools.rat"));
        ck_assert(!may_send(r, "(module:ui)", "audio.mute"));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_what_lines_grant_adds_up_but_each_line_stays_whole)
{
        struct policy *p = policy_of("allow user=* send=(a:1) commands=one.\n"
                                     "allow user=1001 send=(a:2) send=(a:3) commands=two.\n"
                                     "allow user=7 send=(a:4)\n"
                                     "allow group=50 attach=(a:5) attach=(a:6)\n");
        struct rights *r = rights_of_alice(p);

        ck_assert(may_send(r, "(a:1)", "one.x"));
        ck_assert(may_send(r, "(a:2)", "two.x"));
        ck_assert(may_send(r, "(a:3)", "two.x"));
        ck_assert(!may_send(r, "(a:1)", "two.x"));
        ck_assert(!may_send(r, "(a:2)", "one.x"));
        ck_assert(!may_send(r, "(a:4)", "one.x"));
        ck_assert(may_attach(r, "(a:5)"));
        ck_assert(may_attach(r, "(a:6)"));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_a_deny_line_ends_the_reading)
{
        struct policy *p = policy_of("allow user=1001 attach=(a:1)\ndeny user=1001\n"
                                     "allow user=* attach=(a:2)\nallow user=1001 all\n");
        struct rights *r = rights_of_alice(p);

        ck_assert(may_attach(r, "(a:1)"));
        ck_assert(!may_attach(r, "(a:2)"));
        free(r);
        r = rights_of(p, 1002, 1, NULL, 0);
        ck_assert(may_attach(r, "(a:2)"));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_watching_goes_with_attaching_and_observing_does_not)
{
        static const struct {
                const char *line;
                bool watch;
                bool observe;
        } cases[] = {
                { "allow user=* attach=(a:1)", true, false },
                { "allow user=* send=(a:1)", true, false },
                { "allow user=* attach=(a:1) watch=no", false, false },
                { "allow user=* watch=yes", true, false },
                { "allow user=* observe=yes", false, true },
                { "allow user=* observe=yes watch=YES", true, true },
                { "allow user=* observe=no attach=*", true, false },
                { "allow user=* attach=* watch=no\nallow user=* send=*", true, false },
        };

        for (unsigned i = 0; i < N(cases); i++) {
                struct policy *p = policy_of(cases[i].line);
                struct rights *r = rights_of_alice(p);

                ck_assert_msg(rights_may_watch(r) == cases[i].watch, "%s", cases[i].line);
                ck_assert_msg(rights_may_observe(r) == cases[i].observe, "%s", cases[i].line);
                free(r);
                policy_free(p);
        }
}
END_TEST

START_TEST(test_lines_beyond_the_most_do_not_count_and_that_can_be_seen)
{
        char lines[8192] = "";
        struct rights *r;
        struct policy *p;

        for (unsigned i = 0; i < RIGHTS_MAX; i++)
                sprintf(lines + strlen(lines), "allow user=* attach=(a:%u) send=(a:%u)\n", i, i);
        p = policy_of(lines);
        r = rights_of_alice(p);
        ck_assert(!rights_are_cut(r));
        ck_assert(may_send(r, "(a:63)", "x"));
        ck_assert(!may_send(r, "(a:64)", "x"));
        free(r);
        policy_free(p);
        strcat(lines, "allow user=* attach=(a:64) send=(a:64)\n");
        p = policy_of(lines);
        r = rights_of_alice(p);
        ck_assert(rights_are_cut(r));
        ck_assert(may_attach(r, "(a:63)"));
        ck_assert(!may_attach(r, "(a:64)"));
        ck_assert(!may_send(r, "(a:64)", "x"));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_a_line_that_is_not_understood_wholly_is_an_error)
{
        expect_error("permit user=*",
                     "file:2: permit: a line of [policy] begins with allow or deny");
        expect_error("allow", "file:2: allow: it does not say for whom, ");
        expect_error("allow all", "file:2: allow: it does not say for whom, ");
        expect_error("allow user=*", "file:2: allow: it grants nothing, ");
        expect_error("deny", "file:2: deny: it does not say for whom, ");
        expect_error("deny user=* send=*", "file:2: send: a deny line has user= and group= only");
        expect_error("deny user=* all", "file:2: all: a deny line has user= and group= only");
        expect_error("allow user=* frob=1", "file:2: frob: it is unknown; there are user=, ");
        expect_error("allow user=* (a:b)", "file:2: ?: it is unknown; there are user=, ");
        expect_error("allow user= all", "file:2: user: a name is missing or too long, ");
        expect_error("allow user=root, all", "file:2: user: a name is missing or too long, ");
        expect_error("allow user=no-such-user all",
                     "file:2: user: there is no user \"no-such-user\"");
        expect_error("allow group=no-such-group all", "file:2: group: there is no group ");
        expect_error("allow user=4294967295 all",
                     "file:2: user: 4294967295 is no number of a user, they end at 4294967294");
        expect_error("allow group=99999999999999999999 all",
                     "file:2: group: 99999999999999999999 is no number of a group, ");
        expect_error("allow user=* watch=yes watch=no", "file:2: watch: stands there twice, ");
        expect_error("allow user=* all all", "file:2: all: stands there twice, ");
        expect_error("allow user=* all=yes", "file:2: all: write all alone");
        expect_error("allow user=* attach", "file:2: attach: write attach=VALUE");
        expect_error("allow user=* attach=", "file:2: attach: \"\" is no address, ");
        expect_error("allow user=* attach=a:b", "file:2: attach: \"a:b\" is no address, ");
        expect_error("allow user=* attach=(a:b", "file:2: attach: \"(a:b\" is no address, ");
        expect_error("allow user=* attach=(a)", "file:2: attach: the address is malformed, ");
        expect_error("allow user=* attach=(a:b*)*", "file:2: attach: \"(a:b*)*\" is no address, ");
        expect_error("allow user=* attach=(a:*)", "file:2: attach: * stands for whole elements, ");
        expect_error("allow user=* attach=(a:b a:c)", "file:2: attach: the address is malformed, ");
        expect_error("allow user=* send=(* a:b)", "file:2: send: the address is malformed, ");
        expect_error("allow user=* commands=a",
                     "file:2: commands: it limits send=, which is missing");
        expect_error("allow user=* send=* commands=", "file:2: commands: a name of a command is ");
        expect_error("allow user=* send=* commands=a,,b", "file:2: commands: a name of a command ");
        expect_error("allow user=* send=* commands=a(b", "file:2: commands: a name of a command ");
        expect_error("allow user=* watch=maybe", "file:2: watch: it is neither, write yes or no");
}
END_TEST

START_TEST(test_an_address_longer_than_any_is_an_error)
{
        static char line[8000];

        strcpy(line, "allow user=* attach=(");
        memset(line + strlen(line), 'a', 5000);
        strcat(line, ")");
        expect_error(line, "file:2: attach: \"(aaaaaaaa");
}
END_TEST

#define NOBODY 65534

/* As rights_of(), in the eyes of a broker whose user namespace does not map all ids. */
static struct rights *rights_in_namespace(const struct policy *p, uid_t uid, gid_t gid)
{
        struct credentials who = { .uid = uid,
                                   .gid = gid,
                                   .nobody = { true, NOBODY, true, NOBODY } };
        struct rights *r;

        ck_assert_int_eq(policy_judge(p, &who, &r), 0);
        return r;
}

START_TEST(test_the_overflow_id_is_no_user_to_grant_something_to)
{
        struct policy *p = policy_of("allow user=65534,1001 group=65534,50 watch=yes\n"
                                     "allow user=* observe=yes\n");
        struct rights *r = rights_in_namespace(p, NOBODY, NOBODY);

        ck_assert(!rights_may_watch(r));
        ck_assert(rights_may_observe(r));
        free(r);
        r = rights_in_namespace(p, ALICE, 7);
        ck_assert(rights_may_watch(r));
        free(r);
        r = rights_in_namespace(p, NOBODY, 50);
        ck_assert(rights_may_watch(r));
        free(r);
        /* Where all ids are mapped it is a user as any. */
        r = rights_of(p, NOBODY, 7, NULL, 0);
        ck_assert(rights_may_watch(r));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_what_is_denied_to_the_overflow_id_is_denied)
{
        struct policy *p = policy_of("deny user=65534\nallow user=* watch=yes\n");
        struct rights *r = rights_in_namespace(p, NOBODY, NOBODY);

        ck_assert(!rights_may_watch(r));
        free(r);
        policy_free(p);
}
END_TEST

START_TEST(test_the_overflow_id_is_no_owner_and_no_root)
{
        struct policy *p = policy_new(NOBODY);
        struct credentials who = { .uid = NOBODY, .nobody = { true, NOBODY, true, NOBODY } };
        struct rights *r = NULL;

        ck_assert_int_eq(policy_judge(p, &who, &r), 0);
        ck_assert_ptr_nonnull(r);
        free(r);
        who = (struct credentials){ .uid = 0, .nobody = { true, 0, true, 0 } };
        ck_assert_int_eq(policy_judge(p, &who, &r), 0);
        ck_assert_ptr_nonnull(r);
        free(r);
        who = (struct credentials){ .uid = NOBODY, .nobody = { false, NOBODY, false, NOBODY } };
        ck_assert_int_eq(policy_judge(p, &who, &r), 0);
        ck_assert_ptr_null(r);
        policy_free(p);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_owner_and_root_may_do_everything_and_others_nothing,
                test_the_owner_is_not_bound_by_a_line_for_everybody,
                test_who_may_say_all_must_be_named_to_let_go_or_end_others,
                test_lines_are_for_users_and_groups_supplementary_ones_too,
                test_names_are_found_in_the_user_database,
                test_an_entity_has_the_elements_of_the_line_and_an_id,
                test_a_star_lets_an_entity_have_other_elements,
                test_messages_go_to_those_who_have_the_elements_of_the_line,
                test_commands_are_names_or_all_that_begin_with_one,
                test_what_lines_grant_adds_up_but_each_line_stays_whole,
                test_a_deny_line_ends_the_reading,
                test_watching_goes_with_attaching_and_observing_does_not,
                test_lines_beyond_the_most_do_not_count_and_that_can_be_seen,
                test_a_line_that_is_not_understood_wholly_is_an_error,
                test_an_address_longer_than_any_is_an_error,
                test_the_overflow_id_is_no_user_to_grant_something_to,
                test_what_is_denied_to_the_overflow_id_is_denied,
                test_the_overflow_id_is_no_owner_and_no_root,
        };

        return run_tests("broker-policy", tests, N(tests));
}
