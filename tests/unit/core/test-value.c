/*
 * test-value.c - the parameters of commands, read (RFC 3259, section 5.3).
 */
#include <float.h>
#include <math.h>

#include "core/value.h"
#include "damage.h"
#include "run.h"

#define SPAN(literal) ((struct span){ literal, sizeof(literal) - 1 })

/* Parses all of @text, which must be one value; the first node is it. */
static struct values parse_span(struct span text)
{
        struct parse_error error = { 0, "" };
        struct values vs = VALUES_INIT;
        size_t n = 0;
        int r = value_parse(&vs, text, text, &n, &error);

        ck_assert_msg(r == 0, "\"%.*s\" at %zu: %s", (int)text.n, text.at, error.at, error.what);
        ck_assert_msg(n == text.n, "%zu octets of \"%.*s\"", n, (int)text.n, text.at);
        ck_assert_uint_eq(vs.nodes->nodes, vs.n);
        ck_assert(span_equal(vs.nodes->raw, text));
        ck_assert_uint_le(vs.arena_n, vs.arena_size);
        return vs;
}

static struct values parse(const char *text)
{
        return parse_span(span_of(text));
}

static void assert_bad_span(struct span text, size_t at, const char *what)
{
        struct parse_error error = { SIZE_MAX, "" };
        struct values vs = VALUES_INIT;
        char *copy = copy_exactly(text.at, text.n);
        struct span s = { copy, text.n };
        size_t n = 77;
        int r = value_parse(&vs, s, s, &n, &error);

        free(copy);
        ck_assert_msg(r == MBUS_E_MALFORMED, "\"%.*s\" is accepted", (int)text.n, text.at);
        ck_assert_msg(error.at == at && strstr(error.what, what), "\"%.*s\" at %zu: %s",
                      (int)text.n, text.at, error.at, error.what);
        ck_assert(n == 77 && vs.n == 0 && vs.arena_n == 0);
        values_deinit(&vs);
}

static void assert_bad(const char *text, size_t at, const char *what)
{
        assert_bad_span(span_of(text), at, what);
}

static void assert_text(struct span text, enum mbus_value_type type, struct span expected)
{
        struct values vs = parse_span(text);

        ck_assert_int_eq(vs.nodes->type, type);
        ck_assert_msg(span_equal(vs.nodes->text, expected), "\"%.*s\" is \"%.*s\"", (int)text.n,
                      text.at, (int)vs.nodes->text.n, vs.nodes->text.at);
        ck_assert(vs.nodes->text.at[vs.nodes->text.n] == '\0');
        values_deinit(&vs);
}

static void assert_integer(const char *text, int64_t expected, bool overflow)
{
        struct values vs = parse(text);

        ck_assert_int_eq(vs.nodes->type, MBUS_VALUE_INTEGER);
        ck_assert_int_eq(vs.nodes->integer, expected);
        ck_assert(vs.nodes->overflow == overflow);
        values_deinit(&vs);
}

static void assert_real(const char *text, double expected)
{
        struct values vs = parse(text);

        ck_assert_int_eq(vs.nodes->type, MBUS_VALUE_FLOAT);
        ck_assert_msg(memcmp(&vs.nodes->real, &expected, sizeof(expected)) == 0, "%s is %a", text,
                      vs.nodes->real);
        ck_assert(!vs.nodes->overflow);
        values_deinit(&vs);
}

/* CMD-02 */
START_TEST(test_integers_have_64_bits_and_keep_more_as_text)
{
        assert_integer("0", 0, false);
        assert_integer("-0", 0, false);
        assert_integer("0000042", 42, false);
        assert_integer("-7", -7, false);
        assert_integer("9223372036854775807", INT64_MAX, false);
        assert_integer("9223372036854775808", INT64_MAX, true);
        assert_integer("-9223372036854775807", -INT64_MAX, false);
        assert_integer("-9223372036854775808", INT64_MIN, false);
        assert_integer("-9223372036854775809", INT64_MIN, true);
        assert_integer("100000000000000000000000000000", INT64_MAX, true);
}
END_TEST

/* CMD-02 */
START_TEST(test_floats_have_digits_on_both_sides_of_the_point)
{
        struct values vs = VALUES_INIT;
        struct buffer b = BUFFER_INIT;

        assert_real("0.5", 0.5);
        assert_real("-00.250", -0.25);
        assert_real("-0.0", -0.0);
        assert_real("0.1", 0.1);
        buffer_add_char(&b, '-');
        while (b.n < 400)
                buffer_add_char(&b, '9');
        buffer_add_text(&b, ".0");
        vs = parse_span(buffer_span(&b));
        ck_assert(vs.nodes->overflow && vs.nodes->real <= -DBL_MAX && isfinite(vs.nodes->real));
        values_deinit(&vs);
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_broken_numbers_are_malformed_where_they_break)
{
        assert_bad("-", 1, "a digit here");
        assert_bad("--1", 1, "a digit here");
        assert_bad("-a", 1, "a digit here");
        assert_bad("-.5", 1, "a digit here");
        assert_bad(".5", 0, "a value is");
        assert_bad("+5", 0, "a value is");
        assert_bad("5.", 2, "both sides");
        assert_bad("5. 0", 2, "both sides");
        assert_bad("1.2.3", 3, "a number is digits");
        assert_bad("1e5", 1, "a number is digits");
        assert_bad("1.5e5", 3, "a number is digits");
        assert_bad("1-2", 1, "a number is digits");
        assert_bad("0x10", 1, "a number is digits");
        assert_bad("1(", 1, "a number is digits");
        assert_bad("(1\"a\")", 2, "a number is digits");
        assert_bad("(1\n2)", 2, "a number is digits");
        assert_bad_span(SPAN("1\0"), 1, "a number is digits");
}
END_TEST

/* CMD-02, CMD-03 */
START_TEST(test_strings_decode_their_escapes)
{
        static const struct {
                struct span text;
                struct span meaning;
        } strings[] = {
                { SPAN("\"\""), SPAN("") },
                { SPAN("\"plain\""), SPAN("plain") },
                { SPAN("\"a\\nb\""), SPAN("a\nb") },
                { SPAN("\"\\\\\""), SPAN("\\") },
                { SPAN("\"\\\"\""), SPAN("\"") },
                { SPAN("\"\\\\n\""), SPAN("\\n") },
                { SPAN("\"\\\\\\\"\\n\""), SPAN("\\\"\n") },
                { SPAN("\"a\\ b\\x\\t\""), SPAN("a bxt") },
                { SPAN("\"\\\n\""), SPAN("\n") },
                { SPAN("\"a\nb\r\tc\""), SPAN("a\nb\r\tc") },
                { SPAN("\"(1 2) <x>\""), SPAN("(1 2) <x>") },
                { SPAN("\"\x01\x7f\""), SPAN("\x01\x7f") },
                { SPAN("\"\xc3\xa4\\\xe2\x82\xac\""), SPAN("\xc3\xa4\xe2\x82\xac") },
        };
        size_t i;

        for (i = 0; i < N(strings); i++)
                assert_text(strings[i].text, MBUS_VALUE_STRING, strings[i].meaning);
}
END_TEST

/* CMD-03 */
START_TEST(test_nothing_inside_a_string_ends_the_list)
{
        struct values vs = parse("(\")\\\")(\r\n\" \"x(\" y)");
        const struct value *v = vs.nodes;

        ck_assert_uint_eq(v->items, 3);
        ck_assert(span_equal_text(v[1].text, ")\")(\r\n"));
        ck_assert(span_equal_text(v[2].text, "x("));
        ck_assert(span_equal_text(v[3].text, "y"));
        values_deinit(&vs);
}
END_TEST

START_TEST(test_broken_strings_are_malformed_where_they_begin)
{
        assert_bad("\"", 0, "string that begins here");
        assert_bad("\"abc", 0, "string that begins here");
        assert_bad("\"abc\\", 0, "string that begins here");
        assert_bad("\"abc\\\"", 0, "string that begins here");
        assert_bad("(1 \"a b)", 3, "string that begins here");
}
END_TEST

/* CMD-02 */
START_TEST(test_symbols_begin_with_a_letter)
{
        assert_text(SPAN("a"), MBUS_VALUE_SYMBOL, SPAN("a"));
        assert_text(SPAN("sym.bol-1_x"), MBUS_VALUE_SYMBOL, SPAN("sym.bol-1_x"));
        assert_bad("_a", 0, "a value is");
        assert_bad("(a:b)", 2, "separated");
        assert_bad("(a\xc3\xa4)", 2, "separated");
        ck_assert(value_is_symbol(SPAN("audio.input-2_x")));
        ck_assert(!value_is_symbol(SPAN("")));
        ck_assert(!value_is_symbol(SPAN_NULL));
        ck_assert(!value_is_symbol(SPAN("1a")));
        ck_assert(!value_is_symbol(SPAN(".a")));
        ck_assert(!value_is_symbol(SPAN("a b")));
        ck_assert(!value_is_symbol(SPAN("a\0")));
        ck_assert(!value_is_symbol(SPAN("550e8400-e29b-41d4-a716-446655440000")));
}
END_TEST

/* CMD-04 */
START_TEST(test_data_are_base64_with_their_padding)
{
        assert_text(SPAN("<>"), MBUS_VALUE_DATA, SPAN(""));
        assert_text(SPAN("< \t >"), MBUS_VALUE_DATA, SPAN(""));
        assert_text(SPAN("<aGVsbG8=>"), MBUS_VALUE_DATA, SPAN("hello"));
        assert_text(SPAN("< aGVsbG8=\t>"), MBUS_VALUE_DATA, SPAN("hello"));
        assert_text(SPAN("<AAA=>"), MBUS_VALUE_DATA, SPAN("\0\0"));
        assert_text(SPAN("<Zm9v>"), MBUS_VALUE_DATA, SPAN("foo"));
        assert_bad("<aGVsbG8>", 1, "base64");
        assert_bad("(< aGVs bG8=>)", 3, "base64");
        assert_bad("<aGVsbG9=>", 1, "base64");
        assert_bad("<aGVsbG8=aGVsbG8=>", 1, "base64");
        assert_bad("<aGVs\r\nbG8=>", 1, "base64");
        assert_bad("<====>", 1, "base64");
        assert_bad("<aGVsbG8=", 0, "data that begin here");
        assert_bad("<", 0, "data that begin here");
}
END_TEST

/* CMD-05 */
START_TEST(test_lists_mix_types_and_nest)
{
        struct values vs = parse("( 1 (2.5 \"x\" ())\t<Zg==> a )");
        const struct value *v = vs.nodes;

        ck_assert_uint_eq(vs.n, 8);
        ck_assert(v[0].type == MBUS_VALUE_LIST && v[0].items == 4 && v[0].nodes == 8);
        ck_assert(v[1].type == MBUS_VALUE_INTEGER && v[1].nodes == 1);
        ck_assert(v[2].type == MBUS_VALUE_LIST && v[2].items == 3 && v[2].nodes == 4);
        ck_assert(span_equal_text(v[2].raw, "(2.5 \"x\" ())"));
        ck_assert(v[3].type == MBUS_VALUE_FLOAT && v[4].type == MBUS_VALUE_STRING);
        ck_assert(v[5].type == MBUS_VALUE_LIST && v[5].items == 0 && v[5].nodes == 1);
        ck_assert(span_equal_text(v[5].raw, "()"));
        ck_assert(v[6].type == MBUS_VALUE_DATA && span_equal_text(v[6].text, "f"));
        ck_assert(v[7].type == MBUS_VALUE_SYMBOL);
        values_deinit(&vs);
}
END_TEST

START_TEST(test_broken_lists_are_malformed_where_they_break)
{
        assert_bad("", 0, "a value is");
        assert_bad(" 1", 0, "a value is");
        assert_bad(")", 0, "a value is");
        assert_bad("(", 0, "list that begins here");
        assert_bad("(1 (2 3)", 0, "list that begins here");
        assert_bad("(1 (2 3", 3, "list that begins here");
        assert_bad("(()())", 3, "separated");
        assert_bad("(\"a\"\"b\")", 4, "separated");
        assert_bad("(<>a)", 3, "separated");
        assert_bad("(a(1))", 2, "separated");
        assert_bad("(1\r\n)", 2, "a number is digits");
        assert_bad("(a,b)", 2, "separated");
        assert_bad("(1 \n2)", 3, "a value is");
        assert_bad("(1 ,2)", 3, "a value is");
}
END_TEST

/* CMD-05 */
START_TEST(test_64_lists_nest_and_one_more_is_malformed)
{
        char text[2 * 65 + 1] = "";
        struct values vs;

        memset(text, '(', 64);
        memset(text + 64, ')', 64);
        vs = parse(text);
        ck_assert_uint_eq(vs.n, 64);
        values_deinit(&vs);
        memset(text, '(', 65);
        memset(text + 65, ')', 65);
        assert_bad(text, 64, "at most 64 deep");
}
END_TEST

/* CMD-05 */
START_TEST(test_flood_of_open_brackets_is_malformed)
{
        char *text = malloc(60000);

        memset(text, '(', 60000);
        assert_bad_span((struct span){ text, 60000 }, 64, "at most 64 deep");
        free(text);
}
END_TEST

/* CMD-05 */
START_TEST(test_closed_lists_do_not_count_as_nested)
{
        struct buffer b = BUFFER_INIT;
        struct values vs;
        unsigned i;

        buffer_add_char(&b, '(');
        for (i = 0; i < 1000; i++)
                buffer_add_text(&b, " ((()))");
        buffer_add_char(&b, ')');
        vs = parse_span(buffer_span(&b));
        ck_assert(vs.n == 3001 && vs.nodes->items == 1000);
        values_deinit(&vs);
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_message_has_at_most_32768_values)
{
        struct buffer b = BUFFER_INIT;
        struct values vs;
        unsigned i;

        buffer_add_char(&b, '(');
        for (i = 1; i < VALUES_MAX; i++)
                buffer_add_text(&b, i % 3 ? "1 " : "a ");
        buffer_add_char(&b, ')');
        vs = parse_span(buffer_span(&b));
        ck_assert_uint_eq(vs.n, VALUES_MAX);
        ck_assert_uint_eq(vs.nodes->items, VALUES_MAX - 1);
        values_deinit(&vs);
        b.n--;
        buffer_add_text(&b, "1)");
        assert_bad_span(buffer_span(&b), b.n - 2, "at most 32768 values");
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_list_may_have_white_space_before_it_and_anything_behind)
{
        struct span whole = SPAN("f \t(1 x)\r\ng ()");
        struct parse_error error = { 0, NULL };
        struct values vs = VALUES_INIT;
        size_t n;

        ck_assert_int_eq(value_parse_list(&vs, whole, (struct span){ whole.at + 1, whole.n - 1 },
                                          &n, &error),
                         0);
        ck_assert(n == 7 && vs.n == 3 && span_equal_text(vs.nodes[0].raw, "(1 x)"));
        ck_assert_int_eq(
                value_parse_list(&vs, whole, (struct span){ whole.at + 11, 3 }, &n, &error), 0);
        ck_assert(n == 3 && vs.n == 4 && vs.nodes[3].items == 0);
        ck_assert_ptr_null(error.what);
        ck_assert_int_eq(value_parse_list(&vs, whole, SPAN("  x"), &n, &error), MBUS_E_MALFORMED);
        ck_assert(error.at == 2 && strstr(error.what, "a list begins"));
        ck_assert_int_eq(value_parse_list(&vs, whole, SPAN("  "), &n, &error), MBUS_E_MALFORMED);
        ck_assert_uint_eq(error.at, 2);
        ck_assert_int_eq(value_parse_list(&vs, whole, SPAN("  (+)"), &n, &error), MBUS_E_MALFORMED);
        ck_assert_uint_eq(error.at, 3);
        ck_assert(value_parse_list(&vs, whole, SPAN_NULL, &n, NULL) == MBUS_E_MALFORMED);
        ck_assert_uint_eq(vs.n, 4);
        values_deinit(&vs);
}
END_TEST

/* The tightest of all payloads: names and symbols of one letter with nothing in between. */
START_TEST(test_arena_has_room_for_all_names_and_texts)
{
        struct buffer b = BUFFER_INIT;
        struct values vs = VALUES_INIT;
        size_t i, at, n;

        for (i = 0; i < 1000; i++)
                buffer_add_text(&b, "a(b c)\n");
        b.n--;
        for (at = 0; at < b.n; at += 2 + n) {
                struct span name = { b.at + at, 1 }, rest = { b.at + at + 1, b.n - at - 1 };
                struct span kept = values_keep(&vs, buffer_span(&b), name);

                ck_assert(span_equal_text(kept, "a") && kept.at[1] == '\0');
                ck_assert_int_eq(value_parse_list(&vs, buffer_span(&b), rest, &n, NULL), 0);
        }
        for (i = 0; i < 1000; i++)
                ck_assert(span_equal_text(vs.nodes[3 * i + 1].text, "b") &&
                          strcmp(vs.nodes[3 * i + 2].text.at, "c") == 0);
        values_deinit(&vs);
        buffer_deinit(&b);
        ck_assert(!vs.nodes && !vs.arena && vs.n == 0);
}
END_TEST

START_TEST(test_arena_of_another_text_is_not_overrun)
{
        struct values vs = VALUES_INIT;
        size_t n;

        ck_assert_ptr_nonnull(values_keep(&vs, SPAN("ab"), SPAN("ab")).at);
        ck_assert_ptr_null(values_keep(&vs, SPAN("ab"), SPAN("ab")).at);
        ck_assert_ptr_null(values_keep(&vs, SPAN("ab"), SPAN("")).at);
        ck_assert_int_eq(value_parse(&vs, SPAN("ab"), SPAN("\"x\\n\""), &n, NULL), -ENOMEM);
        ck_assert_int_eq(value_parse(&vs, SPAN("ab"), SPAN("<Zg==>"), &n, NULL), -ENOMEM);
        ck_assert_uint_eq(vs.n, 0);
        values_deinit(&vs);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_integers_have_64_bits_and_keep_more_as_text,
                test_floats_have_digits_on_both_sides_of_the_point,
                test_broken_numbers_are_malformed_where_they_break,
                test_strings_decode_their_escapes,
                test_nothing_inside_a_string_ends_the_list,
                test_broken_strings_are_malformed_where_they_begin,
                test_symbols_begin_with_a_letter,
                test_data_are_base64_with_their_padding,
                test_lists_mix_types_and_nest,
                test_broken_lists_are_malformed_where_they_break,
                test_64_lists_nest_and_one_more_is_malformed,
                test_flood_of_open_brackets_is_malformed,
                test_closed_lists_do_not_count_as_nested,
                test_message_has_at_most_32768_values,
                test_list_may_have_white_space_before_it_and_anything_behind,
                test_arena_has_room_for_all_names_and_texts,
                test_arena_of_another_text_is_not_overrun,
        };

        return run_tests("value", tests, N(tests));
}
