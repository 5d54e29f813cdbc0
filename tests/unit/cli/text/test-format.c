/*
 * test-format.c - how mbus-cli writes messages: format letters, JSON, carets, control characters.
 *
 * The messages are real ones: they went over a bus inside this process.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cli/text/format.h>
#include <cli/text/iso8601.h>
#include <cli/text/json.h>
#include <cli/text/text.h>

/* 2026-11-23T03:01:16.129293Z */
#define TIME UINT64_C(1795402876129293004)

/* Something that is printed; what it printed is returned by finish(), to be freed. */
struct sink {
        char *text;
        size_t n;
        FILE *file;
};

static FILE *start(struct sink *sink)
{
        sink->file = open_memstream(&sink->text, &sink->n);
        ck_assert_ptr_nonnull(sink->file);
        return sink->file;
}

static char *finish(struct sink *sink)
{
        fclose(sink->file);
        return sink->text;
}

#define ck_assert_printed(sink, expected)                                                          \
        do {                                                                                       \
                char *printed_ = finish(sink);                                                     \
                ck_assert_str_eq(printed_, expected);                                              \
                free(printed_);                                                                    \
        } while (0)

/* The next event of @type. */
static const struct mbus_event *await(struct mbus_bus *bus, enum mbus_event_type type)
{
        const struct mbus_event *event;

        for (int round = 0; round < 100; round++) {
                while ((event = mbus_bus_pop_event(bus)))
                        if (event->type == type)
                                return event;
                ck_assert_int_eq(mbus_bus_wait(bus, INT64_C(5000000000)), 0);
        }
        ck_abort_msg("the event does not come");
        return NULL;
}

/* A message with @commands from (app:rat media:audio id:1-1@::1) to (app:ui), having travelled; to
 * be unreferenced. */
static struct mbus_message *deliver(const char *commands)
{
        struct mbus_config *config;
        struct mbus_bus *bus;
        struct mbus_entity *ui, *rat;
        struct mbus_message *message;

        ck_assert_int_eq(mbus_config_new(&config), 0);
        mbus_config_set_url(config, "mem:output");
        ck_assert_int_eq(mbus_bus_open(&bus, config), 0);
        mbus_config_free(config);
        ck_assert_int_eq(mbus_bus_add_entity(bus, "(app:ui id:2-1@::1)", &ui), 0);
        ck_assert_int_eq(mbus_bus_add_entity(bus, "(app:rat media:audio id:1-1@::1)", &rat), 0);
        ck_assert_int_eq(mbus_entity_send_text(rat, "(app:ui)", commands), 0);
        message = mbus_message_ref(await(bus, MBUS_EVENT_MESSAGE)->message);
        mbus_bus_close(bus);
        return message;
}

/* The arguments of the only command in @commands as JSON. */
static void assert_args(const char *commands, const char *json)
{
        struct mbus_message *message = deliver(commands);
        struct sink sink;

        json_print_value(start(&sink), mbus_message_get_args(message, 0));
        ck_assert_printed(&sink, json);
        mbus_message_unref(message);
}

static void assert_line(const char *commands, const char *format, const char *line)
{
        struct mbus_message *message = deliver(commands);
        struct sink sink;

        format_print(start(&sink), format, message, TIME);
        ck_assert_printed(&sink, line);
        mbus_message_unref(message);
}

START_TEST(test_json_strings_escape_quotes_and_controls_and_pass_utf8)
{
        static const struct {
                const char *text;
                size_t n;
                const char *json;
        } cases[] = {
                { "", 0, "\"\"" },
                { "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
                { "\n\r\t", 3, "\"\\n\\r\\t\"" },
                { "\x01\x1b\x7f", 3, "\"\\u0001\\u001b\\u007f\"" },
                { "a\0b", 3, "\"a\\u0000b\"" },
                { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
                  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
                { "\xc2\x9b", 2, "\"\\u009b\"" },
                /* What turns, hides or breaks text reads back as the same, by two halves if it must. */
                { "\xe2\x80\xae\xe2\x80\xa8\xe2\x80\x8b", 9, "\"\\u202e\\u2028\\u200b\"" },
                { "\xef\xbb\xbf\xf3\xa0\x81\x81", 7, "\"\\ufeff\\udb40\\udc41\"" },
                { "\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"" },
                { "\xff\xc3", 2, "\"\\ufffd\\ufffd\"" },
                { "\xc0\xaf\xed\xa0\x80", 5, "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct sink sink;

                json_print_string(start(&sink), cases[i].text, cases[i].n);
                ck_assert_printed(&sink, cases[i].json);
        }
}
END_TEST

START_TEST(test_json_addresses_keep_the_order_that_was_written)
{
        struct sink sink;

        json_print_address(start(&sink), "( module:ui app:rat  id:1-2@fe80:0:0:1 )");
        ck_assert_printed(&sink, "{\"module\":\"ui\",\"app\":\"rat\",\"id\":\"1-2@fe80:0:0:1\"}");
        json_print_address(start(&sink), "()");
        ck_assert_printed(&sink, "{}");
        json_print_address(start(&sink), "(a:\"\\)");
        ck_assert_printed(&sink, "{\"a\":\"\\\"\\\\\"}");
}
END_TEST

START_TEST(test_json_values_of_all_types_are_lossless)
{
        assert_args("x(70 -3 0)", "[70,-3,0]");
        assert_args("x(1.50 -0.25 007.0)", "[1.50,-0.25,7.0]");
        assert_args("x(\"a b\" OK)", "[\"a b\",{\"sym\":\"OK\"}]");
        assert_args("x(<Zm9v> <>)", "[{\"data\":\"Zm9v\"},{\"data\":\"\"}]");
        assert_args("x((1 (2 ())) 3)", "[[1,[2,[]]],3]");
        assert_args("x()", "[]");
}
END_TEST

START_TEST(test_json_integers_beyond_64_bits_keep_their_digits)
{
        assert_args("x(9223372036854775807 -9223372036854775808)",
                    "[9223372036854775807,-9223372036854775808]");
        assert_args("x(9223372036854775808)", "[{\"int\":\"9223372036854775808\"}]");
        assert_args("x(-99999999999999999999)", "[{\"int\":\"-99999999999999999999\"}]");
}
END_TEST

START_TEST(test_a_message_is_one_json_object_with_the_keys_of_the_conventions)
{
        struct mbus_message *message = deliver("a.b(1)\nc(\"\\\"\")");
        struct sink sink;
        char expected[512];
        size_t bytes;

        mbus_message_get_text(message, &bytes);
        snprintf(expected, sizeof(expected),
                 "{\"time\":\"2026-11-23T03:01:16.129293Z\",\"seq\":%u,\"ts\":%llu,\"type\":\"U\","
                 "\"src\":{\"app\":\"rat\",\"media\":\"audio\",\"id\":\"1-1@::1\"},"
                 "\"dst\":{\"app\":\"ui\"},\"acks\":[],\"cmds\":[{\"name\":\"a.b\",\"args\":[1]},"
                 "{\"name\":\"c\",\"args\":[\"\\\"\"]}],\"mac\":\"ok\",\"bytes\":%zu}",
                 mbus_message_get_seq(message),
                 (unsigned long long)mbus_message_get_timestamp(message), bytes);
        json_print_message(start(&sink), message, TIME, true);
        ck_assert_printed(&sink, expected);
        mbus_message_unref(message);
}
END_TEST

START_TEST(test_unexpanded_json_has_commands_as_texts)
{
        struct mbus_message *message = deliver("a.b(1 \"x\")");
        struct sink sink;
        char *text;

        json_print_message(start(&sink), message, TIME, false);
        text = finish(&sink);
        ck_assert_ptr_nonnull(strstr(text, "\"cmds\":[\"a.b(1 \\\"x\\\")\"]"));
        free(text);
        mbus_message_unref(message);
}
END_TEST

START_TEST(test_the_default_line_has_time_type_source_destination_and_commands)
{
        assert_line("audio.input.gain(70)", FORMAT_DEFAULT,
                    "2026-11-23T03:01:16.129Z U (app:rat media:audio id:1-1@::1) -> (app:ui)"
                    "  audio.input.gain(70)\n");
}
END_TEST

START_TEST(test_several_commands_stay_on_one_line)
{
        assert_line("a(1)\nb(2 X)", "%p|%c|%a", "a(1); b(2 X)|a; b|(1); (2 X)\n");
}
END_TEST

START_TEST(test_letters_and_escapes_are_expanded)
{
        assert_line("a()", "%y%%%m%k\\t\\\\\\n%U", "U%ok()\t\\\n1795402876.129293004\n");
}
END_TEST

/* The old programs need the space before ")", and nobody else. */
START_TEST(test_parameters_are_printed_without_the_space_of_the_old_dialect)
{
        static const char *const cases[][2] = {
                { "(1 )", "(1)" },
                { "()", "()" },
                { "( )", "()" },
                { "((\"a\" \"b \" ) ( 2\t ) )", "((\"a\" \"b \") ( 2))" },
                { "(\"x )\" )", "(\"x )\")" },
                { "(\"x\\\" )\" 1  2 )", "(\"x\\\" )\" 1  2)" },
                { "(<AA==> )", "(<AA==>)" },
                { "(\"open )", "(\"open )" },
                { "", "" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const char *text = cases[i][0], *piece;
                size_t n = strlen(text), size;
                struct sink sink;
                FILE *file = start(&sink);

                while ((size = text_next_piece(&text, &n, &piece)))
                        fwrite(piece, 1, size, file);
                ck_assert_uint_eq(n, 0);
                ck_assert_printed(&sink, cases[i][1]);
        }
}
END_TEST

START_TEST(test_hexadecimal_and_length_are_of_the_message_text)
{
        struct mbus_message *message = deliver("a()");
        struct sink sink;
        char *text;
        size_t n;

        mbus_message_get_text(message, &n);
        format_print(start(&sink), "%x", message, TIME);
        text = finish(&sink);
        ck_assert_uint_eq(strlen(text), 2 * n + 1);
        ck_assert_int_eq(strncmp(text, "6d6275732f312e30", 16), 0); /* mbus/1.0 */
        free(text);
        mbus_message_unref(message);
}
END_TEST

START_TEST(test_control_characters_neither_break_the_line_nor_command_the_terminal)
{
        struct sink sink;
        static const char text[] = "a\nb\x1b[2J\x7f\xc2\x9b\tz\xff";

        text_print_visible(start(&sink), text, sizeof(text) - 1);
        ck_assert_printed(&sink, "a\\nb\xe2\x90\x9b[2J\xe2\x90\xa1\\u009b\tz\xef\xbf\xbd");
}
END_TEST

START_TEST(test_the_caret_is_under_the_place_behind_what_is_hidden)
{
        struct sink sink;

        text_error_at(start(&sink), "C", "no", "\xe2\x80\xae\x1b!", 4);
        ck_assert_printed(&sink, "mbus-cli: C: no\n\\u202e\xe2\x90\x9b!\n       ^\n");
        text_error_at(start(&sink), "a\x1b\n", "no", "", 0);
        ck_assert_printed(&sink, "mbus-cli: a\xe2\x90\x9b\\n: no\n\n^\n");
}
END_TEST

START_TEST(test_a_time_has_as_many_decimals_as_wanted)
{
        char buffer[ISO8601_SIZE];

        ck_assert_str_eq(iso8601_format(TIME, 0, buffer), "2026-11-23T03:01:16Z");
        ck_assert_str_eq(iso8601_format(TIME, 3, buffer), "2026-11-23T03:01:16.129Z");
        ck_assert_str_eq(iso8601_format(TIME, 9, buffer), "2026-11-23T03:01:16.129293004Z");
        ck_assert_str_eq(iso8601_format(0, 3, buffer), "1970-01-01T00:00:00.000Z");
}
END_TEST

START_TEST(test_a_format_with_an_unknown_letter_is_refused_at_its_place)
{
        const char *what = NULL;
        size_t at = 99;

        ck_assert_int_eq(format_check("%I %t%%\\n\\t\\\\", &at, &what), 0);
        ck_assert_int_eq(format_check("%I %q", &at, &what), -1);
        ck_assert_uint_eq(at, 3);
        ck_assert_ptr_nonnull(what);
        ck_assert_int_eq(format_check("x%", &at, &what), -1);
        ck_assert_uint_eq(at, 1);
        ck_assert_int_eq(format_check("ab\\", &at, &what), -1);
        ck_assert_uint_eq(at, 2);
}
END_TEST

START_TEST(test_the_caret_is_under_the_place)
{
        struct sink sink;

        text_error_at(start(&sink), "DEST", "no", "(a:b", 4);
        ck_assert_printed(&sink, "mbus-cli: DEST: no\n(a:b\n    ^\n");
        text_error_at(start(&sink), "DEST", "no", "", 0);
        ck_assert_printed(&sink, "mbus-cli: DEST: no\n\n^\n");
        text_error_at(start(&sink), "DEST", "no", "abc", 100);
        ck_assert_printed(&sink, "mbus-cli: DEST: no\nabc\n   ^\n");
}
END_TEST

START_TEST(test_the_caret_counts_columns_not_octets)
{
        struct sink sink;

        text_error_at(start(&sink), "C", "no", "\xc3\xa4\xe2\x82\xac!", 5);
        ck_assert_printed(&sink, "mbus-cli: C: no\n\xc3\xa4\xe2\x82\xac!\n  ^\n");
        text_error_at(start(&sink), "C", "no", "\xe6\x97\xa5!", 3); /* two columns wide */
        ck_assert_printed(&sink, "mbus-cli: C: no\n\xe6\x97\xa5!\n  ^\n");
        text_error_at(start(&sink), "C", "no", "e\xcc\x81!", 3); /* a combining accent */
        ck_assert_printed(&sink, "mbus-cli: C: no\ne\xcc\x81!\n ^\n");
        text_error_at(start(&sink), "C", "no", "a\tb", 2);
        ck_assert_printed(&sink, "mbus-cli: C: no\na b\n  ^\n");
}
END_TEST

START_TEST(test_of_several_lines_the_one_with_the_place_is_shown)
{
        struct sink sink;

        text_error_at(start(&sink), "C", "no", "a()\nb(!\nc()", 6);
        ck_assert_printed(&sink, "mbus-cli: C: no\nb(!\n  ^\n");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("output");
        TCase *json = tcase_create("json"), *lines = tcase_create("lines"),
              *carets = tcase_create("carets");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_test(json, test_json_strings_escape_quotes_and_controls_and_pass_utf8);
        tcase_add_test(json, test_json_addresses_keep_the_order_that_was_written);
        tcase_add_test(json, test_json_values_of_all_types_are_lossless);
        tcase_add_test(json, test_json_integers_beyond_64_bits_keep_their_digits);
        tcase_add_test(json, test_a_message_is_one_json_object_with_the_keys_of_the_conventions);
        tcase_add_test(json, test_unexpanded_json_has_commands_as_texts);
        tcase_add_test(lines, test_the_default_line_has_time_type_source_destination_and_commands);
        tcase_add_test(lines, test_several_commands_stay_on_one_line);
        tcase_add_test(lines, test_letters_and_escapes_are_expanded);
        tcase_add_test(lines, test_parameters_are_printed_without_the_space_of_the_old_dialect);
        tcase_add_test(lines, test_hexadecimal_and_length_are_of_the_message_text);
        tcase_add_test(lines,
                       test_control_characters_neither_break_the_line_nor_command_the_terminal);
        tcase_add_test(lines, test_a_time_has_as_many_decimals_as_wanted);
        tcase_add_test(lines, test_a_format_with_an_unknown_letter_is_refused_at_its_place);
        tcase_add_test(carets, test_the_caret_is_under_the_place);
        tcase_add_test(carets, test_the_caret_counts_columns_not_octets);
        tcase_add_test(carets, test_the_caret_is_under_the_place_behind_what_is_hidden);
        tcase_add_test(carets, test_of_several_lines_the_one_with_the_place_is_shown);
        suite_add_tcase(suite, json);
        suite_add_tcase(suite, lines);
        suite_add_tcase(suite, carets);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed != 0;
}
