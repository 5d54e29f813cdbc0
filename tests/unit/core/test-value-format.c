/*
 * test-value-format.c - the parameters of commands, written and read again (RFC 3259, 5.3).
 */
#include "core/value-format.h"
#include "core/value-real.h"
#include "damage.h"
#include "run.h"
#include "seed.h"

#define SPAN(literal) ((struct span){ literal, sizeof(literal) - 1 })

/* The value that is all of @text. */
static struct values parse_span(struct span text)
{
        struct parse_error error = { 0, "" };
        struct values vs = VALUES_INIT;
        size_t n = 0;
        int r = value_parse(&vs, text, text, &n, &error);

        ck_assert_msg(r == 0, "\"%.*s\" at %zu: %s", (int)text.n, text.at, error.at, error.what);
        ck_assert_uint_eq(n, text.n);
        return vs;
}

static void assert_written_span(struct span text, struct span expected)
{
        struct values vs = parse_span(text);
        struct buffer b = BUFFER_INIT;

        value_format(vs.nodes, &b);
        ck_assert_msg(span_equal(buffer_span(&b), expected), "\"%.*s\" gives \"%.*s\"", (int)text.n,
                      text.at, (int)b.n, b.at);
        buffer_deinit(&b);
        values_deinit(&vs);
}

static void assert_written(const char *text, const char *expected)
{
        assert_written_span(span_of(text), span_of(expected));
}

/* CMD-02 */
START_TEST(test_numbers_keep_their_digits)
{
        assert_written("100000000000000000000000000000", "100000000000000000000000000000");
        assert_written("(    6 -0 007)", "(6 -0 007)");
        assert_written("(-0.0 1.500)", "(-0.0 1.500)");
}
END_TEST

/* CMD-02, CMD-03 */
START_TEST(test_strings_escape_only_what_must_be)
{
        static const struct {
                struct span text;
                struct span canonical;
        } strings[] = {
                { SPAN("\"\""), SPAN("\"\"") },
                { SPAN("\"plain\""), SPAN("\"plain\"") },
                { SPAN("\"a\\nb\""), SPAN("\"a\\nb\"") },
                { SPAN("\"\\\\\""), SPAN("\"\\\\\"") },
                { SPAN("\"\\\"\""), SPAN("\"\\\"\"") },
                { SPAN("\"\\\\n\""), SPAN("\"\\\\n\"") },
                { SPAN("\"\\\\\\\"\\n\""), SPAN("\"\\\\\\\"\\n\"") },
                { SPAN("\"a\\ b\\x\\t\""), SPAN("\"a bxt\"") },
                { SPAN("\"\\\n\""), SPAN("\"\\n\"") },
                { SPAN("\"a\nb\r\tc\""), SPAN("\"a\\nb\r\tc\"") },
                { SPAN("\"(1 2) <x>\""), SPAN("\"(1 2) <x>\"") },
                { SPAN("\"\x01\x7f\""), SPAN("\"\x01\x7f\"") },
                { SPAN("\"\xc3\xa4\\\xe2\x82\xac\""), SPAN("\"\xc3\xa4\xe2\x82\xac\"") },
        };
        size_t i;

        for (i = 0; i < N(strings); i++)
                assert_written_span(strings[i].text, strings[i].canonical);
}
END_TEST

/* CMD-02, CMD-04, CMD-05 */
START_TEST(test_white_space_is_one_space_between_items)
{
        char nested[] = "((((((((((((((((((((((((((((((((()))))))))))))))))))))))))))))))))";

        assert_written("(Z  z..-_9)", "(Z z..-_9)");
        assert_written("(<  aGVsbG8= > <>)", "(<aGVsbG8=> <>)");
        assert_written("( 1 (2.5 \"x\" ( ))\t<Zg==> a )", "(1 (2.5 \"x\" ()) <Zg==> a)");
        assert_written("( \t)", "()");
        assert_written(nested, nested);
}
END_TEST

START_TEST(test_pieces_are_written_without_a_value)
{
        struct buffer b = BUFFER_INIT;

        value_format_string(SPAN_NULL, &b);
        value_format_string(SPAN("\n\"\\"), &b);
        value_format_data(SPAN_NULL, &b);
        value_format_data(SPAN("\0"), &b);
        ck_assert(span_equal_text(buffer_span(&b), "\"\"\"\\n\\\"\\\\\"<><AA==>"));
        buffer_deinit(&b);
}
END_TEST

/* Appends a random value as canonical text, and the same in another way of writing. */
static void make(struct random *r, unsigned depth, struct buffer *canonical, struct buffer *other)
{
        static const char letters[] = "abz09_-.\\\"\n\r\t ()<>\x7f";
        uint64_t kind = random_below(r, depth > 0 ? 6 : 5), n = random_below(r, 12), i;
        size_t from = canonical->n;
        char bytes[12];

        for (i = 0; i < n; i++)
                bytes[i] = letters[random_below(r, sizeof(letters) - 1)];
        if (kind == 0) {
                buffer_add_int(canonical, (int64_t)(random_u64(r) >> random_below(r, 64)));
        } else if (kind == 1) {
                value_format_real(random_unit(r) * 1000 - 500, canonical);
        } else if (kind == 2) {
                value_format_string((struct span){ bytes, (size_t)n }, canonical);
                buffer_add_char(other, '"');
                for (i = 0; i < n; i++) {
                        if (bytes[i] == '"' || bytes[i] == '\\' || bytes[i] == '-')
                                buffer_add_char(other, '\\');
                        buffer_add_char(other, bytes[i]);
                }
                buffer_add_char(other, '"');
                return;
        } else if (kind == 3) {
                buffer_add_text(canonical, "sym.");
                buffer_add_uint(canonical, n);
        } else if (kind == 4) {
                value_format_data((struct span){ bytes, (size_t)n }, canonical);
                buffer_add_text(other, "< ");
                buffer_add(other, canonical->at + from + 1, canonical->n - from - 2);
                buffer_add_text(other, "\t>");
                return;
        } else {
                buffer_add_char(canonical, '(');
                buffer_add_text(other, "( ");
                for (i = 0; i < n; i++) {
                        if (i > 0) {
                                buffer_add_char(canonical, ' ');
                                buffer_add_text(other, " \t ");
                        }
                        make(r, depth - 1, canonical, other);
                }
                buffer_add_char(canonical, ')');
                buffer_add_text(other, "\t)");
                return;
        }
        buffer_add(other, canonical->at + from, canonical->n - from);
}

/* CMD-02 */
START_TEST(test_values_round_trip_however_they_were_written)
{
        struct random r = seeded("values");
        struct buffer canonical = BUFFER_INIT, other = BUFFER_INIT;
        unsigned i;

        for (i = 0; i < 5000; i++) {
                buffer_clear(&canonical);
                buffer_clear(&other);
                make(&r, 3, &canonical, &other);
                assert_written_span(buffer_span(&canonical), buffer_span(&canonical));
                assert_written_span(buffer_span(&other), buffer_span(&canonical));
        }
        buffer_deinit(&canonical);
        buffer_deinit(&other);
}
END_TEST

/* CMD-05 */
START_TEST(test_damaged_values_are_read_within_bounds)
{
        static const char intact[] = "(1 -2 3.25 \"a \\\"q\\\" \\\\ and \\n\" sym.bol-1_x "
                                     "<aGVsbG8=> (1 (2 \"x\") ()))";
        uint64_t state = DAMAGE_SEED;
        unsigned i, accepted = 0;

        for (i = 0; i < 20000; i++) {
                char *text = copy_exactly(intact, strlen(intact));
                struct parse_error error = { SIZE_MAX, NULL };
                struct span s = { text, strlen(intact) };
                struct values vs = VALUES_INIT;
                struct buffer b = BUFFER_INIT;
                size_t n;

                damage(text, s.n, &state);
                if (value_parse(&vs, s, s, &n, &error) == 0) {
                        value_format(vs.nodes, &b);
                        assert_written_span(buffer_span(&b), buffer_span(&b));
                        accepted++;
                } else {
                        ck_assert(error.at <= s.n && error.what);
                }
                buffer_deinit(&b);
                values_deinit(&vs);
                free(text);
        }
        ck_assert(accepted > 0 && accepted < i);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_numbers_keep_their_digits,
                test_strings_escape_only_what_must_be,
                test_white_space_is_one_space_between_items,
                test_pieces_are_written_without_a_value,
                test_values_round_trip_however_they_were_written,
                test_damaged_values_are_read_within_bounds,
        };

        return run_tests("value-format", tests, N(tests));
}
