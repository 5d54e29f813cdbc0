/*
 * test-retransmitter.c - the books of reliable messages: line, flight, timers (RFC 3259, section 7,
 * "Sender").
 */
#include "core/retransmitter.h"

#include "core/error.h"
#include "core/limits.h"
#include "run.h"
#include "seed.h"

#define MS NSEC_PER_MSEC

static struct entity *entity(size_t n)
{
        static char entities[64 * 64];

        return (struct entity *)(void *)(entities + 64 * n);
}

static struct retransmitter rfc_sender(size_t window)
{
        struct retransmitter s;

        retransmitter_init(&s, RELIABLE_T_R_MS * MS, RELIABLE_N_R, window, RELIABLE_BYTES_MAX);
        return s;
}

static struct delivery *add(struct retransmitter *s, struct send_queue *queue, uint64_t ticket)
{
        struct delivery *r = NULL;

        ck_assert_int_eq(retransmitter_add(s, queue, entity(0), ticket, span_of("payload"), &r), 0);
        return r;
}

static void launch(struct retransmitter *s, struct delivery *r, uint64_t now, uint32_t seq)
{
        ck_assert_int_eq(retransmitter_launch(s, r, now, seq, span_of("the whole datagram")), 0);
}

static void check_empty(struct retransmitter *s)
{
        ck_assert_uint_eq(s->n, 0);
        ck_assert_uint_eq(s->n_in_flight, 0);
        ck_assert_uint_eq(s->bytes, 0);
        ck_assert_uint_eq(deadlines_next(&s->deadlines), TIME_NEVER);
        retransmitter_deinit(s);
}

/* When @r is sent after its first time at 0, up to a 0; the last is when it has failed. */
static void check_schedule(struct retransmitter *s, struct send_queue *queue, const uint64_t *times)
{
        struct delivery *r = add(s, queue, 1);

        launch(s, r, 0, 5);
        for (; *times; ++times) {
                ck_assert_uint_eq(deadlines_next(&s->deadlines), *times * MS);
                ck_assert_ptr_null(retransmitter_due(s, *times * MS - 1));
                ck_assert_ptr_eq(retransmitter_due(s, *times * MS), r);
                ck_assert_int_eq(retransmitter_is_lost(s, r), times[1] == 0);
                ck_assert_uint_eq(r->seq, 5);
                ck_assert(span_equal_text(buffer_span(&r->bytes), "the whole datagram"));
                if (times[1])
                        retransmitter_repeated(s, r, *times * MS);
        }
        ck_assert_ptr_eq(retransmitter_find(s, entity(0), 5), r);
        retransmitter_remove(s, r);
        check_empty(s);
}

/* REL-05 MSG-03: sent at 0, 100 and 300 ms, failed at 600 ms. */
START_TEST(test_message_is_sent_three_times_and_lost_at_600_ms)
{
        struct retransmitter s = rfc_sender(RELIABLE_WINDOW);
        struct send_queue queue = SEND_QUEUE_INIT;

        check_schedule(&s, &queue, (const uint64_t[]){ 100, 300, 600, 0 });
}
END_TEST

START_TEST(test_old_programs_get_more_than_five_seconds)
{
        struct retransmitter s;
        struct send_queue queue = SEND_QUEUE_INIT;

        retransmitter_init(&s, RELIABLE_T_R_UCL_MS * MS, RELIABLE_N_R_UCL, RELIABLE_WINDOW_UCL,
                           RELIABLE_BYTES_MAX);
        check_schedule(&s, &queue, (const uint64_t[]){ 250, 750, 1500, 2500, 3750, 5250, 0 });
}
END_TEST

/* REL-07 */
START_TEST(test_removed_message_leaves_no_timer_and_no_copy)
{
        struct retransmitter s = rfc_sender(RELIABLE_WINDOW);
        struct send_queue queue = SEND_QUEUE_INIT;
        struct delivery *in_flight = add(&s, &queue, 1), *waiting;

        launch(&s, in_flight, 0, 0);
        waiting = add(&s, &queue, 2);
        ck_assert_uint_gt(s.bytes, 0);
        retransmitter_remove(&s, in_flight);
        ck_assert_ptr_null(retransmitter_find(&s, entity(0), 0));
        ck_assert_ptr_null(retransmitter_due(&s, TIME_NEVER - 1));
        ck_assert_ptr_eq(send_queue_oldest(&queue), waiting);
        retransmitter_remove(&s, waiting);
        ck_assert_ptr_null(send_queue_oldest(&queue));
        check_empty(&s);
}
END_TEST

/* What waited for a peer that does not acknowledge was kept without a bound in octets. */
START_TEST(test_copies_are_bounded_and_those_that_are_removed_make_room)
{
        struct send_queue queue = SEND_QUEUE_INIT, other = SEND_QUEUE_INIT;
        struct delivery *first, *second, *third;
        struct retransmitter s;

        retransmitter_init(&s, RELIABLE_T_R_MS * MS, RELIABLE_N_R, RELIABLE_WINDOW, 20);
        first = add(&s, &queue, 1);
        second = add(&s, &queue, 2);
        ck_assert_int_eq(retransmitter_add(&s, &other, entity(1), 3, span_of("payload"), &third),
                         MBUS_E_FULL);
        ck_assert_int_eq(retransmitter_add(&s, &other, entity(1), 3, span_of("6 left"), &third), 0);
        retransmitter_remove(&s, third);
        /* What flies is longer than what stood in line, and may pass the limit therefore. */
        launch(&s, first, 0, 0);
        ck_assert_uint_gt(s.bytes, 20);
        ck_assert_int_eq(retransmitter_add(&s, &other, entity(1), 3, span_of(""), &third),
                         MBUS_E_FULL);
        retransmitter_remove(&s, first);
        third = add(&s, &other, 3);
        retransmitter_remove(&s, second);
        retransmitter_remove(&s, third);
        check_empty(&s);
}
END_TEST

START_TEST(test_messages_fly_in_order_as_far_as_the_window_allows)
{
        struct retransmitter s = rfc_sender(3);
        struct send_queue queue = SEND_QUEUE_INIT, other = SEND_QUEUE_INIT;
        struct delivery *r[6], *next;
        uint32_t seq = 0;

        for (size_t i = 0; i < N(r); ++i)
                r[i] = add(&s, &queue, i);
        for (size_t i = 0; i < 3; ++i) {
                next = retransmitter_next(&s, &queue);
                ck_assert_ptr_eq(next, r[i]);
                launch(&s, next, 0, seq++);
        }
        ck_assert_ptr_null(retransmitter_next(&s, &queue));
        /* Another peer has a window of its own. */
        ck_assert_ptr_null(retransmitter_next(&s, &other));
        next = add(&s, &other, 9);
        ck_assert_ptr_eq(retransmitter_next(&s, &other), next);
        retransmitter_remove(&s, next);
        /* The middle one is acknowledged. */
        retransmitter_remove(&s, r[1]);
        ck_assert_ptr_eq(retransmitter_next(&s, &queue), r[3]);
        launch(&s, r[3], 0, seq++);
        ck_assert_ptr_null(retransmitter_next(&s, &queue));
        /* One in line is taken back. */
        retransmitter_remove(&s, r[4]);
        retransmitter_remove(&s, r[0]);
        ck_assert_ptr_eq(retransmitter_next(&s, &queue), r[5]);
        retransmitter_remove(&s, r[2]);
        retransmitter_remove(&s, r[3]);
        retransmitter_remove(&s, r[5]);
        check_empty(&s);
}
END_TEST

START_TEST(test_numbers_belong_to_their_entity)
{
        struct retransmitter s = rfc_sender(RELIABLE_WINDOW);
        struct send_queue queue = SEND_QUEUE_INIT;
        struct delivery *a = NULL, *b = NULL;

        ck_assert_ptr_null(retransmitter_find(&s, entity(1), 7));
        ck_assert_int_eq(retransmitter_add(&s, &queue, entity(1), 1, span_of("x"), &a), 0);
        ck_assert_int_eq(retransmitter_add(&s, &queue, entity(2), 2, span_of("x"), &b), 0);
        ck_assert_ptr_null(retransmitter_find(&s, entity(1), 0));
        launch(&s, a, 0, 7);
        launch(&s, b, 0, 7);
        ck_assert_ptr_eq(retransmitter_find(&s, entity(1), 7), a);
        ck_assert_ptr_eq(retransmitter_find(&s, entity(2), 7), b);
        ck_assert_ptr_null(retransmitter_find(&s, entity(2), 8));
        ck_assert_ptr_null(retransmitter_find(&s, entity(3), 7));
        retransmitter_remove(&s, a);
        ck_assert_ptr_null(retransmitter_find(&s, entity(1), 7));
        ck_assert_ptr_eq(retransmitter_find(&s, entity(2), 7), b);
        retransmitter_remove(&s, b);
        check_empty(&s);
}
END_TEST

/* So that they are told of in their order when the peer leaves. */
START_TEST(test_oldest_flies_before_all_in_line)
{
        struct retransmitter s = rfc_sender(2);
        struct send_queue queue = SEND_QUEUE_INIT;
        struct delivery *r[4];

        for (size_t i = 0; i < N(r); ++i)
                r[i] = add(&s, &queue, i);
        launch(&s, r[0], 0, 0);
        launch(&s, r[1], 0, 1);
        for (size_t i = 0; i < N(r); ++i) {
                ck_assert_ptr_eq(send_queue_oldest(&queue), r[i]);
                retransmitter_remove(&s, r[i]);
        }
        ck_assert_ptr_null(send_queue_oldest(&queue));
        check_empty(&s);
}
END_TEST

#define MANY 300
#define PEERS 5

/* What the books should say of one message. */
struct expected {
        struct delivery *reliable;
        size_t peer;
        uint64_t launched;
        uint64_t due;
        unsigned n_sent;
        uint32_t seq;
};

static void check_one(struct retransmitter *s, const struct expected *x)
{
        if (!x->reliable || x->n_sent == 0)
                return;
        ck_assert_ptr_eq(retransmitter_find(s, entity(x->peer), x->seq), x->reliable);
        ck_assert_uint_eq(x->reliable->n_sent, x->n_sent);
        ck_assert_uint_eq(x->reliable->deadline.at, x->due);
}

static void act(struct retransmitter *s, struct send_queue *queues, struct expected *x,
                struct random *r, uint64_t now, uint32_t *seq)
{
        if (!x->reliable) {
                *x = (struct expected){ .peer = (size_t)random_below(r, PEERS) };
                ck_assert_int_eq(retransmitter_add(s, queues + x->peer, entity(x->peer), now,
                                                   span_of("payload"), &x->reliable),
                                 0);
        } else if (x->n_sent == 0 && retransmitter_next(s, queues + x->peer) == x->reliable) {
                x->seq = (*seq)++;
                launch(s, x->reliable, now, x->seq);
                x->n_sent = 1;
                x->launched = now;
                x->due = now + 100 * MS;
        } else if (random_below(r, 4) == 0) {
                retransmitter_remove(s, x->reliable);
                x->reliable = NULL;
        }
}

static void repeat(struct retransmitter *s, struct expected *xs, uint64_t now)
{
        struct delivery *r;
        bool overdue = false;

        while ((r = retransmitter_due(s, now))) {
                struct expected *x = xs;

                while (x->reliable != r)
                        ++x;
                ck_assert_uint_le(x->due, now);
                if (retransmitter_is_lost(s, r)) {
                        ck_assert_uint_eq(x->n_sent, 3);
                        ck_assert_uint_ge(now - x->launched, 600 * MS);
                        retransmitter_remove(s, r);
                        x->reliable = NULL;
                        continue;
                }
                retransmitter_repeated(s, r, now);
                x->due = now + ++x->n_sent * 100 * MS;
        }
        for (size_t i = 0; i < MANY; ++i)
                overdue |= xs[i].reliable && xs[i].n_sent > 0 && xs[i].due <= now;
        ck_assert(!overdue);
}

START_TEST(test_books_agree_with_a_plain_list)
{
        struct random random = seeded("sender");
        struct retransmitter s = rfc_sender(20);
        struct send_queue queues[PEERS] = { 0 };
        static struct expected xs[MANY];
        uint64_t now = 0;
        uint32_t seq = UINT32_MAX - 1000;

        for (unsigned i = 0; i < 20000; ++i) {
                act(&s, queues, xs + random_below(&random, MANY), &random, now, &seq);
                now += random_below(&random, 3 * MS);
                repeat(&s, xs, now);
                check_one(&s, xs + random_below(&random, MANY));
        }
        for (size_t i = 0; i < PEERS; ++i) {
                ck_assert_uint_le(queues[i].n_in_flight, 20);
                while (send_queue_oldest(queues + i))
                        retransmitter_remove(&s, send_queue_oldest(queues + i));
        }
        check_empty(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_message_is_sent_three_times_and_lost_at_600_ms,
                test_old_programs_get_more_than_five_seconds,
                test_removed_message_leaves_no_timer_and_no_copy,
                test_copies_are_bounded_and_those_that_are_removed_make_room,
                test_messages_fly_in_order_as_far_as_the_window_allows,
                test_numbers_belong_to_their_entity,
                test_oldest_flies_before_all_in_line,
                test_books_agree_with_a_plain_list,
        };

        return run_tests("sender", tests, N(tests));
}
