/*
 * test-chunk.c - references to chunks, and the pool that they go back to.
 */
#include <broker/base/chunk.h>
#include <broker/base/limits.h>

#include "run.h"

START_TEST(test_a_chunk_goes_back_with_its_last_reference_and_comes_again_empty)
{
        struct chunk_pool pool = { .size = 100 };
        struct chunk *chunk = chunk_take(&pool);

        ck_assert_ptr_nonnull(chunk);
        ck_assert_uint_eq(chunk_room(chunk), 100);
        chunk->n = 60;
        ck_assert_uint_eq(chunk_room(chunk), 40);
        ck_assert_ptr_eq(chunk_ref(chunk), chunk);
        ck_assert_ptr_null(chunk_unref(chunk));
        ck_assert_uint_eq(pool.n_out, 1);
        ck_assert_uint_eq(pool.n_spare, 0);
        ck_assert_ptr_null(chunk_unref(chunk));
        ck_assert_uint_eq(pool.n_out, 0);
        ck_assert_uint_eq(pool.n_spare, 1);
        ck_assert_ptr_eq(chunk_take(&pool), chunk);
        ck_assert_uint_eq(chunk_room(chunk), 100);
        ck_assert_uint_eq(chunk->refs, 1);
        chunk_unref(chunk);
        chunk_pool_deinit(&pool);
        ck_assert_uint_eq(pool.n_spare, 0);
}
END_TEST

START_TEST(test_the_chunk_that_came_back_last_goes_out_first_and_few_are_kept)
{
        struct chunk *chunks[CHUNKS_SPARE_MAX + 2], *last;
        struct chunk_pool pool = { .size = 10 };

        for (unsigned i = 0; i < N(chunks); i++)
                chunks[i] = chunk_take(&pool);
        ck_assert_uint_eq(pool.n_out, N(chunks));
        for (unsigned i = 0; i < N(chunks); i++)
                chunk_unref(chunks[i]);
        ck_assert_uint_eq(pool.n_out, 0);
        ck_assert_uint_eq(pool.n_spare, CHUNKS_SPARE_MAX);
        last = chunk_take(&pool);
        ck_assert_ptr_eq(last, chunks[CHUNKS_SPARE_MAX - 1]);
        chunk_unref(last);
        chunk_pool_deinit(&pool);
}
END_TEST

START_TEST(test_a_chunk_of_no_pool_and_no_chunk_at_all_can_be_let_go)
{
        struct chunk *chunk = chunk_new(8);

        ck_assert_ptr_nonnull(chunk);
        ck_assert_ptr_null(chunk->pool);
        ck_assert_ptr_null(chunk_unref(chunk));
        ck_assert_ptr_null(chunk_unref(NULL));
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_chunk_goes_back_with_its_last_reference_and_comes_again_empty,
                test_the_chunk_that_came_back_last_goes_out_first_and_few_are_kept,
                test_a_chunk_of_no_pool_and_no_chunk_at_all_can_be_let_go,
        };

        return run_tests("broker-chunk", tests, N(tests));
}
