/*
 * test-pending.c - rings of pending acknowledgements.
 */
#include <broker/sessions/pending.h>
#include <core/limits.h>
#include <mbus.h>

#include "run.h"

/* Somebody who is waited for; nobody looks into it. */
static struct local_entity *const target = (struct local_entity *)&(int){ 0 };

static void enter(struct ack_ring *ring, uint64_t key, uint32_t seq)
{
        ck_assert_int_eq(ack_ring_reserve(ring), 0);
        ack_ring_push(ring, &(struct pending_ack){ .key = key, .seq = seq, .target = target });
}

static void end(struct ack_ring *ring, uint64_t key)
{
        struct pending_ack *ack = ack_ring_find(ring, key);

        ck_assert_ptr_nonnull(ack);
        ack->target = NULL;
        ack_ring_trim(ring);
}

START_TEST(test_each_is_found_by_its_key_until_it_is_finished)
{
        struct ack_ring ring = { 0 };

        for (uint64_t key = 10; key < 100; key += 2)
                enter(&ring, key, (uint32_t)key);
        for (uint64_t key = 10; key < 100; key++)
                ck_assert(!ack_ring_find(&ring, key) == (key % 2 == 1));
        ck_assert_ptr_null(ack_ring_find(&ring, 8));
        ck_assert_ptr_null(ack_ring_find(&ring, 100));
        end(&ring, 50);
        ck_assert_ptr_null(ack_ring_find(&ring, 50));
        ck_assert_uint_eq(ack_ring_find(&ring, 52)->seq, 52);
        ack_ring_deinit(&ring);
}
END_TEST

/* The ring goes round many times, and grows while its first stands behind its last. */
START_TEST(test_a_ring_that_goes_round_and_grows_keeps_all)
{
        struct ack_ring ring = { 0 };
        uint64_t first = 1, last = 0;

        for (unsigned round = 0; round < 200; round++) {
                for (unsigned i = 0; i < 1 + round % 7; i++) {
                        last++;
                        enter(&ring, last, (uint32_t)last);
                }
                for (unsigned i = 0; i < round % 6 && first < last; i++)
                        end(&ring, first++);
                for (uint64_t key = first; key <= last; key++)
                        ck_assert_uint_eq(ack_ring_find(&ring, key)->key, key);
        }
        ack_ring_deinit(&ring);
}
END_TEST

START_TEST(test_what_is_finished_in_the_middle_goes_with_those_before_it)
{
        struct ack_ring ring = { 0 };

        for (uint64_t key = 1; key <= 4; key++)
                enter(&ring, key, (uint32_t)key);
        end(&ring, 2);
        end(&ring, 3);
        ck_assert_uint_eq(ring.tail - ring.head, 4);
        end(&ring, 1);
        ck_assert_uint_eq(ring.tail - ring.head, 1);
        end(&ring, 4);
        ck_assert(ack_ring_is_empty(&ring));
        ack_ring_deinit(&ring);
}
END_TEST

START_TEST(test_memory_for_a_burst_is_given_back_when_it_is_over)
{
        struct ack_ring ring = { 0 };

        for (uint64_t key = 1; key <= 1000; key++)
                enter(&ring, key, (uint32_t)key);
        for (uint64_t key = 1; key <= 1000; key++)
                end(&ring, key);
        ck_assert_ptr_null(ring.slots);
        enter(&ring, 1001, 0);
        end(&ring, 1001);
        ck_assert_ptr_nonnull(ring.slots);
        ack_ring_deinit(&ring);
}
END_TEST

START_TEST(test_one_entity_may_wait_for_so_many_and_no_more)
{
        struct ack_ring ring = { 0 };
        uint64_t key = 0;
        int r;

        while ((r = ack_ring_reserve(&ring)) == 0)
                enter(&ring, ++key, 0);
        ck_assert_int_eq(r, MBUS_E_FULL);
        ck_assert_uint_le(key, RELIABLE_OUTSTANDING_MAX);
        ck_assert_uint_gt(2 * key, RELIABLE_OUTSTANDING_MAX);
        end(&ring, 1);
        ck_assert_int_eq(ack_ring_reserve(&ring), 0);
        ack_ring_deinit(&ring);
}
END_TEST

START_TEST(test_where_seqnums_are_in_no_order_they_are_found_all_the_same)
{
        static const uint32_t seqs[] = { 7, UINT32_MAX, 0, 3, 7 };
        struct ack_ring ring = { 0 };

        for (uint64_t i = 0; i < N(seqs); i++)
                enter(&ring, i, seqs[i]);
        ck_assert_uint_eq(ack_ring_find_seq(&ring, 3)->key, 3);
        ck_assert_uint_eq(ack_ring_find_seq(&ring, 7)->key, 0);
        end(&ring, 0);
        ck_assert_uint_eq(ack_ring_find_seq(&ring, 7)->key, 4);
        ck_assert_ptr_null(ack_ring_find_seq(&ring, 5));
        ack_ring_deinit(&ring);
}
END_TEST

START_TEST(test_an_address_is_there_as_long_as_somebody_refers_to_it)
{
        struct remote_address *a = remote_address_new(span_of("(app:x)")), *b;

        ck_assert_ptr_nonnull(a);
        b = remote_address_ref(a);
        ck_assert_ptr_null(remote_address_unref(a));
        ck_assert_uint_eq(b->n, 7);
        ck_assert_mem_eq(b->text, "(app:x)", 7);
        ck_assert_ptr_null(remote_address_unref(b));
        ck_assert_ptr_null(remote_address_unref(NULL));
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_each_is_found_by_its_key_until_it_is_finished,
                test_a_ring_that_goes_round_and_grows_keeps_all,
                test_what_is_finished_in_the_middle_goes_with_those_before_it,
                test_memory_for_a_burst_is_given_back_when_it_is_over,
                test_one_entity_may_wait_for_so_many_and_no_more,
                test_where_seqnums_are_in_no_order_they_are_found_all_the_same,
                test_an_address_is_there_as_long_as_somebody_refers_to_it,
        };

        return run_tests("sessions-pending", tests, N(tests));
}
