/*
 * test-iteration.c - the shared chunk: what is made in it never moves while somebody refers to it.
 */
#include <string.h>

#include <core/frame.h>

#include <broker/base/iteration.h>
#include <broker/base/limits.h>

#include "run.h"

START_TEST(test_the_clock_does_not_go_back)
{
        struct iteration it;
        uint64_t before;

        iteration_init(&it);
        before = it.now;
        iteration_wake(&it);
        ck_assert_uint_ge(it.now, before);
        ck_assert_uint_gt(it.wall_ms, UINT64_C(1000000000000));
        iteration_deinit(&it);
}
END_TEST

START_TEST(test_a_frame_stands_in_the_chunk_with_its_length_and_its_mark)
{
        struct frame_slice frame;
        struct iteration it;
        struct span text;
        bool observed;
        size_t n;

        iteration_init(&it);
        ck_assert(iteration_put_frame(&it, span_of("text"), true, &frame));
        ck_assert_uint_eq(frame.n, FRAME_HEADER_SIZE + 4);
        ck_assert_int_eq(frame_next((struct span){ frame.chunk->bytes + frame.at, frame.n }, &text,
                                    &observed, &n),
                         FRAME_OK);
        ck_assert(observed && n == frame.n && span_equal_text(text, "text"));
        iteration_deinit(&it);
}
END_TEST

START_TEST(test_frames_stand_behind_each_other_while_somebody_refers_to_them)
{
        struct frame_slice first, second;
        struct iteration it;

        iteration_init(&it);
        ck_assert(iteration_put_frame(&it, span_of("first"), false, &first));
        chunk_ref(first.chunk);
        ck_assert(iteration_put_frame(&it, span_of("second"), false, &second));
        ck_assert_ptr_eq(second.chunk, first.chunk);
        ck_assert_uint_eq(second.at, first.at + first.n);
        ck_assert_int_eq(memcmp(first.chunk->bytes + first.at + FRAME_HEADER_SIZE, "first", 5), 0);
        chunk_unref(first.chunk);
        /* Nobody does: it is filled from its start again. */
        ck_assert(iteration_put_frame(&it, span_of("third"), false, &second));
        ck_assert_uint_eq(second.at, 0);
        iteration_deinit(&it);
}
END_TEST

START_TEST(test_what_does_not_fit_goes_into_another_chunk_and_the_first_stays_as_it_is)
{
        struct frame_slice first, second;
        struct iteration it;
        struct chunk *full;

        iteration_init(&it);
        ck_assert(iteration_put_frame(&it, span_of("first"), false, &first));
        full = chunk_ref(first.chunk);
        full->n = full->size - FRAME_HEADER_SIZE - 3;
        ck_assert(iteration_put_frame(&it, span_of("abc"), false, &second));
        ck_assert_ptr_eq(second.chunk, full);
        ck_assert_uint_eq(chunk_room(full), 0);
        ck_assert(iteration_put_frame(&it, span_of("d"), false, &second));
        ck_assert_ptr_ne(second.chunk, full);
        ck_assert_int_eq(memcmp(full->bytes + FRAME_HEADER_SIZE, "first", 5), 0);
        ck_assert_uint_eq(full->refs, 1);
        chunk_unref(full);
        iteration_deinit(&it);
}
END_TEST

START_TEST(test_a_text_longer_than_a_frame_makes_none)
{
        static const char text[FRAME_MAX + 1];
        struct frame_slice frame = { .n = 77 };
        struct iteration it;

        iteration_init(&it);
        ck_assert(!iteration_put_frame(&it, (struct span){ text, sizeof(text) }, false, &frame));
        ck_assert_uint_eq(frame.n, 77);
        ck_assert(iteration_put_frame(&it, (struct span){ text, FRAME_MAX }, false, &frame));
        ck_assert_uint_eq(frame.n, FRAME_HEADER_SIZE + FRAME_MAX);
        iteration_deinit(&it);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_clock_does_not_go_back,
                test_a_frame_stands_in_the_chunk_with_its_length_and_its_mark,
                test_frames_stand_behind_each_other_while_somebody_refers_to_them,
                test_what_does_not_fit_goes_into_another_chunk_and_the_first_stays_as_it_is,
                test_a_text_longer_than_a_frame_makes_none,
        };

        return run_tests("broker-iteration", tests, N(tests));
}
