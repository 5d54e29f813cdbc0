/*
 * test-quota.c - limits, shares of what is left, and rates (broker/accounts/quota.h).
 */
#include <broker/base/limits.h>
#include <broker/accounts/quota.h>
#include <core/limits.h>

#include "run.h"
#include "seed.h"

#define SECOND NSEC_PER_SEC

static struct quota quota_with(enum limit limit, uint64_t value)
{
        struct limits limits;
        struct quota q;

        limits_init(&limits);
        limits.of[limit] = value;
        quota_init(&q, &limits, "file");
        return q;
}

static struct quota_user *add(struct quota *q, uid_t uid)
{
        enum limit limit;
        struct quota_user *u = quota_add_link(q, uid, 0, &limit);

        ck_assert_ptr_nonnull(u);
        ck_assert_int_eq(limit, LIMIT_NONE);
        return u;
}

/* Takes entities one by one until no more are granted; returns how many were. */
static uint64_t take_all(struct quota_user *u)
{
        uint64_t n = 0;

        while (quota_check(u, QUOTA_ENTITIES, 0, 1, 1) == LIMIT_NONE) {
                quota_take(u, QUOTA_ENTITIES, 1);
                n++;
        }
        return n;
}

START_TEST(test_a_user_alone_may_take_half)
{
        struct quota q = quota_with(LIMIT_ENTITIES, 1000);
        struct quota_user *u = add(&q, 7);

        ck_assert_uint_eq(take_all(u), 500);
        ck_assert_int_eq(quota_check(u, QUOTA_ENTITIES, 0, 1, 1), LIMIT_ENTITIES);
        quota_give_back(u, QUOTA_ENTITIES, 500);
        quota_remove_link(u);
        quota_deinit(&q);
}
END_TEST

/* The promise of quota.h: more than T / 4(n + 1) for whoever comes last, never more than T for all. */
START_TEST(test_whoever_comes_last_still_gets_a_share)
{
        enum { USERS = 20, TOTAL = 100000 };

        for (unsigned n = 1; n <= USERS; n++) {
                struct quota q = quota_with(LIMIT_ENTITIES, TOTAL);
                struct quota_user *users[USERS];

                for (unsigned i = 0; i < n; i++)
                        users[i] = add(&q, i);
                for (unsigned i = 0; i < n; i++)
                        ck_assert_uint_gt(take_all(users[i]), TOTAL / (4 * (n + 1)));
                ck_assert_uint_le(q.use[QUOTA_ENTITIES], TOTAL);
                for (unsigned i = 0; i < n; i++) {
                        quota_give_back(users[i], QUOTA_ENTITIES, users[i]->use[QUOTA_ENTITIES]);
                        quota_remove_link(users[i]);
                }
                ck_assert_uint_eq(q.use[QUOTA_ENTITIES], 0);
                quota_deinit(&q);
        }
}
END_TEST

START_TEST(test_users_who_all_want_everything_come_to_rest_at_equal_shares)
{
        enum { USERS = 4, TOTAL = 8000 };
        struct quota q = quota_with(LIMIT_ENTITIES, TOTAL);
        struct random random = seeded("quota");
        struct quota_user *users[USERS];

        for (unsigned i = 0; i < USERS; i++)
                users[i] = add(&q, i);
        /* What is in use ends some time, and is taken again by whoever may. */
        for (unsigned round = 0; round < 400000; round++) {
                struct quota_user *u = users[random_below(&random, USERS)];

                if (random_below(&random, 8) == 0) {
                        if (u->use[QUOTA_ENTITIES] > 0)
                                quota_give_back(u, QUOTA_ENTITIES, 1);
                } else if (quota_check(u, QUOTA_ENTITIES, 0, 1, 1) == LIMIT_NONE) {
                        quota_take(u, QUOTA_ENTITIES, 1);
                }
                ck_assert_uint_le(q.use[QUOTA_ENTITIES], TOTAL);
        }
        for (unsigned i = 0; i < USERS; i++) {
                ck_assert_uint_ge(users[i]->use[QUOTA_ENTITIES], TOTAL / (2 * USERS) * 95 / 100);
                ck_assert_uint_le(users[i]->use[QUOTA_ENTITIES], TOTAL / (2 * USERS) * 105 / 100);
                quota_give_back(users[i], QUOTA_ENTITIES, users[i]->use[QUOTA_ENTITIES]);
                quota_remove_link(users[i]);
        }
        quota_deinit(&q);
}
END_TEST

START_TEST(test_a_quarter_is_for_everybody_without_question)
{
        struct quota q = quota_with(LIMIT_TICKETS, 1000);
        struct quota_user *u[10];

        for (unsigned i = 0; i < 10; i++)
                u[i] = add(&q, i);
        ck_assert_int_eq(quota_check(u[0], QUOTA_TICKETS, 0, 250, 1), LIMIT_NONE);
        ck_assert_int_eq(quota_check(u[0], QUOTA_TICKETS, 0, 251, 1), LIMIT_TICKETS);
        quota_take(u[0], QUOTA_TICKETS, 250);
        /* Its share would be 1000 / 11. */
        ck_assert_int_eq(quota_check(u[0], QUOTA_TICKETS, 250, 1, 1), LIMIT_TICKETS);
        ck_assert_int_eq(quota_check(u[1], QUOTA_TICKETS, 0, 750 / 11, 1), LIMIT_NONE);
        ck_assert_int_eq(quota_check(u[1], QUOTA_TICKETS, 0, 750 / 11 + 1, 1), LIMIT_TICKETS);
        quota_give_back(u[0], QUOTA_TICKETS, 250);
        for (unsigned i = 0; i < 10; i++)
                quota_remove_link(u[i]);
        quota_deinit(&q);
}
END_TEST

START_TEST(test_a_link_and_a_user_have_limits_of_their_own)
{
        struct quota q = quota_with(LIMIT_ENTITIES_PER_LINK, 10);
        struct quota_user *u = add(&q, 7);

        q.limits.of[LIMIT_ENTITIES_PER_USER] = 15;
        ck_assert_int_eq(quota_check(u, QUOTA_ENTITIES, 9, 1, 1), LIMIT_NONE);
        ck_assert_int_eq(quota_check(u, QUOTA_ENTITIES, 10, 1, 1), LIMIT_ENTITIES_PER_LINK);
        ck_assert_int_eq(quota_check(u, QUOTA_ENTITIES, 10, 1, 2), LIMIT_NONE);
        quota_take(u, QUOTA_ENTITIES, 15);
        ck_assert_int_eq(quota_check(u, QUOTA_ENTITIES, 5, 1, 1), LIMIT_ENTITIES_PER_USER);
        quota_give_back(u, QUOTA_ENTITIES, 15);
        quota_remove_link(u);
        quota_deinit(&q);
}
END_TEST

START_TEST(test_links_are_counted_by_user_and_refused_beyond_the_limit)
{
        struct quota q = quota_with(LIMIT_LINKS_PER_USER, 3);
        struct quota_user *u = add(&q, 7);
        enum limit limit;

        ck_assert_ptr_eq(add(&q, 7), u);
        ck_assert_ptr_eq(add(&q, 7), u);
        ck_assert_ptr_null(quota_add_link(&q, 7, 0, &limit));
        ck_assert_int_eq(limit, LIMIT_LINKS_PER_USER);
        /* In the same place of the table. */
        ck_assert_ptr_ne(add(&q, 7 + QUOTA_USERS_HASH), u);
        ck_assert_uint_eq(q.n_users, 2);
        quota_remove_link(u);
        ck_assert_ptr_eq(add(&q, 7), u);
        for (unsigned i = 0; i < 3; i++)
                quota_remove_link(u);
        ck_assert_uint_eq(q.n_users, 1);
        quota_remove_link(add(&q, 7 + QUOTA_USERS_HASH));
        ck_assert_uint_eq(q.use[QUOTA_LINKS], 1);
        quota_remove_link(q.users[7]->uid == 7 ? q.users[7]->next : q.users[7]);
        ck_assert_uint_eq(q.n_users, 0);
        quota_deinit(&q);
}
END_TEST

START_TEST(test_one_user_cannot_take_all_links)
{
        struct quota q = quota_with(LIMIT_LINKS, 100);
        enum limit limit;
        unsigned n[2] = { 0 };

        for (unsigned i = 0; i < 2; i++)
                while (quota_add_link(&q, i, 0, &limit))
                        n[i]++;
        ck_assert_int_eq(limit, LIMIT_LINKS);
        ck_assert_uint_eq(n[0], 50);
        ck_assert_uint_eq(n[1], 16);
        for (unsigned i = 0; i < 2; i++)
                while (n[i]-- > 0)
                        quota_remove_link(q.users[i]);
        quota_deinit(&q);
}
END_TEST

START_TEST(test_what_waits_is_shared_by_the_links_of_a_user)
{
        struct quota q = quota_with(LIMIT_BYTES, 1000000);
        struct quota_user *u = add(&q, 7), *other = add(&q, 8);

        quota_take(other, QUOTA_BYTES, 400000);
        other->n_backlogs = 1;
        quota_take(u, QUOTA_BYTES, 50000);
        u->n_backlogs = 2;
        /* S = 600000 / 3; of it the other link has 40000, and there are two of them. */
        ck_assert_int_eq(quota_check(u, QUOTA_BYTES, 10000, 160000 / 3 - 10000, 1), LIMIT_NONE);
        ck_assert_int_eq(quota_check(u, QUOTA_BYTES, 10000, 160000 / 3 - 9999, 1), LIMIT_BYTES);
        ck_assert_int_eq(quota_check(u, QUOTA_BYTES, 10000, 2 * (160000 / 3) - 10000, 2),
                         LIMIT_NONE);
        /* More than its share is what it took before others came. */
        ck_assert_int_eq(quota_check(other, QUOTA_BYTES, 400000, 1, 1), LIMIT_BYTES);
        quota_give_back(other, QUOTA_BYTES, 400000);
        quota_give_back(u, QUOTA_BYTES, 50000);
        u->n_backlogs = other->n_backlogs = 0;
        quota_remove_link(u);
        quota_remove_link(other);
        quota_deinit(&q);
}
END_TEST

START_TEST(test_more_than_everything_in_use_leaves_no_share)
{
        struct quota q = quota_with(LIMIT_BYTES, 1000000);
        struct quota_user *u = add(&q, 7), *other = add(&q, 8);

        /* One message of each link may be beyond the total. */
        quota_take(other, QUOTA_BYTES, 1000001);
        ck_assert_int_eq(quota_check(u, QUOTA_BYTES, 0, 1, 1), LIMIT_BYTES);
        ck_assert_int_eq(quota_check(u, QUOTA_BYTES, 0, 1, 2), LIMIT_BYTES);
        quota_give_back(other, QUOTA_BYTES, 1000001);
        quota_remove_link(u);
        quota_remove_link(other);
        quota_deinit(&q);
}
END_TEST

START_TEST(test_a_rate_may_be_passed_by_the_burst_and_costs_time_beyond)
{
        struct bucket b = { 0 };
        uint64_t now = 100 * SECOND;

        ck_assert_uint_le(bucket_spend(&b, 10, 5, 5, now), now);
        ck_assert_uint_eq(bucket_spend(&b, 10, 5, 1, now), now + SECOND / 10);
        ck_assert_uint_eq(bucket_spend(&b, 10, 5, 9, now), now + SECOND);
        /* After that second one more is there each tenth. */
        ck_assert_uint_eq(bucket_spend(&b, 10, 5, 0, now + SECOND), now + SECOND);
        ck_assert_uint_eq(bucket_spend(&b, 10, 5, 1, now + SECOND), now + SECOND + SECOND / 10);
        /* A long rest fills the bucket, and no more. */
        now += 1000 * SECOND;
        ck_assert_uint_le(bucket_spend(&b, 10, 5, 5, now), now);
        ck_assert_uint_gt(bucket_spend(&b, 10, 5, 1, now), now);
}
END_TEST

START_TEST(test_what_is_left_of_a_rate_can_be_taken_without_a_pause)
{
        struct bucket b = { 0 };
        uint64_t now = 100 * SECOND;

        ck_assert_uint_eq(bucket_left(&b, 10, 5, now), 5);
        for (uint64_t i = 1; i < 5; i++) {
                ck_assert_uint_le(bucket_spend(&b, 10, 5, 1, now), now);
                ck_assert_uint_eq(bucket_left(&b, 10, 5, now), 5 - i);
        }
        /* One at least: that it is one too many shows when it is spent. */
        bucket_spend(&b, 10, 5, 1, now);
        ck_assert_uint_eq(bucket_left(&b, 10, 5, now), 1);
        bucket_spend(&b, 10, 5, 5, now);
        ck_assert_uint_eq(bucket_left(&b, 10, 5, now), 1);
        ck_assert_uint_eq(bucket_left(&b, 10, 5, now + SECOND * 7 / 10), 2);
        ck_assert_uint_eq(bucket_left(&b, 10, 5, now + 2 * SECOND), 5);
        ck_assert_uint_eq(bucket_left(&b, LIMIT_VALUE_MAX, LIMIT_VALUE_MAX, now + 2 * SECOND),
                          LIMIT_VALUE_MAX);
        ck_assert(bucket_left(&b, LIMIT_OFF, LIMIT_OFF, now) == UINT64_MAX);
}
END_TEST

START_TEST(test_a_rate_is_kept_over_a_long_time)
{
        struct bucket b = { 0 };
        uint64_t now = 0, n = 0;

        while (now < 100 * SECOND) {
                uint64_t until = bucket_spend(&b, 1000, 50, 7, now);

                n += 7;
                now = until > now ? until : now + 1;
        }
        ck_assert_uint_ge(n, 100000);
        ck_assert_uint_le(n, 100000 + 50 + 7);
}
END_TEST

START_TEST(test_a_user_that_owes_is_remembered_without_a_link)
{
        struct quota q = quota_with(LIMIT_LINKS, 100);
        struct quota_user *u = add(&q, 7);
        enum limit limit;

        bucket_spend(&u->commands, 1, 1, 10, 0);
        quota_remove_link(u);
        ck_assert_uint_eq(q.n_users, 0);
        /* Somebody else of the same place comes while it owes, and after. */
        quota_remove_link(quota_add_link(&q, 7 + QUOTA_USERS_HASH, 9 * SECOND, &limit));
        ck_assert_ptr_eq(quota_add_link(&q, 7, 9 * SECOND, &limit), u);
        ck_assert_uint_eq(u->commands.paid_at, 10 * SECOND);
        ck_assert_uint_eq(q.n_users, 1);
        quota_remove_link(u);
        quota_remove_link(quota_add_link(&q, 7 + 2 * QUOTA_USERS_HASH, 10 * SECOND, &limit));
        for (const struct quota_user *other = q.users[7]; other; other = other->next)
                ck_assert_uint_ne(other->uid, 7);
        quota_deinit(&q);
}
END_TEST

START_TEST(test_the_most_of_everything_overflows_nothing)
{
        struct quota q = quota_with(LIMIT_NONE, 0);
        struct quota_user *u;

        for (unsigned i = 1; i < LIMIT_MAX; i++)
                if (q.limits.of[i] != LIMIT_OFF)
                        q.limits.of[i] = LIMIT_VALUE_MAX;
        u = add(&q, 7);
        for (unsigned kind = 0; kind < QUOTA_MAX; kind++) {
                ck_assert_int_eq(quota_check(u, kind, 0, LIMIT_VALUE_MAX / 4 - 1, 1), LIMIT_NONE);
                /* Of watches a link may have that many, whatever others have. */
                if (q.limits.of[limit_of(kind, SCOPE_TOTAL)] != LIMIT_OFF)
                        ck_assert_int_ne(quota_check(u, kind, 0, LIMIT_VALUE_MAX, 1), LIMIT_NONE);
        }
        ck_assert_uint_gt(bucket_spend(&u->sends, LIMIT_VALUE_MAX, LIMIT_VALUE_MAX, 1, 1) + 1, 0);
        quota_remove_link(u);
        quota_deinit(&q);
}
END_TEST

START_TEST(test_what_went_wrong_is_counted_by_its_cause)
{
        struct quota q = quota_with(LIMIT_NONE, 0);

        log_set_held(true);
        for (unsigned i = 0; i < 3; i++)
                quota_count(&q, DROP_BUS_LOST, 1000, "bus %s: lost", "main");
        quota_count(&q, DROP_MALFORMED, 1000, "malformed");
        log_set_held(false);
        for (unsigned cause = 0; cause < DROP_MAX; cause++)
                ck_assert_uint_eq(q.drops[cause], cause == DROP_BUS_LOST    ? 3
                                                  : cause == DROP_MALFORMED ? 1
                                                                            : 0);
        ck_assert_uint_eq(q.drop_logs[DROP_BUS_LOST].n_suppressed, 2);
        ck_assert_uint_eq(q.drop_logs[DROP_MALFORMED].n_suppressed, 0);
        quota_deinit(&q);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_user_alone_may_take_half,
                test_whoever_comes_last_still_gets_a_share,
                test_users_who_all_want_everything_come_to_rest_at_equal_shares,
                test_a_quarter_is_for_everybody_without_question,
                test_a_link_and_a_user_have_limits_of_their_own,
                test_links_are_counted_by_user_and_refused_beyond_the_limit,
                test_one_user_cannot_take_all_links,
                test_what_waits_is_shared_by_the_links_of_a_user,
                test_more_than_everything_in_use_leaves_no_share,
                test_a_rate_may_be_passed_by_the_burst_and_costs_time_beyond,
                test_what_is_left_of_a_rate_can_be_taken_without_a_pause,
                test_a_rate_is_kept_over_a_long_time,
                test_a_user_that_owes_is_remembered_without_a_link,
                test_the_most_of_everything_overflows_nothing,
                test_what_went_wrong_is_counted_by_its_cause,
        };

        return run_tests("broker-quota", tests, N(tests));
}
