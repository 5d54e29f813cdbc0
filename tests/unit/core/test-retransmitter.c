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

static struct sender rfc_sender(size_t window)
{
        struct sender s;

        sender_init(&s, RELIABLE_T_R_MS * MS, RELIABLE_N_R, window, RELIABLE_BYTES_MAX);
        return s;
}

static struct reliable *add(struct sender *s, struct lane *lane, uint64_t ticket)
{
        struct reliable *r = NULL;

        ck_assert_int_eq(sender_add(s, lane, entity(0), ticket, span_of("payload"), &r), 0);
        return r;
}

static void launch(struct sender *s, struct reliable *r, uint64_t now, uint32_t seq)
{
        ck_assert_int_eq(sender_launch(s, r, now, seq, span_of("the whole datagram")), 0);
}

static void check_empty(struct sender *s)
{
        ck_assert_uint_eq(s->n, 0);
        ck_assert_uint_eq(s->n_flying, 0);
        ck_assert_uint_eq(s->bytes, 0);
        ck_assert_uint_eq(deadlines_next(&s->deadlines), TIME_NEVER);
        sender_deinit(s);
}

/* When @r is sent after its first time at 0, up to a 0; the last is when it has failed. */
static void check_schedule(struct sender *s, struct lane *lane, const uint64_t *times)
{
        struct reliable *r = add(s, lane, 1);

        launch(s, r, 0, 5);
        for (; *times; ++times) {
                ck_assert_uint_eq(deadlines_next(&s->deadlines), *times * MS);
                ck_assert_ptr_null(sender_due(s, *times * MS - 1));
                ck_assert_ptr_eq(sender_due(s, *times * MS), r);
                ck_assert_int_eq(sender_is_lost(s, r), times[1] == 0);
                ck_assert_uint_eq(r->seq, 5);
                ck_assert(span_equal_text(buffer_span(&r->bytes), "the whole datagram"));
                if (times[1])
                        sender_repeated(s, r, *times * MS);
        }
        ck_assert_ptr_eq(sender_find(s, entity(0), 5), r);
        sender_remove(s, r);
        check_empty(s);
}

/* REL-05 MSG-03: sent at 0, 100 and 300 ms, failed at 600 ms. */
START_TEST(test_message_is_sent_three_times_and_lost_at_600_ms)
{
        struct sender s = rfc_sender(RELIABLE_WINDOW);
        struct lane lane = LANE_INIT;

        check_schedule(&s, &lane, (const uint64_t[]){ 100, 300, 600, 0 });
}
END_TEST

START_TEST(test_old_programs_get_more_than_five_seconds)
{
        struct sender s;
        struct lane lane = LANE_INIT;

        sender_init(&s, RELIABLE_T_R_UCL_MS * MS, RELIABLE_N_R_UCL, RELIABLE_WINDOW_UCL,
                    RELIABLE_BYTES_MAX);
        check_schedule(&s, &lane, (const uint64_t[]){ 250, 750, 1500, 2500, 3750, 5250, 0 });
}
END_TEST

/* REL-07 */
START_TEST(test_removed_message_leaves_no_timer_and_no_copy)
{
        struct sender s = rfc_sender(RELIABLE_WINDOW);
        struct lane lane = LANE_INIT;
        struct reliable *flying = add(&s, &lane, 1), *waiting;

        launch(&s, flying, 0, 0);
        waiting = add(&s, &lane, 2);
        ck_assert_uint_gt(s.bytes, 0);
        sender_remove(&s, flying);
        ck_assert_ptr_null(sender_find(&s, entity(0), 0));
        ck_assert_ptr_null(sender_due(&s, TIME_NEVER - 1));
        ck_assert_ptr_eq(lane_oldest(&lane), waiting);
        sender_remove(&s, waiting);
        ck_assert_ptr_null(lane_oldest(&lane));
        check_empty(&s);
}
END_TEST

/* What waited for a peer that does not acknowledge was kept without a bound in octets. */
START_TEST(test_copies_are_bounded_and_those_that_are_removed_make_room)
{
        struct lane lane = LANE_INIT, other = LANE_INIT;
        struct reliable *first, *second, *third;
        struct sender s;

        sender_init(&s, RELIABLE_T_R_MS * MS, RELIABLE_N_R, RELIABLE_WINDOW, 20);
        first = add(&s, &lane, 1);
        second = add(&s, &lane, 2);
        ck_assert_int_eq(sender_add(&s, &other, entity(1), 3, span_of("payload"), &third),
                         MBUS_E_FULL);
        ck_assert_int_eq(sender_add(&s, &other, entity(1), 3, span_of("6 left"), &third), 0);
        sender_remove(&s, third);
        /* What flies is longer than what stood in line, and may pass the limit therefore. */
        launch(&s, first, 0, 0);
        ck_assert_uint_gt(s.bytes, 20);
        ck_assert_int_eq(sender_add(&s, &other, entity(1), 3, span_of(""), &third), MBUS_E_FULL);
        sender_remove(&s, first);
        third = add(&s, &other, 3);
        sender_remove(&s, second);
        sender_remove(&s, third);
        check_empty(&s);
}
END_TEST

START_TEST(test_messages_fly_in_order_as_far_as_the_window_allows)
{
        struct sender s = rfc_sender(3);
        struct lane lane = LANE_INIT, other = LANE_INIT;
        struct reliable *r[6], *next;
        uint32_t seq = 0;

        for (size_t i = 0; i < N(r); ++i)
                r[i] = add(&s, &lane, i);
        for (size_t i = 0; i < 3; ++i) {
                next = sender_next(&s, &lane);
                ck_assert_ptr_eq(next, r[i]);
                launch(&s, next, 0, seq++);
        }
        ck_assert_ptr_null(sender_next(&s, &lane));
        /* Another peer has a window of its own. */
        ck_assert_ptr_null(sender_next(&s, &other));
        next = add(&s, &other, 9);
        ck_assert_ptr_eq(sender_next(&s, &other), next);
        sender_remove(&s, next);
        /* The middle one is acknowledged. */
        sender_remove(&s, r[1]);
        ck_assert_ptr_eq(sender_next(&s, &lane), r[3]);
        launch(&s, r[3], 0, seq++);
        ck_assert_ptr_null(sender_next(&s, &lane));
        /* One in line is taken back. */
        sender_remove(&s, r[4]);
        sender_remove(&s, r[0]);
        ck_assert_ptr_eq(sender_next(&s, &lane), r[5]);
        sender_remove(&s, r[2]);
        sender_remove(&s, r[3]);
        sender_remove(&s, r[5]);
        check_empty(&s);
}
END_TEST

START_TEST(test_numbers_belong_to_their_entity)
{
        struct sender s = rfc_sender(RELIABLE_WINDOW);
        struct lane lane = LANE_INIT;
        struct reliable *a = NULL, *b = NULL;

        ck_assert_ptr_null(sender_find(&s, entity(1), 7));
        ck_assert_int_eq(sender_add(&s, &lane, entity(1), 1, span_of("x"), &a), 0);
        ck_assert_int_eq(sender_add(&s, &lane, entity(2), 2, span_of("x"), &b), 0);
        ck_assert_ptr_null(sender_find(&s, entity(1), 0));
        launch(&s, a, 0, 7);
        launch(&s, b, 0, 7);
        ck_assert_ptr_eq(sender_find(&s, entity(1), 7), a);
        ck_assert_ptr_eq(sender_find(&s, entity(2), 7), b);
        ck_assert_ptr_null(sender_find(&s, entity(2), 8));
        ck_assert_ptr_null(sender_find(&s, entity(3), 7));
        sender_remove(&s, a);
        ck_assert_ptr_null(sender_find(&s, entity(1), 7));
        ck_assert_ptr_eq(sender_find(&s, entity(2), 7), b);
        sender_remove(&s, b);
        check_empty(&s);
}
END_TEST

/* So that they are told of in their order when the peer leaves. */
START_TEST(test_oldest_flies_before_all_in_line)
{
        struct sender s = rfc_sender(2);
        struct lane lane = LANE_INIT;
        struct reliable *r[4];

        for (size_t i = 0; i < N(r); ++i)
                r[i] = add(&s, &lane, i);
        launch(&s, r[0], 0, 0);
        launch(&s, r[1], 0, 1);
        for (size_t i = 0; i < N(r); ++i) {
                ck_assert_ptr_eq(lane_oldest(&lane), r[i]);
                sender_remove(&s, r[i]);
        }
        ck_assert_ptr_null(lane_oldest(&lane));
        check_empty(&s);
}
END_TEST

#define MANY 300
#define PEERS 5

/* What the books should say of one message. */
struct expected {
        struct reliable *reliable;
        size_t peer;
        uint64_t launched;
        uint64_t due;
        unsigned n_sent;
        uint32_t seq;
};

static void check_one(struct sender *s, const struct expected *x)
{
        if (!x->reliable || x->n_sent == 0)
                return;
        ck_assert_ptr_eq(sender_find(s, entity(x->peer), x->seq), x->reliable);
        ck_assert_uint_eq(x->reliable->n_sent, x->n_sent);
        ck_assert_uint_eq(x->reliable->deadline.at, x->due);
}

static void act(struct sender *s, struct lane *lanes, struct expected *x, struct random *r,
                uint64_t now, uint32_t *seq)
{
        if (!x->reliable) {
                *x = (struct expected){ .peer = (size_t)random_below(r, PEERS) };
                ck_assert_int_eq(sender_add(s, lanes + x->peer, entity(x->peer), now,
                                            span_of("payload"), &x->reliable),
                                 0);
        } else if (x->n_sent == 0 && sender_next(s, lanes + x->peer) == x->reliable) {
                x->seq = (*seq)++;
                launch(s, x->reliable, now, x->seq);
                x->n_sent = 1;
                x->launched = now;
                x->due = now + 100 * MS;
        } else if (random_below(r, 4) == 0) {
                sender_remove(s, x->reliable);
                x->reliable = NULL;
        }
}

static void repeat(struct sender *s, struct expected *xs, uint64_t now)
{
        struct reliable *r;
        bool overdue = false;

        while ((r = sender_due(s, now))) {
                struct expected *x = xs;

                while (x->reliable != r)
                        ++x;
                ck_assert_uint_le(x->due, now);
                if (sender_is_lost(s, r)) {
                        ck_assert_uint_eq(x->n_sent, 3);
                        ck_assert_uint_ge(now - x->launched, 600 * MS);
                        sender_remove(s, r);
                        x->reliable = NULL;
                        continue;
                }
                sender_repeated(s, r, now);
                x->due = now + ++x->n_sent * 100 * MS;
        }
        for (size_t i = 0; i < MANY; ++i)
                overdue |= xs[i].reliable && xs[i].n_sent > 0 && xs[i].due <= now;
        ck_assert(!overdue);
}

START_TEST(test_books_agree_with_a_plain_list)
{
        struct random random = seeded("sender");
        struct sender s = rfc_sender(20);
        struct lane lanes[PEERS] = { 0 };
        static struct expected xs[MANY];
        uint64_t now = 0;
        uint32_t seq = UINT32_MAX - 1000;

        for (unsigned i = 0; i < 20000; ++i) {
                act(&s, lanes, xs + random_below(&random, MANY), &random, now, &seq);
                now += random_below(&random, 3 * MS);
                repeat(&s, xs, now);
                check_one(&s, xs + random_below(&random, MANY));
        }
        for (size_t i = 0; i < PEERS; ++i) {
                ck_assert_uint_le(lanes[i].n_flying, 20);
                while (lane_oldest(lanes + i))
                        sender_remove(&s, lane_oldest(lanes + i));
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
