/*
 * test-random.c - the seeded generator: repeatable, even, and never out of its range.
 */
#include "core/random.h"
#include "run.h"

START_TEST(test_seed_42_gives_the_published_numbers)
{
        static const uint32_t expected[] = { 0xa15c02b7, 0x7b47f409, 0xba1d3330,
                                             0x83d2f293, 0xbfa4784b, 0xcbed606e };
        struct random r;
        size_t i;

        random_init(&r, 42);
        for (i = 0; i < N(expected); i++)
                ck_assert_uint_eq(random_u32(&r), expected[i]);
}
END_TEST

START_TEST(test_equal_seeds_repeat_and_others_differ)
{
        struct random a, b, c;
        unsigned i, same = 0;

        random_init(&a, 1);
        random_init(&b, 1);
        random_init(&c, 2);
        for (i = 0; i < 1000; i++) {
                uint64_t x = random_u64(&a);

                ck_assert_uint_eq(x, random_u64(&b));
                same += x == random_u64(&c);
        }
        ck_assert_uint_eq(same, 0);
}
END_TEST

START_TEST(test_unit_is_even_and_below_one)
{
        struct random r;
        unsigned tenths[10] = { 0 }, i;

        random_init(&r, 3259);
        for (i = 0; i < 100000; i++) {
                double x = random_unit(&r);

                ck_assert(x >= 0 && x < 1);
                tenths[(unsigned)(x * 10)]++;
        }
        for (i = 0; i < 10; i++)
                ck_assert(tenths[i] > 9500 && tenths[i] < 10500);
}
END_TEST

START_TEST(test_below_is_even_and_reaches_both_ends)
{
        struct random r;
        unsigned counts[6] = { 0 }, high = 0, i;

        random_init(&r, 3259);
        for (i = 0; i < 60000; i++) {
                uint64_t x = random_below(&r, 6);

                ck_assert_uint_lt(x, 6);
                counts[x]++;
                ck_assert_uint_eq(random_below(&r, 1), 0);
        }
        for (i = 0; i < 6; i++)
                ck_assert(counts[i] > 9500 && counts[i] < 10500);
        /* Of three quarters of all numbers, plain remainders would favour the lowest third. */
        for (i = 0; i < 30000; i++) {
                uint64_t x = random_below(&r, UINT64_C(3) << 62);

                ck_assert_uint_lt(x, UINT64_C(3) << 62);
                high += x >= UINT64_C(1) << 62;
        }
        ck_assert(high > 19500 && high < 20500);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_seed_42_gives_the_published_numbers,
                test_equal_seeds_repeat_and_others_differ,
                test_unit_is_even_and_below_one,
                test_below_is_even_and_reaches_both_ends,
        };

        return run_tests("random", tests, N(tests));
}
