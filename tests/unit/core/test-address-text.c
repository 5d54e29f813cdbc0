/*
 * test-address-text.c - addresses are written plainly and canonically, and kept (RFC 3259, section 4).
 */
#include "core/address.h"
#include "damage.h"
#include "run.h"

#define OWN "(conf:test media:audio module:engine app:rat id:4711-1@192.168.1.1)"

static struct address parse(const char *text)
{
        struct parse_error error = { 0, "" };
        struct address a;

        ck_assert_msg(address_parse(span_of(text), LENIENT, &a, NULL, &error) == 0,
                      "\"%s\" at %zu: %s", text, error.at, error.what);
        return a;
}

static void assert_text(void (*format)(const struct address *, struct buffer *), const char *text,
                        const char *expected)
{
        struct address a = parse(text);
        struct buffer b = BUFFER_INIT;

        buffer_add_text(&b, "to ");
        format(&a, &b);
        ck_assert_msg(span_begins(buffer_span(&b), "to "), "%s", text);
        ck_assert_msg(span_equal_text((struct span){ b.at + 3, b.n - 3 }, expected),
                      "\"%s\" gives \"%.*s\"", text, (int)b.n, b.at);
        buffer_deinit(&b);
}

START_TEST(test_written_address_keeps_its_order_with_single_spaces)
{
        assert_text(address_format, "( \tm:1 \t a:2  )", "(m:1 a:2)");
        assert_text(address_format, "(m:1 a:2)", "(m:1 a:2)");
        assert_text(address_format, "(  )", "()");
        assert_text(address_format_canonical, "(  )", "()");
        assert_text(address_format_canonical, "(m:1 app:rat b:2)", "(app:rat b:2 m:1)");
        assert_text(address_format_canonical, "(b:1 ab:1 a:1 B:1)", "(B:1 a:1 ab:1 b:1)");
        assert_text(address_format_canonical, "(z:1 id:2 a:1)", "(a:1 z:1 id:2)");
        assert_text(address_format_canonical, "(id:2)", "(id:2)");
        assert_text(address_format_canonical, "(idx:1 id:2 ic:3)", "(ic:3 idx:1 id:2)");
}
END_TEST

START_TEST(test_a_text_is_canonical_only_as_it_would_be_written)
{
        static const struct {
                const char *text;
                bool canonical;
        } cases[] = {
                { "()", true },
                { "( )", false },
                { "(\t)", false },
                { "(a:1)", true },
                { "( a:1)", false },
                { "(a:1 )", false },
                { "(a:1 z:2 id:3)", true },
                { "(a:1 id:3 z:2)", false },
                { "(id:3 z:2)", false },
                { "(a:1 b:2)", true },
                { "(b:2 a:1)", false },
                { "(a:1\tb:2)", false },
                { "(a:1  b:2)", false },
                { "(a:1 b:2\t)", false },
                { "(B:1 a:1 ab:1)", true },
        };

        for (size_t i = 0; i < N(cases); i++) {
                struct address a = parse(cases[i].text);
                char text[64];
                size_t n = (size_t)(address_put_canonical(&a, text) - text);

                ck_assert_msg(address_is_canonical(&a) == cases[i].canonical, "%s", cases[i].text);
                ck_assert_uint_eq(n, address_plain_size(&a));
                ck_assert_uint_le(n, a.text.n);
                ck_assert(span_equal((struct span){ text, n }, a.text) == cases[i].canonical);
        }
}
END_TEST

START_TEST(test_copy_outlives_the_text)
{
        char *text = copy_exactly(OWN, strlen(OWN));
        struct address a, *copy, own = parse(OWN);

        ck_assert_int_eq(address_parse((struct span){ text, strlen(OWN) }, STRICT, &a, NULL, NULL),
                         0);
        copy = address_dup(&a);
        memset(text, 'x', strlen(OWN));
        free(text);
        ck_assert(address_equal(copy, &own));
        ck_assert(span_equal_text(copy->text, OWN));
        free(copy);
        copy = address_dup(&ADDRESS_ALL);
        ck_assert(copy->n == 0 && span_equal_text(copy->text, "()"));
        free(copy);
}
END_TEST

START_TEST(test_copy_keeps_no_white_space_but_one_between_elements)
{
        struct address a = parse("(\t mod:m  app:a  \t id:1-1@1.2.3.4   )"),
                       *copy = address_dup(&a);
        struct address none = parse("(   )"), *copy_of_none = address_dup(&none);
        struct address tab = parse("(b:1\ta:2)"), *copy_of_tab = address_dup(&tab);

        ck_assert(span_equal_text(copy->text, "(mod:m app:a id:1-1@1.2.3.4)"));
        ck_assert(address_equal(copy, &a));
        ck_assert(span_equal_text(address_get(copy, "id"), "1-1@1.2.3.4"));
        ck_assert(span_equal_text(address_tag(copy, 0), "app"));
        ck_assert(span_equal_text(address_value(copy, 2), "m"));
        ck_assert(span_equal_text(copy_of_none->text, "()"));
        ck_assert(span_equal_text(copy_of_tab->text, "(b:1 a:2)"));
        free(copy);
        free(copy_of_none);
        free(copy_of_tab);
}
END_TEST

START_TEST(test_no_copy_is_longer_than_the_longest_address)
{
        struct buffer text = BUFFER_INIT;
        struct address a, *copy;

        buffer_add_char(&text, '(');
        for (unsigned i = 0; i < ADDRESS_ELEMENTS_MAX; i++) {
                for (unsigned k = 0; k < 1000; k++)
                        buffer_add_char(&text, ' ');
                for (unsigned k = 0; k < ADDRESS_TAG_MAX; k++)
                        buffer_add_char(&text, (char)('a' + i % 16 + k % (i / 16 + 1)));
                buffer_add_char(&text, ':');
                for (unsigned k = 0; k < ADDRESS_VALUE_MAX; k++)
                        buffer_add_char(&text, 'v');
        }
        buffer_add_char(&text, ')');
        ck_assert_int_eq(address_parse(buffer_span(&text), STRICT, &a, NULL, NULL), 0);
        copy = address_dup(&a);
        ck_assert_uint_gt(copy->text.n, ADDRESS_TEXT_MAX - 8);
        ck_assert_uint_le(copy->text.n, ADDRESS_TEXT_MAX);
        ck_assert_uint_le(address_dup_size(&a), sizeof(a) + ADDRESS_TEXT_MAX);
        ck_assert(address_equal(copy, &a));
        free(copy);
        buffer_deinit(&text);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_written_address_keeps_its_order_with_single_spaces,
                test_a_text_is_canonical_only_as_it_would_be_written,
                test_copy_outlives_the_text,
                test_copy_keeps_no_white_space_but_one_between_elements,
                test_no_copy_is_longer_than_the_longest_address,
        };

        return run_tests("address-text", tests, N(tests));
}
