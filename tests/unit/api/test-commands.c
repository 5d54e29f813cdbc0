/*
 * test-commands.c - the builder of payloads and the accessors of what was received.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <api/api.h>
#include <core/message.h>

static struct mbus_commands *commands;

static void setup(void)
{
        ck_assert_int_eq(mbus_commands_new(&commands), 0);
}

static void teardown(void)
{
        commands = mbus_commands_free(commands);
}

static void expect(const char *text)
{
        ck_assert_int_eq(mbus_commands_check(commands), 0);
        ck_assert_str_eq(mbus_commands_get_text(commands), text);
}

static void expect_mistake(int error)
{
        ck_assert_int_eq(mbus_commands_check(commands), error);
        ck_assert_str_eq(mbus_commands_get_text(commands), "");
}

START_TEST(test_a_new_payload_is_empty_and_without_mistake)
{
        expect("");
}
END_TEST

START_TEST(test_each_type_is_written_in_its_canonical_form)
{
        mbus_commands_begin(commands, "a.b");
        mbus_commands_add_integer(commands, INT64_MIN);
        mbus_commands_add_float(commands, 0.5);
        mbus_commands_add_string(commands, "x\"\\\ny");
        mbus_commands_add_symbol(commands, "sym-1");
        mbus_commands_add_data(commands, "\0\1\2", 3);
        mbus_commands_begin_list(commands);
        mbus_commands_end_list(commands);
        mbus_commands_begin_list(commands);
        mbus_commands_add_integer(commands, 1);
        mbus_commands_add_integer(commands, 2);
        mbus_commands_end_list(commands);
        mbus_commands_end(commands);
        mbus_commands_begin(commands, "c");
        mbus_commands_end(commands);
        expect("a.b(-9223372036854775808 0.5 \"x\\\"\\\\\\ny\" sym-1 <AAEC> () (1 2))\r\nc()");
}
END_TEST

/* CMD-06 */
START_TEST(test_commands_of_the_reserved_name_space_are_refused)
{
        const char *what = NULL;
        size_t at = 99;

        mbus_commands_begin(commands, "mbus.hello");
        expect_mistake(MBUS_E_RESERVED);
        mbus_commands_clear(commands);
        ck_assert_int_eq(mbus_commands_add_text(commands, "a()\nmbus.ping()", &at, &what),
                         MBUS_E_RESERVED);
        ck_assert_uint_eq(at, 4);
        ck_assert_ptr_nonnull(what);
        expect_mistake(MBUS_E_RESERVED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "mbusy.hello");
        mbus_commands_end(commands);
        expect("mbusy.hello()");
}
END_TEST

/* CTL-01 CTL-02 CTL-03 */
START_TEST(test_quit_waiting_and_go_stand_among_other_commands)
{
        mbus_commands_begin(commands, "mbus.go");
        mbus_commands_add_string(commands, "rat-ui-requested");
        mbus_commands_end(commands);
        mbus_commands_begin(commands, "tool.rat.settings");
        mbus_commands_end(commands);
        mbus_commands_begin(commands, "mbus.go");
        mbus_commands_add_symbol(commands, "x");
        mbus_commands_end(commands);
        mbus_commands_begin(commands, "mbus.go");
        mbus_commands_add_string(commands, "no symbol");
        mbus_commands_end(commands);
        mbus_commands_begin(commands, "mbus.quit");
        mbus_commands_end(commands);
        expect("mbus.go(rat-ui-requested)\r\ntool.rat.settings()\r\nmbus.go(x)\r\nmbus.go(\"no "
               "symbol\")\r\nmbus.quit()");
        mbus_commands_clear(commands);
        ck_assert_int_eq(mbus_commands_add_text(
                                 commands, "a(1)\nmbus.waiting ( \"token\" )\nmbus.waiting(\"1\")",
                                 NULL, NULL),
                         0);
        expect("a(1)\r\nmbus.waiting(token)\r\nmbus.waiting(\"1\")");
}
END_TEST

START_TEST(test_they_have_the_parameters_that_the_rfc_gives_them)
{
        static const char *const bad[] = {
                "mbus.go()",         "mbus.go(a b)",    "mbus.go(1)",       "mbus.go(1.5)",
                "mbus.go((a))",      "mbus.go(<AA==>)", "mbus.go(\"\")",    "mbus.waiting()",
                "mbus.waiting(a b)", "mbus.waiting(7)", "mbus.waiting(())", "mbus.quit(now)"
        };
        const char *what = NULL;
        char text[64];
        size_t at = 0;

        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                snprintf(text, sizeof(text), "ok()\n%s", bad[i]);
                mbus_commands_clear(commands);
                ck_assert_int_eq(mbus_commands_add_text(commands, text, &at, &what),
                                 MBUS_E_MALFORMED);
                ck_assert_uint_eq(at, 5);
                ck_assert_ptr_nonnull(strstr(what, "(9."));
                expect_mistake(MBUS_E_MALFORMED);
        }
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "mbus.go");
        mbus_commands_add_integer(commands, 1);
        mbus_commands_end(commands);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "mbus.quit");
        mbus_commands_begin_list(commands);
        mbus_commands_end_list(commands);
        mbus_commands_end(commands);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "mbus.waiting");
        ck_assert_int_eq(mbus_commands_check(commands), MBUS_E_MALFORMED);
}
END_TEST

START_TEST(test_names_and_symbols_that_are_none_are_malformed)
{
        static const char *const bad[] = { "", "1a", "a b", "a(", "\xc3\xa4" };

        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                mbus_commands_clear(commands);
                mbus_commands_begin(commands, bad[i]);
                expect_mistake(MBUS_E_MALFORMED);
                mbus_commands_clear(commands);
                mbus_commands_begin(commands, "a");
                mbus_commands_add_symbol(commands, bad[i]);
                expect_mistake(MBUS_E_MALFORMED);
        }
}
END_TEST

START_TEST(test_values_that_have_no_form_on_the_wire_are_malformed)
{
        mbus_commands_begin(commands, "a");
        mbus_commands_add_float(commands, (double)INFINITY);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "a");
        mbus_commands_add_float(commands, (double)NAN);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "a");
        mbus_commands_add_string(commands, "\xff");
        expect_mistake(MBUS_E_MALFORMED);
}
END_TEST

START_TEST(test_calls_out_of_order_are_malformed)
{
        mbus_commands_add_integer(commands, 1);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_end(commands);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "a");
        mbus_commands_begin(commands, "b");
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "a");
        mbus_commands_end_list(commands);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "a");
        mbus_commands_begin_list(commands);
        mbus_commands_end(commands);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "a");
        ck_assert_int_eq(mbus_commands_check(commands), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_commands_add_text(commands, "b()", NULL, NULL), MBUS_E_MALFORMED);
}
END_TEST

START_TEST(test_the_first_mistake_stays_and_silences_the_rest)
{
        const char *what = NULL;

        mbus_commands_begin(commands, "mbus.x");
        mbus_commands_begin(commands, "1");
        mbus_commands_begin(commands, "a");
        mbus_commands_end(commands);
        ck_assert_int_eq(mbus_commands_add_text(commands, "b()", NULL, &what), MBUS_E_RESERVED);
        ck_assert_ptr_nonnull(what);
        expect_mistake(MBUS_E_RESERVED);
}
END_TEST

START_TEST(test_lists_nest_as_deep_as_receivers_take_them_and_no_deeper)
{
        struct message *m;
        struct buffer text = BUFFER_INIT;

        mbus_commands_begin(commands, "a");
        for (int i = 1; i < VALUE_DEPTH_MAX; i++)
                mbus_commands_begin_list(commands);
        for (int i = 1; i < VALUE_DEPTH_MAX; i++)
                mbus_commands_end_list(commands);
        mbus_commands_end(commands);
        ck_assert_int_eq(mbus_commands_check(commands), 0);
        buffer_add_text(&text, "mbus/1.0 1 1 U (id:1-1@127.0.0.1) () ()\r\n");
        buffer_add_text(&text, mbus_commands_get_text(commands));
        ck_assert_int_eq(message_new(buffer_span(&text), &m, NULL), 0);
        message_unref(m);
        buffer_deinit(&text);

        mbus_commands_clear(commands);
        mbus_commands_begin(commands, "a");
        for (int i = 0; i < VALUE_DEPTH_MAX; i++)
                mbus_commands_begin_list(commands);
        expect_mistake(MBUS_E_MALFORMED);
}
END_TEST

START_TEST(test_text_is_added_behind_whole_commands_in_canonical_form)
{
        const char *what = NULL;
        size_t at = 0;

        mbus_commands_begin(commands, "a");
        mbus_commands_end(commands);
        ck_assert_int_eq(mbus_commands_add_text(commands, "b ( 1   2 )\n\nc()\n", NULL, NULL), 0);
        expect("a()\r\nb(1 2)\r\nc()");
        ck_assert_int_eq(mbus_commands_add_text(commands, "", NULL, NULL), 0);
        expect("a()\r\nb(1 2)\r\nc()");
        ck_assert_int_eq(mbus_commands_add_text(commands, "d(\"x)", &at, &what), MBUS_E_MALFORMED);
        ck_assert_uint_gt(at, 0);
        ck_assert_ptr_nonnull(what);
        expect_mistake(MBUS_E_MALFORMED);
        mbus_commands_clear(commands);
        ck_assert_int_eq(mbus_commands_add_text(commands, "d(\"\xff\")", &at, &what),
                         MBUS_E_MALFORMED);
        ck_assert_uint_eq(at, 3);
}
END_TEST

START_TEST(test_an_empty_payload_cannot_be_sent)
{
        struct span payload;

        ck_assert_int_eq(commands_payload(commands, false, &payload), MBUS_E_MALFORMED);
}
END_TEST

/* ---- values -------------------------------------------------------------------------------- */

static struct message *parse(const char *payload)
{
        struct buffer text = BUFFER_INIT;
        struct message *m = NULL;

        buffer_add_text(&text, "mbus/1.0 7 99 R (app:a id:1-1@127.0.0.1) (app:b) (3 4 5)\r\n");
        buffer_add_text(&text, payload);
        ck_assert_int_eq(message_new(buffer_span(&text), &m, NULL), 0);
        buffer_deinit(&text);
        return m;
}

START_TEST(test_values_answer_for_their_own_type_only)
{
        struct message *m = parse("a(1 2.5 \"s\" y <AAE=> (1 (2) 3))");
        const struct mbus_value *args = mbus_message_get_args((struct mbus_message *)m, 0);
        static const enum mbus_value_type types[] = { MBUS_VALUE_INTEGER, MBUS_VALUE_FLOAT,
                                                      MBUS_VALUE_STRING,  MBUS_VALUE_SYMBOL,
                                                      MBUS_VALUE_DATA,    MBUS_VALUE_LIST };
        size_t n = 0;

        ck_assert_uint_eq(mbus_value_get_n(args), 6);
        for (const struct mbus_value *v = mbus_value_first(args); v; v = mbus_value_next(args, v)) {
                enum mbus_value_type type = mbus_value_get_type(v);
                bool is_text = type == MBUS_VALUE_STRING || type == MBUS_VALUE_SYMBOL ||
                               type == MBUS_VALUE_DATA;
                int64_t integer;
                double real;

                ck_assert_int_eq(type, types[n++]);
                ck_assert_int_eq(mbus_value_get_integer(v, &integer),
                                 type == MBUS_VALUE_INTEGER ? 0 : MBUS_E_TYPE);
                ck_assert_int_eq(
                        mbus_value_get_float(v, &real),
                        type == MBUS_VALUE_INTEGER || type == MBUS_VALUE_FLOAT ? 0 : MBUS_E_TYPE);
                ck_assert(is_text == (mbus_value_get_text(v, NULL) != NULL));
                ck_assert_uint_eq(mbus_value_get_n(v), type == MBUS_VALUE_LIST ? 3 : 0);
                ck_assert((mbus_value_first(v) != NULL) == (type == MBUS_VALUE_LIST));
        }
        ck_assert_uint_eq(n, 6);
        message_unref(m);
}
END_TEST

START_TEST(test_texts_have_their_length_and_a_zero_octet_behind)
{
        struct message *m = parse("a(\"x\\ny\" <AAE=>)");
        const struct mbus_value *args = mbus_message_get_args((struct mbus_message *)m, 0);
        const struct mbus_value *v = mbus_value_first(args);
        const char *text;
        size_t n;

        ck_assert_str_eq(mbus_value_get_text(v, NULL), "x\ny");
        text = mbus_value_get_raw(v, &n);
        ck_assert_uint_eq(n, 6);
        ck_assert_mem_eq(text, "\"x\\ny\"", 6);
        v = mbus_value_next(args, v);
        text = mbus_value_get_text(v, &n);
        ck_assert_uint_eq(n, 2);
        ck_assert_mem_eq(text, "\0\1\0", 3);
        ck_assert_ptr_null(mbus_value_next(args, v));
        message_unref(m);
}
END_TEST

START_TEST(test_an_integer_that_does_not_fit_says_so_and_keeps_its_digits)
{
        struct message *m = parse("a(-100000000000000000000)");
        const struct mbus_value *v =
                mbus_value_first(mbus_message_get_args((struct mbus_message *)m, 0));
        int64_t integer;
        double real;
        size_t n;

        ck_assert_int_eq(mbus_value_get_integer(v, &integer), MBUS_E_TOO_LARGE);
        ck_assert_int_eq(mbus_value_get_float(v, &real), 0);
        ck_assert(real == -1e20);
        mbus_value_get_raw(v, &n);
        ck_assert_uint_eq(n, 22);
        message_unref(m);
}
END_TEST

START_TEST(test_an_escape_that_does_not_exist_is_shown_where_it_stands)
{
        static const struct {
                const char *text;
                size_t at; /* SIZE_MAX: it is good */
        } cases[] = {
                { "x(\"a\\n\\\"\\\\\")", SIZE_MAX },
                { "x(\"\\\\q\")", SIZE_MAX },
                { "x(\"a\\q\")", 4 },
                { "x(\"\\\\\\q\")", 5 },
                { "a(1)\r\nb((\"ok\" (\"UCL\\ s\")))", 19 },
                { "x(\"\\N\")", 3 },
                { "x(\"a\\\n\")", 4 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const char *what = NULL;
                size_t at = SIZE_MAX;
                int r;

                mbus_commands_clear(commands);
                r = mbus_commands_add_text(commands, cases[i].text, &at, &what);
                ck_assert_msg(r == (cases[i].at == SIZE_MAX ? 0 : MBUS_E_MALFORMED), "%s",
                              cases[i].text);
                ck_assert_msg(at == cases[i].at, "%s: at %zu", cases[i].text, at);
                ck_assert(!what == (r == 0));
        }
}
END_TEST

/* CMD-07 */
START_TEST(test_a_boolean_is_an_integer_that_is_zero_or_not)
{
        struct message *m = parse("a(0 1 -7)");
        const struct mbus_value *args = mbus_message_get_args((struct mbus_message *)m, 0);
        static const bool truth[] = { false, true, true };
        int64_t integer;
        size_t i = 0;

        for (const struct mbus_value *v = mbus_value_first(args); v; v = mbus_value_next(args, v)) {
                ck_assert_int_eq(mbus_value_get_integer(v, &integer), 0);
                ck_assert((integer != 0) == truth[i++]);
        }
        ck_assert_uint_eq(i, 3);
        message_unref(m);
}
END_TEST

START_TEST(test_a_received_value_is_sent_on_as_it_was)
{
        struct message *m = parse("a((1 (\"x\" 2.50) <AAE=>) 7)");
        const struct mbus_value *args = mbus_message_get_args((struct mbus_message *)m, 0);

        mbus_commands_begin(commands, "b");
        mbus_commands_add_value(commands, mbus_value_first(args));
        mbus_commands_end(commands);
        expect("b((1 (\"x\" 2.50) <AAE=>))");
        message_unref(m);
}
END_TEST

/* What others refuse to read is not sent. */
START_TEST(test_a_received_value_is_not_added_deeper_than_lists_may_be)
{
        struct message *m = parse("a(((1)))");
        const struct mbus_value *args = mbus_message_get_args((struct mbus_message *)m, 0);

        for (int inside = VALUE_DEPTH_MAX - 3; inside <= VALUE_DEPTH_MAX - 2; inside++) {
                mbus_commands_clear(commands);
                mbus_commands_begin(commands, "a");
                for (int i = 0; i < inside; i++)
                        mbus_commands_begin_list(commands);
                mbus_commands_add_value(commands, mbus_value_first(args));
                for (int i = 0; i < inside; i++)
                        mbus_commands_end_list(commands);
                mbus_commands_end(commands);
                ck_assert_int_eq(mbus_commands_check(commands),
                                 inside + 3 <= VALUE_DEPTH_MAX ? 0 : MBUS_E_MALFORMED);
        }
        message_unref(m);
}
END_TEST

START_TEST(test_a_message_tells_all_of_its_header)
{
        struct message *inner = parse("a()\r\nb()");
        struct mbus_message *m = mbus_message_ref((struct mbus_message *)inner);
        uint32_t seq = 0;
        size_t n;

        message_unref(inner);
        ck_assert_str_eq(mbus_message_get_source(m), "(app:a id:1-1@127.0.0.1)");
        ck_assert_str_eq(mbus_message_get_destination(m), "(app:b)");
        ck_assert_uint_eq(mbus_message_get_seq(m), 7);
        ck_assert(mbus_message_is_reliable(m));
        ck_assert(mbus_message_get_ack(m, 0, &seq));
        ck_assert_uint_eq(seq, 3);
        ck_assert(mbus_message_get_ack(m, 2, &seq));
        ck_assert_uint_eq(seq, 5);
        ck_assert(!mbus_message_get_ack(m, 3, &seq));
        ck_assert_uint_eq(mbus_message_get_n_commands(m), 2);
        ck_assert_str_eq(mbus_message_get_command(m, 1), "b");
        ck_assert_ptr_null(mbus_message_get_command(m, 2));
        ck_assert_ptr_null(mbus_message_get_args(m, 2));
        ck_assert_int_eq(strncmp(mbus_message_get_text(m, &n), "mbus/1.0 7 ", 11), 0);
        ck_assert_uint_eq(n, strlen("mbus/1.0 7 99 R (app:a id:1-1@127.0.0.1) (app:b) (3 4 5)\r\n"
                                    "a()\r\nb()"));
        ck_assert_ptr_null(mbus_message_unref(m));
}
END_TEST

/* ---- names and addresses ------------------------------------------------------------------- */

START_TEST(test_every_error_reason_and_drop_has_a_name_of_its_own)
{
        for (int i = MBUS_E_MALFORMED; i <= MBUS_E_TYPE; i++)
                for (int k = MBUS_E_MALFORMED; k < i; k++)
                        ck_assert_str_ne(mbus_error_name(i), mbus_error_name(k));
        for (int i = 0; i < MBUS_REASON_MAX; i++) {
                const char *name = mbus_reason_name((enum mbus_reason)i);

                ck_assert_int_eq(reason_from_name(span_of(name)), i);
        }
        for (int i = 0; i < MBUS_DROP_MAX; i++) {
                const char *name = mbus_drop_name((enum mbus_drop)i);

                ck_assert_int_eq(drop_from_name(span_of(name)), i);
        }
        ck_assert_str_eq(mbus_error_name(0), "ok");
        ck_assert_str_eq(mbus_error_name(1000), "unknown");
        ck_assert_str_eq(mbus_error_name(-ENOENT), strerror(ENOENT));
        ck_assert_str_eq(mbus_reason_name(MBUS_REASON_MAX), "unknown");
        ck_assert_uint_eq(mbus_version(), MBUS_VERSION);
}
END_TEST

START_TEST(test_addresses_are_checked_compared_and_taken_apart_as_text)
{
        size_t at = 0, tag, tag_n, value, value_n;
        const char *what = NULL;

        ck_assert_int_eq(mbus_address_check("(app:a id:1-1@127.0.0.1)", NULL, NULL), 0);
        ck_assert_int_eq(mbus_address_check("(app:a app:b)", &at, &what), MBUS_E_MALFORMED);
        ck_assert_ptr_nonnull(what);
        ck_assert(mbus_address_matches("(app:a)", "(id:1-1@127.0.0.1 app:a)"));
        ck_assert(!mbus_address_matches("(app:b)", "(id:1-1@127.0.0.1 app:a)"));
        ck_assert(!mbus_address_matches("(app", "(app:a)"));
        ck_assert(mbus_address_get_element("(y:2 x:1)", 0, &tag, &tag_n, &value, &value_n));
        ck_assert_uint_eq(tag, 5);
        ck_assert_uint_eq(value, 7);
        ck_assert_uint_eq(tag_n, 1);
        ck_assert_uint_eq(value_n, 1);
        ck_assert(!mbus_address_get_element("(y:2 x:1)", 2, &tag, &tag_n, &value, &value_n));
        ck_assert(!mbus_address_get_element("(y:2", 0, &tag, &tag_n, &value, &value_n));
}
END_TEST

static Suite *commands_suite(void)
{
        Suite *suite = suite_create("commands");
        TCase *tcase = tcase_create("all");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_a_new_payload_is_empty_and_without_mistake);
        tcase_add_test(tcase, test_each_type_is_written_in_its_canonical_form);
        tcase_add_test(tcase, test_commands_of_the_reserved_name_space_are_refused);
        tcase_add_test(tcase, test_quit_waiting_and_go_stand_among_other_commands);
        tcase_add_test(tcase, test_they_have_the_parameters_that_the_rfc_gives_them);
        tcase_add_test(tcase, test_names_and_symbols_that_are_none_are_malformed);
        tcase_add_test(tcase, test_values_that_have_no_form_on_the_wire_are_malformed);
        tcase_add_test(tcase, test_calls_out_of_order_are_malformed);
        tcase_add_test(tcase, test_the_first_mistake_stays_and_silences_the_rest);
        tcase_add_test(tcase, test_lists_nest_as_deep_as_receivers_take_them_and_no_deeper);
        tcase_add_test(tcase, test_text_is_added_behind_whole_commands_in_canonical_form);
        tcase_add_test(tcase, test_an_empty_payload_cannot_be_sent);
        tcase_add_test(tcase, test_values_answer_for_their_own_type_only);
        tcase_add_test(tcase, test_texts_have_their_length_and_a_zero_octet_behind);
        tcase_add_test(tcase, test_an_integer_that_does_not_fit_says_so_and_keeps_its_digits);
        tcase_add_test(tcase, test_an_escape_that_does_not_exist_is_shown_where_it_stands);
        tcase_add_test(tcase, test_a_boolean_is_an_integer_that_is_zero_or_not);
        tcase_add_test(tcase, test_a_received_value_is_sent_on_as_it_was);
        tcase_add_test(tcase, test_a_received_value_is_not_added_deeper_than_lists_may_be);
        tcase_add_test(tcase, test_a_message_tells_all_of_its_header);
        tcase_add_test(tcase, test_every_error_reason_and_drop_has_a_name_of_its_own);
        tcase_add_test(tcase, test_addresses_are_checked_compared_and_taken_apart_as_text);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void)
{
        SRunner *runner = srunner_create(commands_suite());
        int failed;

        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed != 0;
}
