/*
 * test-header.c - headers of messages: what is read out of them and what is refused (RFC 3259,
 * sections 3 and 5.2).
 */
#include "core/message.h"
#include "run.h"

#define SRC "(app:rat media:audio module:ui id:4711-1@192.168.1.1)"

static enum header_fault fault_of(const char *text)
{
        struct header h;

        return header_parse(span_of(text), &h, NULL);
}

static struct header parse(const char *text)
{
        struct parse_error error = { 0, "" };
        struct header h;

        ck_assert_msg(header_parse(span_of(text), &h, &error) == HEADER_OK, "\"%s\" at %zu: %s",
                      text, error.at, error.what);
        return h;
}

static void assert_malformed_at(const char *text, size_t at)
{
        struct parse_error error = { SIZE_MAX, NULL };
        struct header h;

        ck_assert_msg(header_parse(span_of(text), &h, &error) == HEADER_MALFORMED, "\"%s\"", text);
        ck_assert_msg(error.at == at && error.what, "\"%s\" at %zu", text, error.at);
}

/* A header whose part between @before and @behind is @middle. */
static const char *header_with(const char *before, const char *middle, const char *behind)
{
        static char text[4096];

        ck_assert_uint_lt(strlen(before) + strlen(middle) + strlen(behind), sizeof(text));
        strcpy(text, before);
        strcat(text, middle);
        return strcat(text, behind);
}

static void assert_bad(const char *before, const char *const *bad, size_t n, const char *behind)
{
        size_t i;

        for (i = 0; i < n; i++)
                ck_assert_msg(fault_of(header_with(before, bad[i], behind)) == HEADER_MALFORMED,
                              "\"%s\"", bad[i]);
}

/* MSG-01 */
START_TEST(test_identifier_is_mbus_1_0_in_lower_case)
{
        static const struct {
                const char *identifier;
                enum header_fault fault;
        } cases[] = {
                { "mbus/1.0", HEADER_OK },        { "mbus/1.1", HEADER_VERSION },
                { "mbus/2.0", HEADER_VERSION },   { "mbus/1.00", HEADER_VERSION },
                { "mbus/01.0", HEADER_VERSION },  { "mbus/1.0.1", HEADER_VERSION },
                { "mbus/", HEADER_VERSION },      { "Mbus/1.0", HEADER_MALFORMED },
                { "MBUS/1.0", HEADER_MALFORMED }, { " mbus/1.0", HEADER_MALFORMED },
                { "mbus", HEADER_MALFORMED },     { "nbus/1.0", HEADER_MALFORMED },
        };
        size_t i;

        for (i = 0; i < N(cases); i++)
                ck_assert_msg(fault_of(header_with("", cases[i].identifier,
                                                   " 0 1 U " SRC " () ()")) == cases[i].fault,
                              "%s", cases[i].identifier);
        ck_assert_int_eq(fault_of(""), HEADER_MALFORMED);
        ck_assert_int_eq(fault_of("mbus/1.0"), HEADER_MALFORMED);
}
END_TEST

/* MSG-05 */
START_TEST(test_seq_is_at_most_ten_digits_and_32_bits)
{
        static const struct {
                const char *digits;
                uint32_t seq;
        } good[] = {
                { "0", 0 },
                { "7", 7 },
                { "0000000007", 7 },
                { "999999", 999999 },
                { "2147483648", 2147483648u },
                { "4294967295", 4294967295u },
        };
        static const char *const bad[] = {
                "4294967296",
                "9999999999",
                "00000000007",
                "42949672950",
                "99999999999999999999",
                "18446744073709551616",
                "-1",
                "+1",
                "0x1",
                "1.0",
                "",
        };
        static const char behind[] = " 1 U " SRC " () ()";
        size_t i;

        for (i = 0; i < N(good); i++)
                ck_assert_uint_eq(parse(header_with("mbus/1.0 ", good[i].digits, behind)).seq,
                                  good[i].seq);
        assert_bad("mbus/1.0 ", bad, N(bad), behind);
}
END_TEST

/* MSG-06 */
START_TEST(test_time_stamp_is_ms_or_seconds_in_at_most_13_digits)
{
        static const struct {
                const char *digits;
                uint64_t timestamp, ms;
        } good[] = {
                { "0", 0, 0 },
                { "42", 42, 42000 },
                { "0000000000042", 42, 42000 },
                { "1795405288", 1795405288, 1795405288000 },
                { "99999999999", 99999999999, 99999999999000 },
                { "100000000000", 100000000000, 100000000000 },
                { "1006271404000", 1006271404000, 1006271404000 },
                { "9999999999999", 9999999999999, 9999999999999 },
        };
        static const char *const bad[] = { "10000000000000", "00000000000001", "-1", "1e3", "x" };
        static const char behind[] = " U " SRC " () ()";
        struct header h;
        size_t i;

        for (i = 0; i < N(good); i++) {
                h = parse(header_with("mbus/1.0 0 ", good[i].digits, behind));
                ck_assert_uint_eq(h.timestamp, good[i].timestamp);
                ck_assert_uint_eq(header_timestamp_ms(&h), good[i].ms);
        }
        assert_bad("mbus/1.0 0 ", bad, N(bad), behind);
}
END_TEST

/* MSG-07 */
START_TEST(test_message_type_is_r_or_u)
{
        static const char behind[] = " " SRC " () ()";
        char type[] = "?";
        int c;

        for (c = 1; c < 256; c++) {
                const char *text;

                type[0] = (char)c;
                text = header_with("mbus/1.0 0 1 ", type, behind);
                if (strchr("RrUu", c))
                        ck_assert_int_eq(parse(text).reliable, c == 'R' || c == 'r');
                else
                        ck_assert_msg(fault_of(text) == HEADER_MALFORMED, "octet %d", c);
        }
        ck_assert_int_eq(fault_of(header_with("mbus/1.0 0 1 ", "RU", behind)), HEADER_MALFORMED);
        ck_assert_int_eq(fault_of(header_with("mbus/1.0 0 1", "", behind)), HEADER_MALFORMED);
}
END_TEST

/* MSG-08 */
START_TEST(test_source_is_any_complete_or_legacy_address)
{
        static const char *const good[] = {
                SRC, "(id:4712)", "(app:vic)", "( app:jm\tid:1-2@::1 )", "(cc-module:x id:y)",
        };
        static const char *const bad[] = { "",          "app:rat",       "(app:rat",      "(app)",
                                           "(a:1 a:2)", "(app:rat id:)", "(app:\xc3\xa4)" };
        struct header h;
        size_t i;

        for (i = 0; i < N(good); i++) {
                h = parse(header_with("mbus/1.0 0 1 U ", good[i], " () ()"));
                ck_assert(span_equal_text(h.src.text, good[i]));
        }
        h = parse("mbus/1.0 0 1 U " SRC " () ()");
        ck_assert(span_equal_text(address_get(&h.src, "id"), "4711-1@192.168.1.1"));
        assert_bad("mbus/1.0 0 1 U ", bad, N(bad), " () ()");
}
END_TEST

/* MSG-09 */
START_TEST(test_destination_may_leave_elements_out)
{
        struct header h = parse("mbus/1.0 0 1 U " SRC " () ()");

        ck_assert_uint_eq(h.dest.n, 0);
        ck_assert(address_is_subset(&h.dest, &h.src));
        h = parse("mbus/1.0 0 1 U " SRC " (media:audio) ()");
        ck_assert_uint_eq(h.dest.n, 1);
        ck_assert(address_is_subset(&h.dest, &h.src));
        h = parse("mbus/1.0 0 1 U " SRC " (media:video) ()");
        ck_assert(!address_is_subset(&h.dest, &h.src));
}
END_TEST

/* MSG-12 */
START_TEST(test_white_space_separates_fields_and_a_line_end_ends_the_header)
{
        static const char *const good[] = {
                "mbus/1.0 0 1 U (a:b) (c:d) (5)\r\nx()",
                "mbus/1.0 0 1 U (a:b) (c:d) (5)\nx()",
                "mbus/1.0 \t0\t1   U\t\t(a:b) \t (c:d)\t(5) \t\nx()",
                "mbus/1.0      0 1 U (a:b ) ( c:d) ( 5\t) \r\nx()",
        };
        size_t i;

        for (i = 0; i < N(good); i++) {
                struct header h = parse(good[i]);

                ck_assert_uint_eq(h.seq, 0);
                ck_assert_uint_eq(h.timestamp, 1);
                ck_assert(span_equal_text(address_get(&h.src, "a"), "b"));
                ck_assert(span_equal_text(address_get(&h.dest, "c"), "d"));
                ck_assert_str_eq(good[i] + h.payload, "x()");
        }
}
END_TEST

/* MSG-12 */
START_TEST(test_missing_or_strange_separators_are_malformed)
{
        assert_malformed_at("mbus/1.0 0 1 U(a:b) () ()", 14);
        assert_malformed_at("mbus/1.0 0 1U (a:b) () ()", 12);
        assert_malformed_at("mbus/1.0 0 1 U (a:b)() ()", 20);
        assert_malformed_at("mbus/1.0 0 1 U (a:b) ()()", 23);
        assert_malformed_at("mbus/1.0 0\n1 U (a:b) () ()", 10);
        assert_malformed_at("mbus/1.0 0 1\r\n U (a:b) () ()", 12);
        assert_malformed_at("mbus/1.0 0 1 U (a:b) () ()x()", 26);
        assert_malformed_at("mbus/1.0 0 1 U (a:b) () () x()", 27);
        assert_malformed_at("mbus/1.0 0 1 U (a:b) () ()\rx()", 26);
        assert_malformed_at("mbus/1.0 0 1 U (a:b) () ()\r", 26);
        assert_malformed_at("mbus/1.0 0 1 U (a:b) ()", 23);
        assert_malformed_at("mbus/1.0 0 1 U a:b () ()", 15);
        assert_malformed_at("mbus/1.0 0 1 U (a:b) x ()", 21);
        ck_assert_int_eq(fault_of("mbus/1.0 0 1 U (a:b) ("), HEADER_MALFORMED);
}
END_TEST

/* MSG-13 */
START_TEST(test_acknowledgements_are_listed_in_their_order)
{
        static const struct {
                const char *text;
                size_t n;
                uint32_t seqs[3];
        } good[] = {
                { "()", 0, { 0 } },
                { "( \t )", 0, { 0 } },
                { "(6)", 1, { 6 } },
                { "(     6)", 1, { 6 } },
                { "(2 )", 1, { 2 } },
                { "(0 4294967295\t0000000007 )", 3, { 0, 4294967295u, 7 } },
                { "(000000000000000000000000000012 3)", 2, { 12, 3 } },
        };
        static const char *const bad[] = {
                "",
                "(",
                ")",
                "(1",
                "(1 ",
                "1",
                "(-2)",
                "(    -2)",
                "(1,2)",
                "(4294967296)",
                "(a)",
                "(1 4294967296)",
                "(1 00000000002)",
                "(1 x)",
                "((1))",
                "(99999999999999999999)",
                "(12345678",
                "(1\n2)",
        };
        size_t i, k;

        for (i = 0; i < N(good); i++) {
                struct header h = parse(header_with("mbus/1.0 0 1 U (a:b) () ", good[i].text, ""));
                struct span rest = h.acks;
                uint32_t seq;

                ck_assert(span_equal_text(h.acks, good[i].text));
                for (k = 0; k < good[i].n; k++) {
                        ck_assert(acks_next(&rest, &seq));
                        ck_assert_uint_eq(seq, good[i].seqs[k]);
                }
                ck_assert(!acks_next(&rest, &seq));
        }
        assert_bad("mbus/1.0 0 1 U (a:b) () ", bad, N(bad), "\r\n");
}
END_TEST

START_TEST(test_acknowledgements_are_bounded)
{
        static uint32_t seqs[ACKS_MAX];
        struct header_spec spec = {
                .src = span_of("(a:b)"), .dest = span_of("()"), .acks = seqs, .n_acks = ACKS_MAX
        };
        struct buffer b = BUFFER_INIT;
        struct header h;
        struct span rest;
        uint32_t seq;
        size_t i;

        for (i = 0; i < ACKS_MAX; i++)
                seqs[i] = UINT32_MAX - (uint32_t)i;
        ck_assert_int_eq(message_format(&spec, SPAN_NULL, DIALECT_RFC3259, &b), 0);
        ck_assert_int_eq(header_parse(buffer_span(&b), &h, NULL), HEADER_OK);
        rest = h.acks;
        for (i = 0; i < ACKS_MAX; i++)
                ck_assert(acks_next(&rest, &seq) && seq == seqs[i]);
        ck_assert(!acks_next(&rest, &seq));
        b.n--;
        buffer_add_text(&b, " 1)");
        ck_assert_int_eq(header_parse(buffer_span(&b), &h, NULL), HEADER_MALFORMED);
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_addresses_that_are_known_are_read_the_same)
{
        static const char *const texts[] = {
                "mbus/1.0 1 1 U " SRC " (app:rat) ()",
                "mbus/1.0 2 2 R " SRC " (app:rat module:x) (4)\r\nx()",
                "mbus/1.0 3 3 U " SRC " (app:rat) (5 6)\r\nx()",
                "mbus/1.0 4 4 U " SRC "\t(app:rat) ()",
                "mbus/1.0 5 5 U " SRC " (app:rat)  ()",
                "mbus/1.0 6 6 U " SRC " (app:rat)()",
                "mbus/1.0 7 7 U " SRC " (app:rat)",
                "mbus/1.0 8 8 U " SRC " (app:ra",
                "mbus/1.0 9 9 U () (app:rat) ()",
        };
        static const size_t known_as[] = { 0, 1, 0, 2, 0, 2, 2, 2, 2 };
        const struct header known[] = { parse(texts[0]), parse(texts[1]) };

        for (size_t i = 0; i < N(texts); i++) {
                enum header_fault fault = fault_of(texts[i]);
                struct header h, expected;
                size_t which = SIZE_MAX;

                ck_assert_int_eq(header_parse_known(span_of(texts[i]), known, 2, &h, &which, NULL),
                                 fault);
                ck_assert_uint_eq(which, known_as[i]);
                if (fault != HEADER_OK)
                        continue;
                expected = parse(texts[i]);
                ck_assert_uint_eq(h.seq, expected.seq);
                ck_assert_uint_eq(h.payload, expected.payload);
                ck_assert(h.acks.at == expected.acks.at && h.acks.n == expected.acks.n);
                ck_assert(h.src.text.at == expected.src.text.at &&
                          address_equal(&h.src, &expected.src));
                ck_assert(h.dest.text.at == expected.dest.text.at);
                ck_assert(address_equal(&h.dest, &expected.dest));
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_identifier_is_mbus_1_0_in_lower_case,
                test_seq_is_at_most_ten_digits_and_32_bits,
                test_time_stamp_is_ms_or_seconds_in_at_most_13_digits,
                test_message_type_is_r_or_u,
                test_source_is_any_complete_or_legacy_address,
                test_destination_may_leave_elements_out,
                test_white_space_separates_fields_and_a_line_end_ends_the_header,
                test_missing_or_strange_separators_are_malformed,
                test_acknowledgements_are_listed_in_their_order,
                test_acknowledgements_are_bounded,
                test_addresses_that_are_known_are_read_the_same,
        };

        return run_tests("header", tests, N(tests));
}
