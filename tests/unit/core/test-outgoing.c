/*
 * test-outgoing.c - datagrams that wait for the socket come out as they went in, within a limit.
 */
#include "core/outgoing.h"

#include "core/limits.h"
#include "core/error.h"
#include "run.h"
#include "seed.h"

#define QUEUE_MAX 4096

/* A datagram whose octets follow from its number. */
struct expected {
        uint32_t number;
        size_t n;
};

struct queue {
        struct expected items[QUEUE_MAX];
        size_t first;
        size_t n;
};

static char octet(uint32_t number, size_t i)
{
        return (char)(number * 31 + i * 7 + (i >> 8));
}

static struct endpoint endpoint_of(uint32_t number)
{
        struct endpoint to = { .n = 4, .unique = number & 1 };

        memcpy(to.bytes, &number, sizeof(number));
        return number % 3 ? to : ENDPOINT_GROUP;
}

static int push(struct outgoing *out, uint32_t number, size_t n)
{
        struct endpoint to = endpoint_of(number);
        char *text = malloc(n + 1);
        int r;

        ck_assert_ptr_nonnull(text);
        for (size_t i = 0; i < n; ++i)
                text[i] = octet(number, i);
        r = outgoing_push(out, (struct span){ text, n }, &to);
        free(text);
        return r;
}

static void check_datagram(const struct datagram *dg, const struct expected *expected)
{
        struct endpoint to = endpoint_of(expected->number);

        ck_assert_uint_eq(dg->bytes.n, expected->n);
        ck_assert_uint_eq(dg->to->n, to.n);
        ck_assert_int_eq(dg->to->unique, to.unique);
        ck_assert_mem_eq(dg->to->bytes, to.bytes, sizeof(to.bytes));
        for (size_t i = 0; i < expected->n; ++i) {
                if (dg->bytes.at[i] != octet(expected->number, i))
                        ck_abort_msg("datagram %u differs at %zu", expected->number, i);
        }
}

/* The first @most of them. */
static void check_all(const struct outgoing *out, const struct queue *q, size_t most)
{
        struct datagram dg;
        size_t cursor = 0, i = 0;

        ck_assert_uint_eq(out->n, q->n);
        while (i < most && outgoing_peek(out, &cursor, &dg)) {
                ck_assert_uint_lt(i, q->n);
                check_datagram(&dg, q->items + (q->first + i) % QUEUE_MAX);
                ++i;
        }
        ck_assert_uint_eq(i, most < q->n ? most : q->n);
}

START_TEST(test_empty_queue_has_nothing_to_show)
{
        struct outgoing out = OUTGOING_INIT;
        struct datagram dg;
        size_t cursor = 0;

        ck_assert(!outgoing_peek(&out, &cursor, &dg));
        outgoing_pop(&out, 0);
        outgoing_deinit(&out);
        outgoing_deinit(&out);
}
END_TEST

START_TEST(test_datagrams_come_out_in_order)
{
        struct outgoing out = OUTGOING_INIT;
        struct queue q = { .n = 0 };

        for (uint32_t i = 0; i < 100; ++i) {
                ck_assert_int_eq(push(&out, i, i), 0);
                q.items[q.n++] = (struct expected){ i, i };
        }
        check_all(&out, &q, SIZE_MAX);
        check_all(&out, &q, SIZE_MAX);
        outgoing_pop(&out, 60);
        q.first = 60;
        q.n = 40;
        check_all(&out, &q, SIZE_MAX);
        outgoing_pop(&out, 40);
        ck_assert_uint_eq(out.n, 0);
        ck_assert_uint_eq(out.used, 0);
        outgoing_deinit(&out);
}
END_TEST

START_TEST(test_queue_is_full_at_its_limit_and_usable_again_below_it)
{
        struct outgoing out = OUTGOING_INIT;
        struct queue q = { .n = 0 };
        uint32_t number = 0;

        for (unsigned round = 0; round < 3; ++round) {
                while (push(&out, number, 60000) == 0) {
                        q.items[(q.first + q.n++) % QUEUE_MAX] =
                                (struct expected){ number++, 60000 };
                        ck_assert_uint_lt(q.n, 200);
                }
                ck_assert_int_eq(push(&out, number, 60000), MBUS_E_FULL);
                ck_assert_uint_gt(q.n * 60000, OUTGOING_BYTES_MAX - 70000);
                ck_assert_uint_le(out.used, OUTGOING_BYTES_MAX);
                ck_assert_uint_le(out.size, 2 * OUTGOING_BYTES_MAX);
                check_all(&out, &q, SIZE_MAX);
                outgoing_pop(&out, 50);
                q.first += 50;
                q.n -= 50;
        }
        outgoing_deinit(&out);
}
END_TEST

START_TEST(test_steady_traffic_needs_no_more_memory)
{
        struct outgoing out = OUTGOING_INIT;

        for (uint32_t i = 0; i < 100000; ++i) {
                ck_assert_int_eq(push(&out, i, 200 + i % 7), 0);
                if (i >= 20)
                        outgoing_pop(&out, 1);
        }
        ck_assert_uint_le(out.size, 16384);
        outgoing_deinit(&out);
}
END_TEST

static size_t random_size(struct random *r)
{
        uint64_t dice = random_below(r, 200);

        if (dice == 0)
                return DATAGRAM_MAX;
        if (dice < 5)
                return (size_t)random_below(r, 20000);
        return (size_t)random_below(r, 1500);
}

START_TEST(test_ring_agrees_with_a_plain_queue)
{
        struct random r = seeded("outgoing");
        static struct queue q;
        struct outgoing out = OUTGOING_INIT;
        uint32_t number = 0;
        size_t wraps = 0;

        for (unsigned round = 0; round < 3000; ++round) {
                /* It swells and ebbs. */
                size_t pushes = (size_t)random_below(&r, round / 500 % 2 ? 4 : 9);
                size_t pops;

                while (pushes-- > 0 && q.n < QUEUE_MAX) {
                        size_t n = random_size(&r);

                        ck_assert_int_eq(push(&out, number, n), 0);
                        q.items[(q.first + q.n++) % QUEUE_MAX] = (struct expected){ number++, n };
                }
                wraps += out.wrap != 0;
                check_all(&out, &q, round % 50 ? 5 : SIZE_MAX);
                pops = (size_t)random_below(&r, round / 500 % 2 ? 9 : 6);
                if (pops > q.n || round % 997 == 0)
                        pops = q.n;
                outgoing_pop(&out, pops);
                q.first = (q.first + pops) % QUEUE_MAX;
                q.n -= pops;
        }
        ck_assert_uint_gt(wraps, 100);
        check_all(&out, &q, SIZE_MAX);
        outgoing_deinit(&out);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_empty_queue_has_nothing_to_show,
                test_datagrams_come_out_in_order,
                test_queue_is_full_at_its_limit_and_usable_again_below_it,
                test_steady_traffic_needs_no_more_memory,
                test_ring_agrees_with_a_plain_queue,
        };

        return run_tests("outgoing", tests, N(tests));
}
