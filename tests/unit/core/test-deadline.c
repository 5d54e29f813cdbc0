/*
 * test-deadline.c - the heap of deadlines.
 */
#include "core/deadline.h"
#include "core/limits.h"
#include "run.h"
#include "seed.h"

#define MANY 200

START_TEST(test_empty_heap_is_never_due)
{
        struct deadlines ds = DEADLINES_INIT;
        struct deadline d = DEADLINE_INIT;

        ck_assert_uint_eq(deadlines_next(&ds), TIME_NEVER);
        ck_assert_ptr_null(deadlines_pop(&ds, TIME_NEVER));
        deadlines_set(&ds, &d, TIME_NEVER);
        ck_assert_uint_eq(deadlines_next(&ds), TIME_NEVER);
        deadlines_deinit(&ds);
}
END_TEST

START_TEST(test_deadlines_come_out_in_order_and_not_too_early)
{
        static const uint64_t times[] = { 50, 10, 40, 10, 30, 0, TIME_NEVER - 1 };
        struct deadlines ds = DEADLINES_INIT;
        struct deadline d[N(times)];
        size_t i;

        for (i = 0; i < N(times); i++) {
                d[i] = DEADLINE_INIT;
                ck_assert_int_eq(deadlines_reserve(&ds), 0);
                deadlines_set(&ds, d + i, times[i]);
        }
        ck_assert_uint_eq(deadlines_next(&ds), 0);
        ck_assert_ptr_eq(deadlines_pop(&ds, 9), d + 5);
        ck_assert_ptr_null(deadlines_pop(&ds, 9));
        ck_assert_uint_eq(deadlines_next(&ds), 10);
        ck_assert_ptr_nonnull(deadlines_pop(&ds, 10));
        ck_assert_ptr_nonnull(deadlines_pop(&ds, 10));
        ck_assert_ptr_null(deadlines_pop(&ds, 29));
        ck_assert_ptr_eq(deadlines_pop(&ds, 45), d + 4);
        ck_assert_ptr_eq(deadlines_pop(&ds, 45), d + 2);
        ck_assert_ptr_null(deadlines_pop(&ds, 45));
        ck_assert_ptr_eq(deadlines_pop(&ds, TIME_NEVER), d + 0);
        ck_assert_ptr_eq(deadlines_pop(&ds, TIME_NEVER), d + 6);
        ck_assert_ptr_null(deadlines_pop(&ds, TIME_NEVER));
        ck_assert(d[0].slot == 0 && d[0].at == TIME_NEVER);
        deadlines_deinit(&ds);
}
END_TEST

START_TEST(test_released_room_is_used_again)
{
        struct deadlines ds = DEADLINES_INIT;
        struct deadline d = DEADLINE_INIT;
        size_t size, i;

        ck_assert_int_eq(deadlines_reserve(&ds), 0);
        size = ds.size;
        for (i = 0; i < 1000; i++) {
                deadlines_set(&ds, &d, i);
                deadlines_set(&ds, &d, TIME_NEVER);
                deadlines_release(&ds);
                ck_assert_int_eq(deadlines_reserve(&ds), 0);
        }
        ck_assert_uint_eq(ds.size, size);
        ck_assert_uint_eq(ds.reserved, 1);
        deadlines_deinit(&ds);
        ck_assert_ptr_null(ds.heap);
}
END_TEST

static uint64_t earliest(const uint64_t *times)
{
        uint64_t first = TIME_NEVER;
        size_t i;

        for (i = 0; i < MANY; i++)
                first = times[i] < first ? times[i] : first;
        return first;
}

START_TEST(test_heap_agrees_with_a_plain_list)
{
        struct random r = seeded("deadlines");
        struct deadlines ds = DEADLINES_INIT;
        struct deadline d[MANY], *due;
        uint64_t times[MANY], now = 0;
        size_t i, popped = 0;

        for (i = 0; i < MANY; i++) {
                d[i] = DEADLINE_INIT;
                times[i] = TIME_NEVER;
                ck_assert_int_eq(deadlines_reserve(&ds), 0);
        }
        for (i = 0; i < 20000; i++) {
                size_t k = (size_t)random_below(&r, MANY);

                times[k] = random_below(&r, 8) == 0 ? TIME_NEVER : now + random_below(&r, 1000);
                deadlines_set(&ds, d + k, times[k]);
                ck_assert(d[k].at == times[k] && (d[k].slot > 0) == (times[k] != TIME_NEVER));
                ck_assert_uint_eq(deadlines_next(&ds), earliest(times));
                now += random_below(&r, 12);
                while ((due = deadlines_pop(&ds, now))) {
                        k = (size_t)(due - d);
                        ck_assert(times[k] <= now && times[k] == earliest(times));
                        times[k] = TIME_NEVER;
                        popped++;
                }
                ck_assert_uint_gt(earliest(times), now);
        }
        ck_assert_uint_gt(popped, 1000);
        deadlines_deinit(&ds);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_empty_heap_is_never_due,
                test_deadlines_come_out_in_order_and_not_too_early,
                test_released_room_is_used_again,
                test_heap_agrees_with_a_plain_list,
        };

        return run_tests("deadline", tests, N(tests));
}
