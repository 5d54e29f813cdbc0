/*
 * test-address.c - addresses: their grammar, sets and texts (RFC 3259, sections 4 and 6.2).
 */
#include "core/address.h"
#include "damage.h"
#include "run.h"
#include "seed.h"

#define OWN "(conf:test media:audio module:engine app:rat id:4711-1@192.168.1.1)"
#define TEN "abcdefghij"
#define TAG_32 TEN TEN TEN "kl"
#define VALUE_64 TEN TEN TEN TEN TEN TEN "mnop"

static struct address parse(const char *text)
{
        struct parse_error error = { 0, "" };
        struct address a;

        ck_assert_msg(address_parse(span_of(text), LENIENT, &a, NULL, &error) == 0,
                      "\"%s\" at %zu: %s", text, error.at, error.what);
        return a;
}

static void assert_malformed(const char *text, enum strictness strictness, size_t at,
                             const char *what)
{
        struct parse_error error = { SIZE_MAX, "" };
        char *copy = copy_exactly(text, strlen(text));
        struct address a = { .n = 77 };
        size_t n = 77;
        int r = address_parse((struct span){ copy, strlen(text) }, strictness, &a, &n, &error);

        free(copy);
        ck_assert_msg(r == MBUS_E_MALFORMED, "\"%s\" is accepted", text);
        ck_assert_msg(error.at == at && strstr(error.what, what), "\"%s\" at %zu: %s", text,
                      error.at, error.what);
        ck_assert(a.n == 77 && n == 77);
}

static bool subset(const char *a, const char *b)
{
        struct address of = parse(a), in = parse(b);

        return address_is_subset(&of, &in);
}

/* ADR-01 */
START_TEST(test_white_space_stands_between_elements_and_inside_the_brackets)
{
        static const char *const texts[] = {
                "(a:1 b:2)",
                "( a:1 b:2)",
                "(a:1 b:2 )",
                "(\t \ta:1\t \tb:2 \t)",
        };
        size_t i;

        for (i = 0; i < N(texts); i++) {
                struct address a = parse(texts[i]);

                ck_assert_uint_eq(a.n, 2);
                ck_assert(span_equal_text(a.text, texts[i]));
                ck_assert(span_equal_text(address_tag(&a, 0), "a"));
                ck_assert(span_equal_text(address_value(&a, 0), "1"));
                ck_assert(span_equal_text(address_tag(&a, 1), "b"));
                ck_assert(span_equal_text(address_value(&a, 1), "2"));
        }
        ck_assert_uint_eq(parse("()").n, 0);
        ck_assert_uint_eq(parse("( \t)").n, 0);
}
END_TEST

/* ADR-01 */
START_TEST(test_broken_outlines_are_malformed_where_they_break)
{
        assert_malformed("", LENIENT, 0, "begins with");
        assert_malformed("a:1", LENIENT, 0, "begins with");
        assert_malformed(" (a:1)", LENIENT, 0, "begins with");
        assert_malformed("(", LENIENT, 1, "ends with");
        assert_malformed("(a:1", LENIENT, 4, "ends with");
        assert_malformed("(a:1 ", LENIENT, 5, "ends with");
        assert_malformed("(a:1(", LENIENT, 4, "a value");
        assert_malformed("(a:1 (b:2))", LENIENT, 5, "a tag");
        assert_malformed("(a)", LENIENT, 2, "followed by");
        assert_malformed("(a :1)", LENIENT, 2, "followed by");
        assert_malformed("(a", LENIENT, 2, "followed by");
        assert_malformed("(a:1\r\n b:2)", LENIENT, 4, "a value");
        assert_malformed("(a:1 \nb:2)", LENIENT, 5, "a tag");
}
END_TEST

START_TEST(test_what_follows_is_left_alone_only_if_the_caller_wants_it)
{
        struct parse_error error = { 0, NULL };
        struct address a;
        size_t n;

        ck_assert_int_eq(address_parse(span_of("(a:1) ()"), STRICT, &a, &n, &error), 0);
        ck_assert_uint_eq(n, 5);
        ck_assert(span_equal_text(a.text, "(a:1)"));
        ck_assert_ptr_null(error.what);
        ck_assert_int_eq(address_parse(span_of("(a:1) ()"), STRICT, &a, NULL, &error),
                         MBUS_E_MALFORMED);
        ck_assert_uint_eq(error.at, 5);
        ck_assert_int_eq(address_parse(SPAN_NULL, STRICT, &a, NULL, NULL), MBUS_E_MALFORMED);
}
END_TEST

/* ADR-02 */
START_TEST(test_tag_is_1_to_32_letters)
{
        struct address a;
        char text[] = "(ab:1)";
        int c;

        ck_assert_int_eq(address_parse(span_of("(" TAG_32 ":1 A:2)"), STRICT, &a, NULL, NULL), 0);
        ck_assert(span_equal_text(address_value(&a, 0), "2"));
        assert_malformed("(" TAG_32 "m:1)", STRICT, 33, "a tag is 1 to 32 letters");
        assert_malformed("(" TAG_32 "m:1)", LENIENT, 33, "a tag is 1 to 32 letters, digits");
        assert_malformed("(:1)", STRICT, 1, "a tag is 1 to 32 letters");
        for (c = 1; c < 256; c++) {
                bool letter = is_alpha((char)c);
                bool deployed = letter || is_digit((char)c) || c == '-' || c == '_';

                if (c == ':')
                        continue;
                text[2] = (char)c;
                ck_assert_msg(!address_parse(span_of(text), STRICT, &a, NULL, NULL) == letter,
                              "0x%02x", (unsigned)c);
                ck_assert_msg(!address_parse(span_of(text), LENIENT, &a, NULL, NULL) == deployed,
                              "0x%02x", (unsigned)c);
        }
        assert_malformed("(cc-module:x)", STRICT, 3, "a tag is 1 to 32 letters");
        assert_malformed("(m\xc3\xa4:x)", LENIENT, 2, "a tag is 1 to 32 letters");
}
END_TEST

/* ADR-03 */
START_TEST(test_value_is_1_to_64_visible_characters_but_brackets)
{
        struct address a;
        char text[] = "(a:xy)";
        int c;

        ck_assert_uint_eq(address_get((a = parse("(a:" VALUE_64 ")"), &a), "a").n, 64);
        assert_malformed("(a:" VALUE_64 "q)", STRICT, 67, "a value is 1 to 64");
        assert_malformed("(a:" VALUE_64 "q", STRICT, 67, "a value is 1 to 64");
        assert_malformed("(a:)", STRICT, 3, "a value is 1 to 64");
        assert_malformed("(a: b:1)", STRICT, 3, "a value is 1 to 64");
        assert_malformed("(a:", STRICT, 3, "a value is 1 to 64");
        for (c = 0; c < 256; c++) {
                bool allowed = (c >= 0x21 && c <= 0x27) || (c >= 0x2a && c <= 0x7e);
                struct span s = { text, sizeof(text) - 1 };
                size_t n;

                if (is_wsp((char)c) || c == ')')
                        continue;
                text[4] = (char)c;
                ck_assert_msg(!address_parse(s, STRICT, &a, &n, NULL) == allowed, "0x%02x",
                              (unsigned)c);
        }
        /* The first colon ends the tag, all others belong to the value. */
        a = parse("(a::b:\"\\<)");
        ck_assert(span_equal_text(address_get(&a, "a"), ":b:\"\\<"));
}
END_TEST

/* ADR-04 */
START_TEST(test_repeated_tag_is_malformed)
{
        assert_malformed("(a:1 a:1)", LENIENT, 5, "once");
        assert_malformed("(b:1 a:1 c:1 b:2)", LENIENT, 13, "once");
        assert_malformed("(a:1 b:1 ab:1 a:2)", STRICT, 14, "once");
        ck_assert_uint_eq(parse("(a:1 A:1 aa:1 aA:1)").n, 4);
}
END_TEST

START_TEST(test_address_has_at_most_32_elements)
{
        struct buffer b = BUFFER_INIT;
        struct address a;
        char tag[] = "aa:x";
        unsigned i;

        buffer_add_char(&b, '(');
        for (i = 0; i < 33; i++) {
                tag[0] = (char)('a' + (i * 7) % 26);
                tag[1] = (char)('a' + i / 26);
                buffer_add_text(&b, tag);
                buffer_add_char(&b, i == 32 ? ')' : ' ');
                if (i == 31) {
                        b.at[b.n - 1] = ')';
                        ck_assert_int_eq(address_parse(buffer_span(&b), STRICT, &a, NULL, NULL), 0);
                        ck_assert_uint_eq(a.n, 32);
                        b.at[b.n - 1] = ' ';
                }
        }
        buffer_add_char(&b, '\0');
        assert_malformed(b.at, STRICT, 1 + 32 * 5, "at most 32 elements");
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_offsets_that_do_not_fit_are_malformed)
{
        size_t n = 70000;
        char *text = malloc(n);
        struct address a;
        size_t i;

        for (i = 65000; i < n - 5; i++) {
                int r;

                memset(text, ' ', n);
                text[0] = '(';
                memcpy(text + i, "a:1)", 4);
                r = address_parse((struct span){ text, i + 4 }, STRICT, &a, NULL, NULL);
                ck_assert(r == MBUS_E_MALFORMED || a.elements[0].tag == i);
                ck_assert(r == 0 || i > 65000 + 500);
                if (r != 0)
                        break;
        }
        ck_assert_uint_lt(i, 65536);
        free(text);
}
END_TEST

/* ADR-05 */
START_TEST(test_order_of_elements_has_no_meaning)
{
        struct address a = parse("(media:audio module:engine app:rat)");
        struct address b = parse("( app:rat  module:engine media:audio )");
        struct address c = parse("(app:rat module:engine media:video)");
        struct address d = parse("(app:rat module:engine)");

        ck_assert(address_equal(&a, &b) && address_equal(&b, &a));
        ck_assert(!address_equal(&a, &c) && !address_equal(&a, &d) && !address_equal(&d, &a));
        ck_assert_uint_eq(address_hash(&a, 1), address_hash(&b, 1));
        ck_assert_uint_ne(address_hash(&a, 1), address_hash(&c, 1));
        ck_assert_uint_ne(address_hash(&a, 1), address_hash(&d, 1));
        ck_assert_uint_ne(address_hash(&a, 1), address_hash(&a, 2));
        ck_assert_uint_eq(element_hash(&a, 0, 5), element_hash(&d, 0, 5));
        ck_assert_uint_ne(element_hash(&a, 0, 5), element_hash(&a, 0, 6));
}
END_TEST

/* ADR-06 */
START_TEST(test_subset_compares_octets_of_tags_and_values)
{
        ck_assert(subset("()", "()"));
        ck_assert(subset("()", OWN));
        ck_assert(subset(OWN, OWN));
        ck_assert(!subset(OWN, "()"));
        ck_assert(subset("(app:rat conf:test)", OWN));
        ck_assert(!subset("(app:Rat)", OWN));
        ck_assert(!subset("(App:rat)", OWN));
        ck_assert(!subset("(app:ra)", OWN));
        ck_assert(!subset("(app:rats)", OWN));
        ck_assert(!subset("(ap:rat)", OWN));
        ck_assert(!subset("(a:b)", "(a:bc)"));
        ck_assert(!subset("(a:b:c)", "(a:b)"));
}
END_TEST

/* ADR-07 */
START_TEST(test_examples_of_the_rfc)
{
        ck_assert(subset("(media:audio module:engine)", OWN));
        ck_assert(subset("(module:engine)", OWN));
        ck_assert(!subset("(conf:test media:audio module:engine app:rat id:123-4@192.168.1.1 "
                          "foo:bar)",
                          OWN));
        ck_assert(!subset("(foo:bar)", OWN));
}
END_TEST

START_TEST(test_element_is_found_by_its_tag)
{
        struct address a = parse(OWN);

        ck_assert(span_equal_text(address_get(&a, "id"), "4711-1@192.168.1.1"));
        ck_assert(span_equal_text(address_get(&a, "conf"), "test"));
        ck_assert_ptr_null(address_get(&a, "con").at);
        ck_assert_ptr_null(address_get(&a, "ID").at);
        ck_assert_ptr_null(address_get(&ADDRESS_ALL, "id").at);
}
END_TEST

/* ADR-08 */
START_TEST(test_proper_id_is_in_the_id_element)
{
        struct address a = parse(OWN), b = parse("(id:123)"), c = parse("(x:1-1@1.2.3.4)");

        ck_assert(address_has_proper_id(&a));
        ck_assert(!address_has_proper_id(&b));
        ck_assert(!address_has_proper_id(&c));
        ck_assert(!address_has_proper_id(&ADDRESS_ALL));
}
END_TEST

/* An address of some of 6 tags with 3 values each, so that many are equal or parts of others. */
static void make(struct random *r, unsigned *ret_values, struct buffer *out)
{
        static const char *const spaces[] = { " ", "  ", "\t", " \t " };
        unsigned k, first = (unsigned)random_below(r, 6);

        buffer_clear(out);
        buffer_add_char(out, '(');
        for (k = 0; k < 6; k++) {
                unsigned tag = (first + 5 * k) % 6;

                ret_values[tag] = (unsigned)random_below(r, 4);
                if (ret_values[tag] == 0)
                        continue;
                buffer_add_text(out, spaces[random_below(r, N(spaces))]);
                /* Tags that are beginnings of others: t, tt, ttt ... */
                buffer_add(out, "tttttt", tag + 1);
                buffer_add_text(out, ":value-that-takes-more-than-eight-octets-");
                buffer_add_uint(out, ret_values[tag]);
        }
        buffer_add_text(out, spaces[random_below(r, N(spaces))]);
        buffer_add_char(out, ')');
}

START_TEST(test_sets_agree_with_a_plain_model)
{
        struct random r = seeded("addresses");
        struct buffer a_text = BUFFER_INIT, b_text = BUFFER_INIT;
        unsigned i, k, equal = 0, subsets = 0;

        for (i = 0; i < 20000; i++) {
                bool same = true, part = true;
                unsigned x[6], y[6];
                struct address a, b;

                make(&r, x, &a_text);
                make(&r, y, &b_text);
                for (k = 0; k < 6; k++) {
                        same = same && x[k] == y[k];
                        part = part && (x[k] == 0 || x[k] == y[k]);
                }
                ck_assert(!address_parse(buffer_span(&a_text), STRICT, &a, NULL, NULL));
                ck_assert(!address_parse(buffer_span(&b_text), STRICT, &b, NULL, NULL));
                ck_assert(address_equal(&a, &b) == same);
                ck_assert(address_is_subset(&a, &b) == part);
                ck_assert((address_hash(&a, i) == address_hash(&b, i)) == same);
                equal += same;
                subsets += part;
        }
        ck_assert(equal > 0 && subsets > equal);
        buffer_deinit(&a_text);
        buffer_deinit(&b_text);
}
END_TEST

START_TEST(test_written_address_is_read_back_as_an_equal_one)
{
        struct random r = seeded("address texts");
        struct buffer text = BUFFER_INIT, plain = BUFFER_INIT, again = BUFFER_INIT;
        unsigned i, values[6];

        for (i = 0; i < 5000; i++) {
                void (*format)(const struct address *, struct buffer *) =
                        i % 2 ? address_format : address_format_canonical;
                struct address a, b;

                make(&r, values, &text);
                buffer_clear(&plain);
                buffer_clear(&again);
                ck_assert(!address_parse(buffer_span(&text), STRICT, &a, NULL, NULL));
                format(&a, &plain);
                ck_assert(!address_parse(buffer_span(&plain), STRICT, &b, NULL, NULL));
                format(&b, &again);
                ck_assert(address_equal(&a, &b));
                ck_assert(span_equal(buffer_span(&plain), buffer_span(&again)));
        }
        buffer_deinit(&text);
        buffer_deinit(&plain);
        buffer_deinit(&again);
}
END_TEST

START_TEST(test_damaged_addresses_are_read_within_bounds)
{
        uint64_t state = DAMAGE_SEED;
        unsigned i;

        for (i = 0; i < 20000; i++) {
                char *text = copy_exactly(OWN, strlen(OWN));
                struct parse_error error = { SIZE_MAX, NULL };
                struct span s = { text, strlen(OWN) };
                struct address a;

                damage(text, s.n, &state);
                if (address_parse(s, LENIENT, &a, NULL, &error) == 0)
                        ck_assert(address_is_subset(&a, &a));
                else
                        ck_assert(error.at <= s.n && error.what);
                free(text);
        }
}
END_TEST

START_TEST(test_hashes_fill_their_bits_evenly)
{
        unsigned ones[64] = { 0 }, i, k;

        for (i = 0; i < 4096; i++) {
                struct buffer b = BUFFER_INIT;
                struct address a;
                uint64_t h;

                buffer_add_text(&b, "(id:");
                buffer_add_uint(&b, i);
                buffer_add_text(&b, "-1@192.168.1.1)");
                ck_assert(!address_parse(buffer_span(&b), STRICT, &a, NULL, NULL));
                h = address_hash(&a, 3259);
                for (k = 0; k < 64; k++)
                        ones[k] += h >> k & 1;
                buffer_deinit(&b);
        }
        /* Six standard deviations about the half. */
        for (k = 0; k < 64; k++)
                ck_assert_msg(ones[k] > 2048 - 192 && ones[k] < 2048 + 192, "bit %u: %u", k,
                              ones[k]);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_white_space_stands_between_elements_and_inside_the_brackets,
                test_broken_outlines_are_malformed_where_they_break,
                test_what_follows_is_left_alone_only_if_the_caller_wants_it,
                test_tag_is_1_to_32_letters,
                test_value_is_1_to_64_visible_characters_but_brackets,
                test_repeated_tag_is_malformed,
                test_address_has_at_most_32_elements,
                test_offsets_that_do_not_fit_are_malformed,
                test_order_of_elements_has_no_meaning,
                test_subset_compares_octets_of_tags_and_values,
                test_examples_of_the_rfc,
                test_element_is_found_by_its_tag,
                test_proper_id_is_in_the_id_element,
                test_sets_agree_with_a_plain_model,
                test_written_address_is_read_back_as_an_equal_one,
                test_damaged_addresses_are_read_within_bounds,
                test_hashes_fill_their_bits_evenly,
        };

        return run_tests("address", tests, N(tests));
}
