/*
 * test-bytes.c - spans and buffers, and UTF-8 (RFC 3259, section 5.1).
 */
#include "core/bytes.h"
#include "run.h"
#include "seed.h"

#define SPAN(literal) ((struct span){ literal, sizeof(literal) - 1 })

START_TEST(test_spans_are_equal_by_octets)
{
        ck_assert(span_equal(SPAN_NULL, SPAN("")));
        ck_assert(span_equal(SPAN("a\0b"), SPAN("a\0b")));
        ck_assert(!span_equal(SPAN("a\0b"), SPAN("a\0c")));
        ck_assert(!span_equal(SPAN("ab"), SPAN("abc")));
        ck_assert(span_equal_text(SPAN("ab"), "ab"));
        ck_assert(span_begins(SPAN("mbus/1.0"), "mbus/"));
        ck_assert(!span_begins(SPAN("mbu"), "mbus/"));
}
END_TEST

START_TEST(test_case_is_ignored_for_ascii_letters_only)
{
        ck_assert(span_equal_nocase(SPAN("HostLOCAL"), "hOSTlocal"));
        ck_assert(span_equal_nocase(SPAN_NULL, ""));
        ck_assert(!span_equal_nocase(SPAN("HostLOCA"), "hOSTlocal"));
        ck_assert(!span_equal_nocase(SPAN("@[`{"), "`{@["));
        ck_assert(!span_equal_nocase(SPAN("\xc4"), "\xe4"));
}
END_TEST

START_TEST(test_utf8_has_shortest_forms_and_no_surrogates)
{
        static const struct span good[] = {
                SPAN(""),
                SPAN("\x01\x7f"),
                SPAN("\xc2\x80"),
                SPAN("\xdf\xbf"),
                SPAN("\xe0\xa0\x80"),
                SPAN("\xed\x9f\xbf"),
                SPAN("\xee\x80\x80"),
                SPAN("\xef\xbf\xbf"),
                SPAN("\xf0\x90\x80\x80"),
                SPAN("\xf4\x8f\xbf\xbf"),
                SPAN("seven..\xc3\xa4 and eight.."),
        };
        static const struct span bad[] = {
                SPAN("\0"),
                SPAN("\x80"),
                SPAN("\xbf"),
                SPAN("\xc0\x80"),
                SPAN("\xc1\xbf"),
                SPAN("\xc3"),
                SPAN("\xc3("),
                SPAN("\xc3\xc3"),
                SPAN("\xe0\x9f\xbf"),
                SPAN("\xe0\x80\x80"),
                SPAN("\xe2\x82"),
                SPAN("\xe2\x82("),
                SPAN("\xed\xa0\x80"),
                SPAN("\xed\xbf\xbf"),
                SPAN("\xf0\x8f\xbf\xbf"),
                SPAN("\xf0\x90\x80"),
                SPAN("\xf0\x90\x80("),
                SPAN("\xf4\x90\x80\x80"),
                SPAN("\xf5\x80\x80\x80"),
                SPAN("\xf8\x88\x80\x80\x80"),
                SPAN("\xfe"),
                SPAN("\xff"),
        };
        char text[200];
        size_t i, k, at;

        for (i = 0; i < N(good); i++)
                ck_assert_msg(span_is_utf8(good[i], NULL), "good %zu", i);
        /* In front of it and behind it: what is looked at in one piece, and what is left of that. */
        for (i = 0; i < N(bad); i++) {
                ck_assert_msg(!span_is_utf8(bad[i], NULL), "bad %zu", i);
                for (k = 0; k < sizeof(text) - 8; k++) {
                        memset(text, 'x', sizeof(text));
                        memcpy(text + k, bad[i].at, bad[i].n);
                        at = SIZE_MAX;
                        ck_assert(!span_is_utf8((struct span){ text, sizeof(text) }, &at));
                        ck_assert_msg(at == k, "bad %zu behind %zu: at %zu", i, k, at);
                }
        }
        ck_assert(span_is_utf8(SPAN_NULL, &at));
}
END_TEST

START_TEST(test_numbers_are_digits_up_to_a_limit)
{
        uint64_t n = 7;

        ck_assert(span_to_uint(SPAN("0"), 0, &n) && n == 0);
        ck_assert(span_to_uint(SPAN("007"), 7, &n) && n == 7);
        ck_assert(!span_to_uint(SPAN("8"), 7, &n));
        ck_assert(!span_to_uint(SPAN("70"), 7, &n));
        ck_assert(span_to_uint(SPAN("4294967295"), UINT32_MAX, &n) && n == UINT32_MAX);
        ck_assert(!span_to_uint(SPAN("4294967296"), UINT32_MAX, &n));
        ck_assert(span_to_uint(SPAN("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
        ck_assert(!span_to_uint(SPAN("18446744073709551616"), UINT64_MAX, &n));
        ck_assert(!span_to_uint(SPAN("99999999999999999999999"), UINT64_MAX, &n));
        ck_assert(!span_to_uint(SPAN(""), 9, &n));
        ck_assert(!span_to_uint(SPAN_NULL, 9, &n));
        ck_assert(!span_to_uint(SPAN("-1"), 9, &n));
        ck_assert(!span_to_uint(SPAN("1 "), 9, &n));
        ck_assert(n == UINT64_MAX);
}
END_TEST

START_TEST(test_buffer_grows_with_what_is_written)
{
        struct buffer b = BUFFER_INIT;
        size_t i;

        buffer_add(&b, NULL, 0);
        ck_assert_ptr_null(b.at);
        ck_assert_ptr_nonnull(buffer_reserve(&b, 0));
        for (i = 0; i < 1000; i++) {
                buffer_add_text(&b, "ab");
                buffer_add_char(&b, 'c');
                buffer_add_span(&b, SPAN("de"));
        }
        ck_assert(!b.failed && b.n == 5000 && b.size >= b.n);
        for (i = 0; i < b.n; i++)
                ck_assert(b.at[i] == "abcde"[i % 5]);
        buffer_clear(&b);
        ck_assert(b.n == 0 && b.size >= 5000);
        buffer_deinit(&b);
        ck_assert(!b.at && b.n == 0 && b.size == 0);
}
END_TEST

START_TEST(test_buffer_that_failed_swallows_all_that_follows)
{
        struct buffer b = BUFFER_INIT;

        buffer_add_text(&b, "kept");
        ck_assert_ptr_null(buffer_reserve(&b, SIZE_MAX));
        ck_assert(b.failed);
        buffer_add_char(&b, '!');
        ck_assert_ptr_null(buffer_reserve(&b, 1));
        ck_assert(span_equal_text(buffer_span(&b), "kept"));
        buffer_clear(&b);
        buffer_add_char(&b, '!');
        ck_assert(!b.failed && span_equal_text(buffer_span(&b), "!"));
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_numbers_are_written_in_decimal)
{
        struct buffer b = BUFFER_INIT;

        buffer_add_uint(&b, 0);
        buffer_add_char(&b, ' ');
        buffer_add_uint(&b, UINT64_MAX);
        buffer_add_char(&b, ' ');
        buffer_add_int(&b, INT64_MIN);
        buffer_add_char(&b, ' ');
        buffer_add_int(&b, INT64_MAX);
        buffer_add_char(&b, ' ');
        buffer_add_int(&b, -1);
        ck_assert(span_equal_text(buffer_span(&b), "0 18446744073709551615 "
                                                   "-9223372036854775808 9223372036854775807 -1"));
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_numbers_around_each_power_of_ten_are_written_with_all_their_digits)
{
        char at[UINT_DIGITS_MAX + 1], expected[UINT_DIGITS_MAX + 1];
        uint64_t power = 1;

        for (unsigned n = 1; n < UINT_DIGITS_MAX; n++) {
                power *= 10;
                for (uint64_t number = power - 2; number <= power + 1; number++) {
                        *uint_write(at, number) = '\0';
                        snprintf(expected, sizeof(expected), "%ju", (uintmax_t)number);
                        ck_assert_str_eq(at, expected);
                }
        }
}
END_TEST

START_TEST(test_written_numbers_are_read_back)
{
        struct random r = seeded("numbers");
        unsigned i;

        for (i = 0; i < 10000; i++) {
                uint64_t number = random_u64(&r) >> random_below(&r, 64), back;
                struct buffer b = BUFFER_INIT;

                buffer_add_uint(&b, number);
                ck_assert(span_to_uint(buffer_span(&b), number, &back) && back == number);
                ck_assert(number == 0 || !span_to_uint(buffer_span(&b), number - 1, &back));
                buffer_deinit(&b);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_spans_are_equal_by_octets,
                test_case_is_ignored_for_ascii_letters_only,
                test_utf8_has_shortest_forms_and_no_surrogates,
                test_numbers_are_digits_up_to_a_limit,
                test_buffer_grows_with_what_is_written,
                test_buffer_that_failed_swallows_all_that_follows,
                test_numbers_are_written_in_decimal,
                test_numbers_around_each_power_of_ten_are_written_with_all_their_digits,
                test_written_numbers_are_read_back,
        };

        return run_tests("bytes", tests, N(tests));
}
