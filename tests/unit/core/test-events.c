/*
 * test-events.c - events come in order; when there are too many, unreliable messages give way.
 */
#include "core/events.h"

#include <stdio.h>

#include "run.h"

static struct message *message(uint32_t seq, bool reliable)
{
        char text[128];
        struct message *m;

        snprintf(text, sizeof(text), "mbus/1.0 %010u 1006271404123 %c (a:b) (c:d) ()\r\nx.y(1)",
                 seq, reliable ? 'R' : 'U');
        ck_assert_int_eq(message_new(span_of(text), &m, NULL), 0);
        return m;
}

static struct entity *entity(unsigned n)
{
        static char entities[16];

        return (struct entity *)(void *)(entities + n);
}

/* A message for @n entities from number 1 on. */
static int push_message(struct events *es, enum event_type type, uint32_t seq, bool reliable,
                        unsigned n)
{
        struct event event = { .type = type, .message = message(seq, reliable) };

        if (n) {
                event.recipients = malloc(n * sizeof(*event.recipients));
                ck_assert_ptr_nonnull(event.recipients);
                event.n_recipients = n;
                for (unsigned i = 0; i < n; ++i)
                        event.recipients[i] = entity(i + 1);
        }
        return events_push(es, &event);
}

static struct event pop(struct events *es, enum event_type type)
{
        struct event event;

        ck_assert(events_pop(es, &event));
        ck_assert_int_eq(event.type, type);
        return event;
}

static void pop_message(struct events *es, uint32_t seq)
{
        struct event event = pop(es, EVENT_MESSAGE);

        ck_assert_uint_eq(event.message->header.seq, seq);
        event_deinit(&event);
        ck_assert_ptr_null(event.message);
}

static void pop_dropped(struct events *es, uint64_t count)
{
        struct event event = pop(es, EVENT_DROPPED);

        ck_assert_int_eq(event.drop, MBUS_DROP_EVENTS);
        ck_assert_uint_eq(event.count, count);
}

static void check_empty(struct events *es)
{
        struct event event;

        ck_assert(!events_pop(es, &event));
        ck_assert_uint_eq(es->n, 0);
        ck_assert_uint_eq(es->bytes, 0);
        ck_assert_uint_eq(es->n_unreliable, 0);
}

static size_t message_bytes(void)
{
        struct message *m = message(0, false);
        size_t n = message_memory(m);

        message_unref(m);
        return n;
}

START_TEST(test_events_come_in_order_with_all_they_hold)
{
        struct events es;
        struct event event;

        events_init(&es, 100, 100000);
        check_empty(&es);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 1, false, 3), 0);
        ck_assert_int_eq(
                events_push(&es, &(struct event){ .type = EVENT_LEFT, .reason = MBUS_REASON_BYE }),
                0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 2, true, 1), 0);
        event = pop(&es, EVENT_MESSAGE);
        ck_assert_uint_eq(event.n_recipients, 3);
        ck_assert_ptr_eq(event.recipients[2], entity(3));
        ck_assert_uint_eq(event.message->header.seq, 1);
        event_deinit(&event);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 3, false, 1), 0);
        ck_assert_int_eq(pop(&es, EVENT_LEFT).reason, MBUS_REASON_BYE);
        pop_message(&es, 2);
        pop_message(&es, 3);
        check_empty(&es);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 4, false, 1), 0);
        pop_message(&es, 4);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 5, true, 1), 0);
        events_deinit(&es);
}
END_TEST

START_TEST(test_oldest_unreliable_message_gives_way_and_is_counted)
{
        struct events es;

        events_init(&es, 4, 100000);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 1, true, 1), 0);
        for (uint32_t seq = 2; seq < 10; ++seq)
                ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, seq, false, 1), 0);
        ck_assert_uint_eq(es.n, 4);
        pop_dropped(&es, 5);
        pop_message(&es, 1);
        for (uint32_t seq = 7; seq < 10; ++seq)
                pop_message(&es, seq);
        check_empty(&es);
        events_deinit(&es);
}
END_TEST

START_TEST(test_observed_messages_give_way_even_if_they_are_reliable)
{
        struct events es;

        events_init(&es, 2, 100000);
        ck_assert_int_eq(push_message(&es, EVENT_OBSERVED, 1, true, 0), 0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 2, true, 1), 0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 3, true, 1), 0);
        pop_dropped(&es, 1);
        pop_message(&es, 2);
        pop_message(&es, 3);
        check_empty(&es);
        events_deinit(&es);
}
END_TEST

START_TEST(test_reliable_message_without_room_is_refused)
{
        struct events es;

        events_init(&es, 3, 100000);
        for (uint32_t seq = 1; seq <= 3; ++seq)
                ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, seq, true, 1), 0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 4, true, 1), MBUS_E_FULL);
        pop_message(&es, 1);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 4, true, 1), 0);
        /* An unreliable one without room is lost, and that is told. */
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 5, false, 1), MBUS_E_FULL);
        pop_dropped(&es, 1);
        for (uint32_t seq = 2; seq <= 4; ++seq)
                pop_message(&es, seq);
        check_empty(&es);
        events_deinit(&es);
}
END_TEST

START_TEST(test_octets_are_limited_as_events_are)
{
        size_t each = message_bytes();
        struct events es;

        events_init(&es, 1000, 3 * each + each / 2);
        for (uint32_t seq = 1; seq <= 5; ++seq)
                ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, seq, false, 1), 0);
        ck_assert_uint_eq(es.bytes, 3 * each);
        for (uint32_t seq = 6; seq <= 8; ++seq)
                ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, seq, true, 1), 0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 9, true, 1), MBUS_E_FULL);
        pop_dropped(&es, 5);
        for (uint32_t seq = 6; seq <= 8; ++seq)
                pop_message(&es, seq);
        check_empty(&es);
        events_deinit(&es);
        /* One that is larger than all the room there is. */
        events_init(&es, 1000, each - 1);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 1, true, 1), MBUS_E_FULL);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 1, false, 1), MBUS_E_FULL);
        pop_dropped(&es, 1);
        check_empty(&es);
        events_deinit(&es);
}
END_TEST

START_TEST(test_a_message_of_many_parameters_counts_what_they_take)
{
        struct buffer text = BUFFER_INIT;
        struct message *m;
        struct events es;
        size_t memory;

        buffer_add_text(&text, "mbus/1.0 1 1006271404123 U (a:b) (c:d) ()\r\nx.y(");
        for (unsigned i = 0; i < 30000; i++)
                buffer_add_text(&text, "1 ");
        buffer_add_char(&text, ')');
        ck_assert_int_eq(message_new(buffer_span(&text), &m, NULL), 0);
        buffer_deinit(&text);
        memory = message_memory(m);
        ck_assert_uint_ge(memory, 30000 * sizeof(struct value));
        events_init(&es, 1000, 3 * memory);
        for (unsigned i = 0; i < 10; i++)
                ck_assert_int_eq(events_push(&es, &(struct event){ .type = EVENT_MESSAGE,
                                                                   .message = message_ref(m) }),
                                 0);
        ck_assert_uint_eq(es.n, 3);
        ck_assert_uint_eq(es.bytes, 3 * memory);
        pop_dropped(&es, 7);
        for (unsigned i = 0; i < 3; i++)
                pop_message(&es, 1);
        check_empty(&es);
        message_unref(m);
        events_deinit(&es);
}
END_TEST

/* REL-08: a result that was promised is kept, however full the queue is. */
START_TEST(test_reserved_events_always_have_room)
{
        struct events es;

        events_init(&es, 2, 100000);
        for (unsigned i = 0; i < 5; ++i)
                ck_assert_int_eq(events_reserve(&es), 0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 1, true, 1), 0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 2, true, 1), 0);
        for (uint64_t ticket = 1; ticket <= 3; ++ticket)
                events_push_reserved(&es,
                                     &(struct event){ .type = EVENT_FAILED, .ticket = ticket });
        events_release(&es);
        pop_message(&es, 1);
        pop_message(&es, 2);
        for (uint64_t ticket = 1; ticket <= 3; ++ticket)
                ck_assert_uint_eq(pop(&es, EVENT_FAILED).ticket, ticket);
        check_empty(&es);
        /* One is still reserved, and freed with the rest. */
        ck_assert_ptr_nonnull(es.spare);
        events_deinit(&es);
        ck_assert_ptr_null(es.spare);
}
END_TEST

START_TEST(test_forgotten_entity_leaves_no_event)
{
        struct events es;
        struct event event;

        events_init(&es, 100, 100000);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 1, false, 1), 0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 2, true, 3), 0);
        ck_assert_int_eq(push_message(&es, EVENT_OBSERVED, 3, true, 0), 0);
        ck_assert_int_eq(
                events_push(&es, &(struct event){ .type = EVENT_DELIVERED, .entity = entity(1) }),
                0);
        ck_assert_int_eq(
                events_push(&es, &(struct event){ .type = EVENT_CONFLICT, .entity = entity(2) }),
                0);
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 4, true, 1), 0);
        events_forget(&es, entity(1));
        event = pop(&es, EVENT_MESSAGE);
        ck_assert_uint_eq(event.message->header.seq, 2);
        ck_assert_uint_eq(event.n_recipients, 2);
        ck_assert_ptr_eq(event.recipients[0], entity(2));
        ck_assert_ptr_eq(event.recipients[1], entity(3));
        event_deinit(&event);
        event = pop(&es, EVENT_OBSERVED);
        event_deinit(&event);
        ck_assert_ptr_eq(pop(&es, EVENT_CONFLICT).entity, entity(2));
        check_empty(&es);
        /* The end of the list was forgotten: the next still goes behind it. */
        ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, 5, true, 1), 0);
        pop_message(&es, 5);
        events_deinit(&es);
}
END_TEST

/* Peers that come and go must not fill the memory of an application that sleeps. */
START_TEST(test_joins_are_refused_when_the_queue_is_twice_full)
{
        struct events es;
        unsigned n = 0;

        events_init(&es, 10, 100000);
        for (uint32_t seq = 0; seq < 10; ++seq)
                ck_assert_int_eq(push_message(&es, EVENT_MESSAGE, seq, true, 1), 0);
        while (events_push(&es, &(struct event){ .type = EVENT_JOINED }) == 0)
                ck_assert_uint_lt(++n, 1000);
        ck_assert_uint_eq(n, 10);
        ck_assert_int_eq(events_push(&es, &(struct event){ .type = EVENT_JOINED }), MBUS_E_FULL);
        for (uint32_t seq = 0; seq < 10; ++seq)
                pop_message(&es, seq);
        ck_assert_int_eq(events_push(&es, &(struct event){ .type = EVENT_JOINED }), 0);
        events_deinit(&es);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_events_come_in_order_with_all_they_hold,
                test_oldest_unreliable_message_gives_way_and_is_counted,
                test_observed_messages_give_way_even_if_they_are_reliable,
                test_reliable_message_without_room_is_refused,
                test_octets_are_limited_as_events_are,
                test_a_message_of_many_parameters_counts_what_they_take,
                test_reserved_events_always_have_room,
                test_forgotten_entity_leaves_no_event,
                test_joins_are_refused_when_the_queue_is_twice_full,
        };

        return run_tests("events", tests, N(tests));
}
