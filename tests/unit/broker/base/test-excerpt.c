/*
 * test-excerpt.c - what is repeated of a text is short, and whole characters.
 */
#include <string.h>

#include <broker/base/excerpt.h>

#include "run.h"

START_TEST(test_a_short_text_is_repeated_wholly)
{
        ck_assert_int_eq(excerpt_size(SPAN_NULL), 0);
        ck_assert_int_eq(excerpt_size(span_of("(app:rat)")), 9);
}
END_TEST

START_TEST(test_no_character_is_cut)
{
        char text[EXCERPT_MAX + 8];

        for (unsigned before = 0; before < 4; before++) {
                /* Of three octets each, after so many of one. */
                memset(text, 'x', before);
                for (size_t i = before; i < sizeof(text); i++)
                        text[i] = (char)((i - before) % 3 == 0 ? 0xe2 : 0x82);
                ck_assert_int_eq(excerpt_size((struct span){ text, sizeof(text) }),
                                 (int)(before + (EXCERPT_MAX - before) / 3 * 3));
        }
        memset(text, 'x', sizeof(text));
        ck_assert_int_eq(excerpt_size((struct span){ text, sizeof(text) }), EXCERPT_MAX);
        ck_assert_int_eq(excerpt_size((struct span){ text, EXCERPT_MAX }), EXCERPT_MAX);
        /* What is no UTF-8 at all ends it. */
        memset(text, 0x82, sizeof(text));
        ck_assert_int_eq(excerpt_size((struct span){ text, sizeof(text) }), 0);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_short_text_is_repeated_wholly,
                test_no_character_is_cut,
        };

        return run_tests("broker-excerpt", tests, N(tests));
}
