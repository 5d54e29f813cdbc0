/*
 * test-frame.c - messages on a stream, cut at every octet (spec/attach.md).
 */
#include "core/frame.h"

#include "damage.h"
#include "run.h"

static size_t put(char *at, const char *text, bool observed)
{
        frame_put_length(at, strlen(text), observed);
        memcpy(at + FRAME_HEADER_SIZE, text, strlen(text));
        return FRAME_HEADER_SIZE + strlen(text);
}

static enum frame_status status_of(uint32_t word, size_t n)
{
        char *bytes = calloc(1, FRAME_HEADER_SIZE + n);
        enum frame_status status;
        struct span text;
        bool observed;
        size_t used;

        ck_assert_ptr_nonnull(bytes);
        bytes[0] = (char)(word >> 24);
        bytes[1] = (char)(word >> 16);
        bytes[2] = (char)(word >> 8);
        bytes[3] = (char)word;
        status = frame_next((struct span){ bytes, FRAME_HEADER_SIZE + n }, &text, &observed, &used);
        if (status == FRAME_OK) {
                ck_assert_uint_eq(text.n, word & 0x7fffffff);
                ck_assert_uint_eq(used, text.n + FRAME_HEADER_SIZE);
                ck_assert_int_eq(observed, word >> 31);
        }
        free(bytes);
        return status;
}

START_TEST(test_length_is_big_endian_and_top_bit_marks_a_copy)
{
        char at[4];

        frame_put_length(at, 0x010203, false);
        ck_assert_mem_eq(at, "\x00\x01\x02\x03", 4);
        frame_put_length(at, 0x010203, true);
        ck_assert_mem_eq(at, "\x80\x01\x02\x03", 4);
}
END_TEST

START_TEST(test_every_cut_of_two_frames_gives_whole_frames_or_partial)
{
        char stream[64];
        size_t first = put(stream, "mbus/1.0 one", false);
        size_t all = first + put(stream + first, "mbus/1.0 the other", true);

        for (size_t cut = 0; cut <= all; cut++) {
                char *copy = copy_exactly(stream, cut);
                struct span rest = { copy, cut }, text = { "untouched", 9 };
                bool observed = false;
                size_t n = 0;
                enum frame_status status = frame_next(rest, &text, &observed, &n);

                if (cut < first) {
                        ck_assert_int_eq(status, FRAME_PARTIAL);
                        ck_assert(span_equal_text(text, "untouched"));
                        free(copy);
                        continue;
                }
                ck_assert_int_eq(status, FRAME_OK);
                ck_assert(span_equal_text(text, "mbus/1.0 one") && !observed);
                ck_assert_uint_eq(n, first);

                rest = (struct span){ copy + n, cut - n };
                status = frame_next(rest, &text, &observed, &n);
                ck_assert_int_eq(status, cut < all ? FRAME_PARTIAL : FRAME_OK);
                if (cut == all)
                        ck_assert(span_equal_text(text, "mbus/1.0 the other") && observed);
                free(copy);
        }
}
END_TEST

START_TEST(test_lengths_from_one_to_the_limit_are_accepted)
{
        ck_assert_int_eq(status_of(1, 1), FRAME_OK);
        ck_assert_int_eq(status_of(FRAME_MAX, FRAME_MAX), FRAME_OK);
        ck_assert_int_eq(status_of(FRAME_MAX | FRAME_OBSERVED, FRAME_MAX + 7), FRAME_OK);
        ck_assert_int_eq(status_of(FRAME_MAX, FRAME_MAX - 1), FRAME_PARTIAL);
}
END_TEST

START_TEST(test_lengths_of_zero_or_above_the_limit_are_bad_at_once)
{
        ck_assert_int_eq(status_of(0, 0), FRAME_BAD);
        ck_assert_int_eq(status_of(FRAME_OBSERVED, 0), FRAME_BAD);
        ck_assert_int_eq(status_of(FRAME_MAX + 1, 0), FRAME_BAD);
        ck_assert_int_eq(status_of(FRAME_MAX + 1, FRAME_MAX + 1), FRAME_BAD);
        ck_assert_int_eq(status_of(0x7fffffff, 0), FRAME_BAD);
        ck_assert_int_eq(status_of(0xffffffff, 0), FRAME_BAD);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_length_is_big_endian_and_top_bit_marks_a_copy,
                test_every_cut_of_two_frames_gives_whole_frames_or_partial,
                test_lengths_from_one_to_the_limit_are_accepted,
                test_lengths_of_zero_or_above_the_limit_are_bad_at_once,
        };

        return run_tests("frame", tests, N(tests));
}
