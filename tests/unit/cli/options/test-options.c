/*
 * test-options.c - the command line: options before and behind the verb, what is told where it is wrong, and
 * that the lists of all verbs fit together.
 */
#include <check.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cli/options/common.h>
#include <cli/options/help.h>
#include <cli/options/options.h>
#include <cli/verbs/verbs.h>

static const struct option_info loud = { 'l', "loud", NULL, "be loud", NULL };
static const struct option_info span = { 0, "span", "SECS", "so long", option_parse_duration };
static const struct option_info *const say_options[] = { &loud, &option_count, OPTIONS_COMMON };
static const struct option_info *const rest_options[] = { &span, &option_json, &option_format,
                                                          OPTIONS_COMMON };
static const struct verb say = { .name = "say",
                                 .usage = "[-l] WORD",
                                 .summary = "says it",
                                 .notes = "",
                                 .options = say_options,
                                 .args_min = 1,
                                 .args_max = 1 };
static const struct verb rest = {
        .name = "rest", .usage = "", .summary = "does nothing", .notes = "", .options = rest_options
};
static const struct verb *const table[] = { &rest, &say, NULL };

/* What options_parse() says of a line of words, which the options then point into. */
static int parse(const char *line, struct options *ret_options)
{
        static char words[256];
        static char *argv[16];
        int argc = 0;

        snprintf(words, sizeof(words), "mbus-cli %s", line);
        for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
                argv[argc++] = word;
        argv[argc] = NULL;
        optind = 0;
        return options_parse(table, argc, argv, ret_options);
}

START_TEST(test_options_stand_before_and_behind_the_verb)
{
        struct options o;

        ck_assert_int_eq(parse("-l say -C 3 word -b udp:", &o), 0);
        ck_assert_ptr_eq(o.verb, &say);
        ck_assert(options_has(&o, &loud) && !options_has(&o, &option_json));
        ck_assert_uint_eq(options_number(&o, &option_count, 7), 3);
        ck_assert_str_eq(options_text(&o, &option_bus), "udp:");
        ck_assert_uint_eq(o.n_args, 1);
        ck_assert_str_eq(o.args[0], "word");
}
END_TEST

START_TEST(test_what_is_not_given_is_none_or_the_default)
{
        struct options o;

        ck_assert_int_eq(parse("say word", &o), 0);
        ck_assert_ptr_null(options_text(&o, &option_bus));
        ck_assert_uint_eq(options_number(&o, &option_count, 7), 7);
        options_set(&o, &option_bus, (union option_value){ .text = "unix:" });
        ck_assert_str_eq(options_text(&o, &option_bus), "unix:");
}
END_TEST

START_TEST(test_of_a_repeated_option_the_last_one_counts)
{
        struct options o;

        ck_assert_int_eq(parse("say -C 3 --count=5 word", &o), 0);
        ck_assert_uint_eq(options_number(&o, &option_count, 0), 5);
        ck_assert_uint_eq(o.n_given, 1);
}
END_TEST

START_TEST(test_without_a_verb_it_is_the_first)
{
        struct options o;

        ck_assert_int_eq(parse("--span 2s", &o), 0);
        ck_assert_ptr_eq(o.verb, &rest);
        ck_assert_uint_eq(options_number(&o, &span, 0), UINT64_C(2000000000));
}
END_TEST

START_TEST(test_what_is_wrong_is_refused)
{
        static const char *const lines[] = {
                "say",        "say two words", "sing",         "say -j word",
                "rest -l",    "rest -j -F %t", "rest -F %q",   "rest --span x",
                "say -C 0 w", "say -C",        "say -b where", "say -c= --unknown w",
        };
        struct options o;

        for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
                ck_assert_msg(parse(lines[i], &o) < 0, "%s", lines[i]);
}
END_TEST

START_TEST(test_help_ends_it_whatever_else_is_wrong)
{
        struct options o;

        ck_assert_int_eq(parse("say --help", &o), 1);
        ck_assert_int_eq(parse("--version", &o), 1);
}
END_TEST

/* options_parse() asserts that over all verbs a letter and a name mean one thing. */
START_TEST(test_the_options_of_all_verbs_fit_together)
{
        char *argv[] = { (char *)"mbus-cli", (char *)"keygen", NULL };
        struct options o;

        optind = 0;
        ck_assert_int_eq(options_parse(verbs, 2, argv, &o), 0);
        ck_assert_str_eq(o.verb->name, "keygen");
        for (size_t i = 0; verbs[i]; i++) {
                size_t n = 0;

                for (size_t k = 0; verbs[i]->options[k]; k++)
                        n += verbs[i]->options[k] == &option_help ||
                             verbs[i]->options[k] == &option_version;
                ck_assert_uint_eq(n, 2);
                ck_assert(verbs[i]->run && verbs[i]->usage &&
                          verbs[i]->args_min <= verbs[i]->args_max);
        }
}
END_TEST

START_TEST(test_notes_of_help_fit_into_80_columns)
{
        for (size_t i = 0; verbs[i]; i++)
                for (const char *line = verbs[i]->notes; *line; line += strcspn(line, "\n") + 1) {
                        ck_assert_msg(strcspn(line, "\n") <= 80, "%s: %.100s", verbs[i]->name,
                                      line);
                        ck_assert_msg(strchr(line, '\n'), "%s: no line end", verbs[i]->name);
                }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("options");
        TCase *tcase = tcase_create("options");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, test_options_stand_before_and_behind_the_verb);
        tcase_add_test(tcase, test_what_is_not_given_is_none_or_the_default);
        tcase_add_test(tcase, test_of_a_repeated_option_the_last_one_counts);
        tcase_add_test(tcase, test_without_a_verb_it_is_the_first);
        tcase_add_test(tcase, test_what_is_wrong_is_refused);
        tcase_add_test(tcase, test_help_ends_it_whatever_else_is_wrong);
        tcase_add_test(tcase, test_the_options_of_all_verbs_fit_together);
        tcase_add_test(tcase, test_notes_of_help_fit_into_80_columns);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
