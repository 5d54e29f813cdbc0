/*
 * test-acks.c - acknowledgements owed, withheld and repeated (RFC 3259, section 7, "Receiver").
 */
#include "core/acks.h"

#include "core/error.h"
#include "run.h"

#define MS NSEC_PER_MSEC
#define T_K (600 * MS)

static struct acks *new_acks(void)
{
        struct acks *acks = acks_new(NULL, NULL);

        ck_assert_ptr_nonnull(acks);
        return acks;
}

static void owe(struct acks *acks, uint32_t first, uint32_t n)
{
        for (uint32_t i = 0; i < n; ++i)
                ck_assert(acks_owe(acks, first + i));
}

/* All that is owed, in one list if it is not too long for that. */
static void send_all(struct acks *acks, uint64_t now)
{
        while (acks->n_owed)
                acks_sent(acks, now, acks_batch(acks));
}

static bool owes(const struct acks *acks, uint32_t seq)
{
        for (size_t i = 0; i < acks->n_owed; ++i) {
                if (acks->owed[i] == seq)
                        return true;
        }
        return false;
}

/* REL-10 */
START_TEST(test_owed_numbers_are_gathered_in_order_and_once)
{
        struct acks *acks = new_acks();

        owe(acks, 7, 1);
        owe(acks, 3, 1);
        owe(acks, 7, 1);
        owe(acks, UINT32_MAX, 2);
        ck_assert_uint_eq(acks->n_owed, 4);
        ck_assert(acks->owed[0] == 7 && acks->owed[1] == 3);
        ck_assert(acks->owed[2] == UINT32_MAX && acks->owed[3] == 0);
        ck_assert_uint_eq(acks_batch(acks), 4);
        acks_sent(acks, 0, 4);
        ck_assert_uint_eq(acks->n_owed, 0);
        ck_assert_ptr_null(acks_free(acks));
        ck_assert_ptr_null(acks_free(NULL));
}
END_TEST

/* REL-09 REL-10: what one message cannot carry goes with the next ones, at once. */
START_TEST(test_long_lists_go_in_several_messages)
{
        struct acks *acks = new_acks();
        uint32_t next = 0;

        owe(acks, 0, ACKS_MAX);
        ck_assert(!acks_owe(acks, ACKS_MAX));
        ck_assert(acks_owe(acks, 5));
        while (acks->n_owed) {
                size_t n = acks_batch(acks);

                ck_assert(n > 0 && n <= ACKS_SENT_MAX);
                for (size_t i = 0; i < n; ++i)
                        ck_assert_uint_eq(acks->owed[i], next++);
                acks_sent(acks, 0, n);
        }
        ck_assert_uint_eq(next, ACKS_MAX);
        acks_free(acks);
}
END_TEST

/* REL-11 */
START_TEST(test_repetition_brings_the_whole_list_again_for_T_k)
{
        struct acks *acks = new_acks();

        owe(acks, 10, 3);
        send_all(acks, 1000 * MS);
        owe(acks, 20, 2);
        send_all(acks, 1050 * MS);
        acks_repeat(acks, 1000 * MS + T_K - 1, 11);
        ck_assert_uint_eq(acks->n_owed, 3);
        ck_assert(owes(acks, 10) && owes(acks, 11) && owes(acks, 12));
        acks_repeat(acks, 1000 * MS + T_K - 1, 12);
        ck_assert_uint_eq(acks->n_owed, 3);
        acks_free(acks);
}
END_TEST

/* REL-11: and so each list lasts from when it was sent last. */
START_TEST(test_list_that_was_sent_again_is_kept_again)
{
        struct acks *acks = new_acks();

        owe(acks, 10, 2);
        send_all(acks, 0);
        acks_repeat(acks, 500 * MS, 10);
        send_all(acks, 500 * MS);
        acks_repeat(acks, 1000 * MS, 10);
        ck_assert_uint_eq(acks->n_owed, 2);
        acks_free(acks);
}
END_TEST

/* REL-03: old programs repeat themselves for five seconds, longer than T_k. */
START_TEST(test_repetition_after_T_k_is_acknowledged_alone)
{
        struct acks *acks = new_acks();

        owe(acks, 10, 3);
        send_all(acks, 0);
        acks_repeat(acks, T_K, 11);
        ck_assert_uint_eq(acks->n_owed, 1);
        ck_assert(owes(acks, 11));
        send_all(acks, T_K);
        acks_repeat(acks, T_K, 4711);
        ck_assert_uint_eq(acks->n_owed, 1);
        ck_assert(owes(acks, 4711));
        acks_free(acks);
}
END_TEST

START_TEST(test_copies_are_bounded)
{
        struct acks *acks = new_acks();
        size_t bytes;

        for (uint32_t seq = 0; seq < ACK_COPIES_MAX; ++seq) {
                owe(acks, seq, 1);
                send_all(acks, 0);
        }
        ck_assert_uint_eq(acks->n_copies, ACK_COPIES_MAX);
        bytes = acks_bytes(acks);
        for (uint32_t seq = 0; seq < 10000; ++seq) {
                owe(acks, seq, 1);
                send_all(acks, 1);
        }
        ck_assert_uint_eq(acks->n_copies, ACK_COPIES_MAX);
        ck_assert_uint_eq(acks_bytes(acks), bytes);
        acks_free(acks);
}
END_TEST

START_TEST(test_withheld_number_is_owed_when_it_is_released)
{
        struct acks *acks = new_acks();

        ck_assert_int_eq(acks_withhold(acks, 1), 0);
        ck_assert_int_eq(acks_withhold(acks, 2), 0);
        ck_assert_int_eq(acks_withhold(acks, 3), 0);
        ck_assert_uint_eq(acks->n_owed, 0);
        /* Nobody learns of it before, though it comes again. */
        acks_repeat(acks, 0, 2);
        ck_assert_uint_eq(acks->n_owed, 0);
        ck_assert(acks_release(acks, 2));
        ck_assert(!acks_release(acks, 2));
        ck_assert(!acks_release(acks, 4));
        acks_repeat(acks, 0, 2);
        ck_assert(owes(acks, 2));
        ck_assert(acks_release(acks, 1));
        ck_assert(acks_release(acks, 3));
        ck_assert_uint_eq(acks->n_withheld, 0);
        acks_free(acks);
}
END_TEST

START_TEST(test_withheld_numbers_are_bounded)
{
        struct acks *acks = new_acks();

        for (uint32_t seq = 0; seq < WITHHELD_MAX; ++seq)
                ck_assert_int_eq(acks_withhold(acks, seq), 0);
        ck_assert_int_eq(acks_withhold(acks, WITHHELD_MAX), MBUS_E_FULL);
        ck_assert(acks_release(acks, 500));
        ck_assert_int_eq(acks_withhold(acks, WITHHELD_MAX), 0);
        ck_assert_int_eq(acks_withhold(acks, WITHHELD_MAX + 1), MBUS_E_FULL);
        acks_free(acks);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_owed_numbers_are_gathered_in_order_and_once,
                test_long_lists_go_in_several_messages,
                test_repetition_brings_the_whole_list_again_for_T_k,
                test_list_that_was_sent_again_is_kept_again,
                test_repetition_after_T_k_is_acknowledged_alone,
                test_copies_are_bounded,
                test_withheld_number_is_owed_when_it_is_released,
                test_withheld_numbers_are_bounded,
        };

        return run_tests("acks", tests, N(tests));
}
