/*
 * test-event-queue.c - events wait in their order, and what was promised has room whatever else
 * comes.
 */
#include <stdlib.h>
#include <string.h>

#include <bus/mode.h>

#include "run.h"

#define MANY 1000

static void push(struct event_queue *q, uint64_t ticket, struct mbus_entity *entity)
{
        struct mbus_event event = { .type = MBUS_EVENT_DELIVERED,
                                    .ticket = ticket,
                                    .entity = entity };

        event_queue_push(q, &event, NULL);
}

static uint64_t pop(struct event_queue *q)
{
        struct queued item;
        uint64_t ticket;

        ck_assert_ptr_nonnull(event_queue_first(q));
        event_queue_pop(q, &item);
        ticket = item.event.ticket;
        queued_deinit(&item);
        return ticket;
}

START_TEST(test_events_come_in_the_order_in_which_they_were_queued)
{
        struct event_queue q = { .ring = NULL };
        uint64_t next = 0, expected = 0;

        /* The head goes round in the ring while that grows. */
        for (unsigned round = 0; round < 50; round++) {
                for (unsigned i = 0; i < round; i++)
                        push(&q, next++, NULL);
                for (unsigned i = 0; i < round / 2; i++)
                        ck_assert_uint_eq(pop(&q), expected++);
        }
        while (expected < next)
                ck_assert_uint_eq(pop(&q), expected++);
        ck_assert_ptr_null(event_queue_first(&q));
        ck_assert_uint_eq(q.bytes, 0);
        event_queue_deinit(&q);
}
END_TEST

START_TEST(test_what_is_promised_has_room_behind_all_else)
{
        struct event_queue q = { .ring = NULL };
        const struct queued *ring;

        for (unsigned i = 0; i < MANY; i++)
                ck_assert_int_eq(event_queue_promise(&q), 0);
        for (unsigned i = 0; i < MANY; i++)
                push(&q, i, NULL);
        ck_assert_uint_ge(q.size, 2 * MANY);
        ring = q.ring;
        for (unsigned i = 0; i < MANY; i++) {
                event_queue_redeem(&q);
                push(&q, MANY + i, NULL);
        }
        /* It took no memory. */
        ck_assert_ptr_eq(q.ring, ring);
        ck_assert_int_eq(q.failure, 0);
        ck_assert_uint_eq(q.promised, 0);
        for (unsigned i = 0; i < 2 * MANY; i++)
                ck_assert_uint_eq(pop(&q), i);
        event_queue_deinit(&q);
}
END_TEST

START_TEST(test_what_is_about_an_entity_is_skipped_when_that_is_forgotten)
{
        struct mbus_entity one = { .bus = NULL }, other = { .bus = NULL };
        struct event_queue q = { .ring = NULL };

        for (unsigned i = 0; i < 30; i++)
                push(&q, i, i % 3 ? &one : &other);
        event_queue_forget(&q, &one);
        for (unsigned i = 0; i < 30; i += 3)
                ck_assert_uint_eq(pop(&q), i);
        ck_assert_ptr_null(event_queue_first(&q));
        ck_assert_uint_eq(q.n, 0);
        event_queue_deinit(&q);
}
END_TEST

START_TEST(test_an_explanation_ends_with_a_whole_character)
{
        char why[WHY_MAX + 2], *text;

        ck_assert_ptr_null(why_string(SPAN_NULL));
        text = why_string(span_of("no right"));
        ck_assert_str_eq(text, "no right");
        free(text);
        memset(why, 'x', sizeof(why));
        /* Two octets of which the second would be one too many. */
        memcpy(why + WHY_MAX - 1, "\xc3\xa4", 2);
        text = why_string((struct span){ why, sizeof(why) });
        ck_assert_uint_eq(strlen(text), WHY_MAX - 1);
        free(text);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_events_come_in_the_order_in_which_they_were_queued,
                test_what_is_promised_has_room_behind_all_else,
                test_what_is_about_an_entity_is_skipped_when_that_is_forgotten,
                test_an_explanation_ends_with_a_whole_character,
        };

        return run_tests("event-queue", tests, N(tests));
}
