/*
 * test-visible.c - what others wrote, as a terminal and a log are shown it.
 */
#include <stdio.h>
#include <string.h>

#include "programs/visible.h"
#include "run.h"

static const char *shown(const char *text)
{
        static char copy[4096];

        visible_copy(text, strlen(text), copy, sizeof(copy));
        return copy;
}

/* The UTF-8 of @character. */
static const char *utf8(unsigned character)
{
        static char text[5];

        if (character < 0x80)
                snprintf(text, sizeof(text), "%c", (int)character);
        else if (character < 0x800)
                snprintf(text, sizeof(text), "%c%c", (int)(0xc0 | character >> 6),
                         (int)(0x80 | (character & 0x3f)));
        else if (character < 0x10000)
                snprintf(text, sizeof(text), "%c%c%c", (int)(0xe0 | character >> 12),
                         (int)(0x80 | (character >> 6 & 0x3f)), (int)(0x80 | (character & 0x3f)));
        else
                snprintf(text, sizeof(text), "%c%c%c%c", (int)(0xf0 | character >> 18),
                         (int)(0x80 | (character >> 12 & 0x3f)),
                         (int)(0x80 | (character >> 6 & 0x3f)), (int)(0x80 | (character & 0x3f)));
        return text;
}

START_TEST(test_plain_text_and_tabs_stay_as_they_are)
{
        static const char *const texts[] = { "",
                                             "abc ~",
                                             "a\tb",
                                             "\xc3\xa4\xe2\x82\xac",
                                             "\xe6\x97\xa5\xf0\x9f\x98\x80",
                                             "e\xcc\x81",
                                             "\xe2\x9d\xa4\xef\xb8\x8f",
                                             "\xef\xbf\xbd" };

        for (size_t i = 0; i < N(texts); i++)
                ck_assert_str_eq(shown(texts[i]), texts[i]);
}
END_TEST

START_TEST(test_controls_are_pictures)
{
        ck_assert_str_eq(shown("a\nb\rc\x1b[2J\x01\x7f"),
                         "a\\nb\xe2\x90\x8d"
                         "c\xe2\x90\x9b[2J\xe2\x90\x81\xe2\x90\xa1");
}
END_TEST

START_TEST(test_what_is_no_utf8_is_a_replacement_character)
{
        ck_assert_str_eq(shown("a\xff\xc3"), "a\xef\xbf\xbd\xef\xbf\xbd");
        /* Too long a form of /, a half of a pair, and one beyond the last. */
        ck_assert_str_eq(shown("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");
        ck_assert_str_eq(shown("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
        ck_assert_str_eq(shown("\xf4\x90\x80\x80"),
                         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}
END_TEST

START_TEST(test_what_turns_hides_or_breaks_text_is_named_by_its_number)
{
        /* C1, soft hyphen, joiners, marks, line and paragraph separators, embeddings and overrides,
         * isolates, byte order mark, fillers, annotations, tags, what is no character. */
        static const unsigned hidden[] = {
                0x80,    0x85,    0x9b,    0x9f,    0xad,    0x34f,    0x61c,  0x115f, 0x180e,
                0x200b,  0x200c,  0x200d,  0x200e,  0x200f,  0x2028,   0x2029, 0x202a, 0x202b,
                0x202c,  0x202d,  0x202e,  0x2060,  0x2064,  0x2066,   0x2067, 0x2068, 0x2069,
                0x206f,  0x3164,  0xfeff,  0xffa0,  0xfff9,  0xfffb,   0xfffe, 0xffff, 0xfdd0,
                0x1d173, 0xe0001, 0xe0041, 0xe007f, 0x1fffe, 0x10ffff,
        };

        for (size_t i = 0; i < N(hidden); i++) {
                char expected[16], text[16];

                snprintf(expected, sizeof(expected), hidden[i] > 0xffff ? "a\\U%08xb" : "a\\u%04xb",
                         hidden[i]);
                snprintf(text, sizeof(text), "a%sb", utf8(hidden[i]));
                ck_assert_str_eq(shown(text), expected);
                ck_assert(!visible_is_plain(hidden[i]));
        }
}
END_TEST

START_TEST(test_no_character_is_longer_than_it_may_be_and_all_that_is_shown_is_plain)
{
        for (unsigned c = 1; c < 0x110000; c++) {
                char copy[32];
                const char *text;
                size_t n, shown_n, width;

                if (c >= 0xd800 && c < 0xe000)
                        continue;
                text = utf8(c);
                n = visible_next(text, strlen(text), copy, &shown_n);
                ck_assert_uint_eq(n, strlen(text));
                ck_assert_uint_le(shown_n, VISIBLE_SIZE);
                width = visible_width(copy, shown_n);
                ck_assert_uint_le(width, 10);
                for (size_t i = 0, length; i < shown_n; i += length) {
                        unsigned seen = 0;

                        length = visible_decode(copy + i, shown_n - i, &seen);
                        ck_assert_uint_gt(length, 0);
                        ck_assert(seen == '\t' || visible_is_plain(seen));
                }
        }
}
END_TEST

START_TEST(test_a_copy_that_is_too_long_ends_with_a_whole_character)
{
        char copy[8];

        ck_assert_uint_eq(visible_copy("abcdefghij", 10, copy, sizeof(copy)), 7);
        ck_assert_str_eq(copy, "abcdefg");
        ck_assert_uint_eq(visible_copy("abcde\xe2\x82\xac", 8, copy, sizeof(copy)), 5);
        ck_assert_str_eq(copy, "abcde");
        ck_assert_uint_eq(visible_copy("ab\xe2\x80\xae", 5, copy, sizeof(copy)), 2);
        ck_assert_str_eq(copy, "ab");
        ck_assert_uint_eq(visible_copy("abc", 3, copy, 1), 0);
        ck_assert_str_eq(copy, "");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_plain_text_and_tabs_stay_as_they_are,
                test_controls_are_pictures,
                test_what_is_no_utf8_is_a_replacement_character,
                test_what_turns_hides_or_breaks_text_is_named_by_its_number,
                test_no_character_is_longer_than_it_may_be_and_all_that_is_shown_is_plain,
                test_a_copy_that_is_too_long_ends_with_a_whole_character,
        };

        return run_tests("visible", tests, N(tests));
}
