/*
 * test-hello.c - when an entity announces itself, and how long it may be silent (RFC 3259, sections
 * 8.1, 8.2, 9.1 and 9.3).
 */
#include "core/hello.h"

#include "core/limits.h"
#include "run.h"
#include "seed.h"

#define MS NSEC_PER_MSEC
#define T0 (UINT64_C(1000000) * MS) /* when the tests begin */

/* An entity that has just sent a hello in a bus of @entities. */
static struct hello running(uint64_t now, size_t entities, struct random *r)
{
        struct hello h;

        hello_start(&h, now, r);
        h.hello_n = now;
        ck_assert(hello_expire(&h, now, entities, r));
        return h;
}

/* AWR-03 */
START_TEST(test_interval_is_200_ms_for_each_entity_and_a_second_at_least)
{
        ck_assert_uint_eq(hello_interval(1), 1000 * MS);
        ck_assert_uint_eq(hello_interval(5), 1000 * MS);
        ck_assert_uint_eq(hello_interval(6), 1200 * MS);
        ck_assert_uint_eq(hello_interval(100), 20000 * MS);
        ck_assert_uint_eq(hello_interval(65536), UINT64_C(13107200) * MS);
}
END_TEST

/* AWR-06 */
START_TEST(test_silence_of_five_and_a_half_intervals_is_death)
{
        ck_assert_uint_eq(hello_dead_after(1) / MS, 5500);
        ck_assert_uint_eq(hello_dead_after(6) / MS, 6600);
        ck_assert_uint_eq(hello_dead_after(100) / MS, 110000);
}
END_TEST

/* AWR-02 */
START_TEST(test_first_hello_comes_evenly_within_a_second)
{
        struct random r = seeded("first");
        unsigned tenths[11] = { 0 };

        for (unsigned i = 0; i < 10000; ++i) {
                struct hello h;

                hello_start(&h, T0, &r);
                ck_assert_uint_ge(hello_next(&h), T0);
                ck_assert_uint_le(hello_next(&h), T0 + 1000 * MS);
                ++tenths[(hello_next(&h) - T0) / (100 * MS)];
        }
        for (unsigned i = 0; i < 10; ++i) {
                ck_assert_uint_gt(tenths[i], 800);
                ck_assert_uint_lt(tenths[i], 1200);
        }
}
END_TEST

/* AWR-01 AWR-02: the first is not reconsidered, however many entities there turned out to be. */
START_TEST(test_first_hello_is_sent_when_its_delay_is_over)
{
        struct random r = seeded("first");
        struct hello h;
        uint64_t due;

        hello_start(&h, T0, &r);
        due = hello_next(&h);
        ck_assert(!hello_expire(&h, due - 1, 1000, &r));
        ck_assert_uint_eq(hello_next(&h), due);
        ck_assert(hello_expire(&h, due, 1000, &r));
        ck_assert_uint_eq(h.hello_p, due);
        ck_assert_uint_ge(hello_next(&h), due + 180000 * MS);
}
END_TEST

/* AWR-03 */
START_TEST(test_intervals_are_spread_evenly_by_a_tenth_to_either_side)
{
        static const size_t entities[] = { 1, 6, 100, 5000 };
        struct random r = seeded("interval");

        for (size_t i = 0; i < N(entities); ++i) {
                double d = (double)hello_interval(entities[i]), sum = 0;
                unsigned low = 0, high = 0;

                for (unsigned k = 0; k < 10000; ++k) {
                        struct hello h = running(T0, entities[i], &r);
                        double e = (double)(h.hello_n - T0) / d;

                        ck_assert(e >= 0.8999999 && e <= 1.1000001);
                        low += e < 0.91;
                        high += e > 1.09;
                        sum += e;
                }
                ck_assert(sum / 10000 > 0.995 && sum / 10000 < 1.005);
                ck_assert(low > 350 && low < 650 && high > 350 && high < 650);
        }
}
END_TEST

/* AWR-01 AWR-04 */
START_TEST(test_hello_is_repeated_for_ever_in_a_steady_bus)
{
        struct random r = seeded("steady");
        struct hello h = running(T0, 10, &r);
        unsigned n = 0;
        uint64_t now = T0;

        /* When the new hello_e is longer than the one the timer was set with, it is set again. */
        while (now < T0 + 2000000 * MS) {
                uint64_t p = h.hello_p;

                now = hello_next(&h);
                if (hello_expire(&h, now, 10, &r)) {
                        ++n;
                        ck_assert_uint_eq(h.hello_p, now);
                        ck_assert_uint_ge(now - p, 1799 * MS);
                        ck_assert_uint_le(now - p, 2201 * MS);
                } else {
                        ck_assert_uint_eq(h.hello_p, p);
                }
                ck_assert_uint_gt(hello_next(&h), now);
        }
        ck_assert_uint_ge(n, 2000000 / 2200);
        ck_assert_uint_le(n, 2000000 / 1800);
}
END_TEST

/* AWR-04 */
START_TEST(test_hello_is_put_off_when_the_bus_has_grown)
{
        struct random r = seeded("grown");

        for (unsigned i = 0; i < 1000; ++i) {
                struct hello h = running(T0, 1, &r);
                uint64_t due = hello_next(&h);

                ck_assert(!hello_expire(&h, due, 100, &r));
                ck_assert_uint_eq(h.hello_p, T0);
                ck_assert_uint_ge(hello_next(&h), T0 + 18000 * MS);
                ck_assert_uint_le(hello_next(&h), T0 + 22000 * MS);
                ck_assert_uint_eq(h.entities_p, 100);
        }
}
END_TEST

/* AWR-05 */
START_TEST(test_hello_comes_nearer_in_proportion_when_entities_leave)
{
        struct random r = seeded("shrunk");
        struct hello h = running(T0, 100, &r);
        uint64_t left;

        h.hello_n = T0 + 20000 * MS;
        hello_shrink(&h, T0 + 8000 * MS, 25);
        left = hello_next(&h) - (T0 + 8000 * MS);
        ck_assert_uint_eq((left + MS / 2) / MS, 3000);
        ck_assert_uint_eq((T0 + 8000 * MS - h.hello_p + MS / 2) / MS, 2000);
        ck_assert_uint_eq(h.entities_p, 25);
        /* Again, from there. */
        hello_shrink(&h, T0 + 9000 * MS, 5);
        ck_assert_uint_eq((hello_next(&h) - (T0 + 9000 * MS) + MS / 2) / MS, 400);
        ck_assert_uint_eq((T0 + 9000 * MS - h.hello_p + MS / 2) / MS, 600);
}
END_TEST

/* AWR-05 */
START_TEST(test_last_of_a_hundred_speaks_within_its_own_interval)
{
        struct random r = seeded("alone");

        for (unsigned i = 0; i < 1000; ++i) {
                struct hello h = running(T0, 100, &r);
                uint64_t now = T0 + random_below(&r, 18000 * MS), then = now;

                for (size_t n = 99; n >= 1; --n)
                        hello_shrink(&h, now, n);
                while (!hello_expire(&h, then, 1, &r))
                        then = hello_next(&h);
                ck_assert_uint_le(then - now, 1101 * MS);
        }
}
END_TEST

/* AWR-05 */
START_TEST(test_shrinking_changes_nothing_for_who_knew_fewer)
{
        struct random r = seeded("fewer");
        struct hello h = running(T0, 5, &r), before = h;

        hello_shrink(&h, T0 + 100 * MS, 50);
        ck_assert_uint_eq(h.hello_n, before.hello_n);
        ck_assert_uint_eq(h.hello_p, before.hello_p);
        hello_start(&h, T0, &r);
        before = h;
        hello_shrink(&h, T0 + 10 * MS, 1);
        ck_assert_uint_eq(hello_next(&h), hello_next(&before));
}
END_TEST

/* AWR-10 */
START_TEST(test_ping_is_answered_evenly_within_a_second)
{
        struct random r = seeded("ping");
        unsigned halves[2] = { 0 };

        for (unsigned i = 0; i < 2000; ++i) {
                struct hello h = running(T0, 100, &r);
                uint64_t now = T0 + 500 * MS;

                hello_ping(&h, now, &r);
                ck_assert_uint_ge(hello_next(&h), now);
                ck_assert_uint_le(hello_next(&h), now + 1000 * MS);
                ++halves[hello_next(&h) >= now + 500 * MS];
        }
        ck_assert(halves[0] > 800 && halves[1] > 800);
}
END_TEST

/* AWR-10 */
START_TEST(test_one_hello_answers_all_pings_and_starts_the_interval_anew)
{
        struct random r = seeded("pings");
        struct hello h = running(T0, 100, &r);
        uint64_t due;

        hello_ping(&h, T0, &r);
        due = hello_next(&h);
        for (unsigned i = 1; i < 10; ++i) {
                hello_ping(&h, T0 + (due - T0) / 10 * i, &r);
                ck_assert_uint_eq(hello_next(&h), due);
        }
        ck_assert(!hello_expire(&h, due - 1, 100, &r));
        ck_assert(hello_expire(&h, due, 100, &r));
        ck_assert_uint_eq(h.hello_p, due);
        ck_assert_uint_ge(hello_next(&h), due + 18000 * MS);
        ck_assert(!hello_expire(&h, due + 17000 * MS, 100, &r));
        /* The next ping gets an answer of its own. */
        hello_ping(&h, due + 1000 * MS, &r);
        ck_assert_uint_le(hello_next(&h), due + 2000 * MS);
}
END_TEST

/* AWR-10 */
START_TEST(test_hello_that_is_due_anyway_answers_the_ping)
{
        struct random r = seeded("due");
        struct hello h;

        hello_start(&h, T0, &r);
        h.hello_n = T0 + 1 * MS;
        hello_ping(&h, T0, &r);
        h.reply = T0 + 900 * MS;
        ck_assert(hello_expire(&h, T0 + 1 * MS, 1, &r));
        ck_assert_uint_eq(h.reply, TIME_NEVER);
        ck_assert_uint_ge(hello_next(&h), T0 + 900 * MS);
}
END_TEST

/* AWR-11: about five hellos a second reach everybody, whatever the size of the bus. */
START_TEST(test_rate_of_hellos_does_not_grow_with_the_bus)
{
        static const size_t sizes[] = { 5, 20, 200, 1000 };
        struct random r = seeded("rate");
        static struct hello hellos[1000];

        for (size_t i = 0; i < N(sizes); ++i) {
                uint64_t end = T0 + 10 * hello_interval(sizes[i]);
                unsigned n = 0;

                for (size_t k = 0; k < sizes[i]; ++k) {
                        struct hello *h = hellos + k;

                        *h = running(T0, sizes[i], &r);
                        while (hello_next(h) <= end)
                                n += hello_expire(h, hello_next(h), sizes[i], &r);
                }
                n = (unsigned)(n * NSEC_PER_SEC / (end - T0));
                ck_assert_msg(n >= 4 && n <= 5, "%zu entities: %u hellos a second", sizes[i], n);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_interval_is_200_ms_for_each_entity_and_a_second_at_least,
                test_silence_of_five_and_a_half_intervals_is_death,
                test_first_hello_comes_evenly_within_a_second,
                test_first_hello_is_sent_when_its_delay_is_over,
                test_intervals_are_spread_evenly_by_a_tenth_to_either_side,
                test_hello_is_repeated_for_ever_in_a_steady_bus,
                test_hello_is_put_off_when_the_bus_has_grown,
                test_hello_comes_nearer_in_proportion_when_entities_leave,
                test_last_of_a_hundred_speaks_within_its_own_interval,
                test_shrinking_changes_nothing_for_who_knew_fewer,
                test_ping_is_answered_evenly_within_a_second,
                test_one_hello_answers_all_pings_and_starts_the_interval_anew,
                test_hello_that_is_due_anyway_answers_the_ping,
                test_rate_of_hellos_does_not_grow_with_the_bus,
        };

        return run_tests("hello", tests, N(tests));
}
