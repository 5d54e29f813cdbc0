/*
 * test-engine-reliable.c - reliable messages from one end to the other (RFC 3259, section 7;
 * spec/errata.md, 47 to 53 and 72).
 */
#include <stdio.h>

#include "fake-scene.h"
#include "run.h"

static uint64_t send_to(struct scene *s, const char *dest, const char *payload)
{
        uint64_t ticket = 0;

        ck_assert_int_eq(fake_send_reliable(&s->bus, s->e, s->me, dest, payload, &ticket), 0);
        ck_assert_uint_ne(ticket, 0);
        return ticket;
}

/* A known other, and an empty log. */
static void scene_begin(struct scene *s, const struct engine_options *options)
{
        scene_init(s, options);
        scene_meet(s);
        fake_settle(&s->bus);
        fake_forget(&s->bus);
}

/* The other sends @payload to us reliably. */
static void says_reliably(struct scene *s, const char *payload)
{
        fake_say(&s->bus, s->e, &s->you, 'R', ME, "()", payload);
}

/* The AckList of the i-th header-only message in the log. */
static struct span acks_sent_in(struct scene *s, size_t i)
{
        return fake_find(&s->bus, "", i)->message->header.acks;
}

static bool is_acked(struct scene *s, uint32_t seq)
{
        for (size_t i = 0; i < s->bus.n_log; ++i) {
                struct span rest = s->bus.log[i].message->header.acks;
                uint32_t acked;

                while (acks_next(&rest, &acked)) {
                        if (acked == seq)
                                return true;
                }
        }
        return false;
}

/* ---- sending ---- */

/* REL-01 ADR-10 */
START_TEST(test_destination_must_be_known_and_unique)
{
        struct fake_peer third = { .address = "(app:you id:3-0@127.0.0.1)", .socket = 3 };
        uint64_t ticket = 4711;
        struct scene s;

        scene_init(&s, NULL);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, YOU, "x.y()", &ticket),
                         MBUS_E_UNKNOWN);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, "(app:you)", "x.y()", &ticket),
                         MBUS_E_UNKNOWN);
        scene_meet(&s);
        send_to(&s, "(app:you)", "x.y()");
        /* We count ourselves. */
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, "()", "x.y()", &ticket),
                         MBUS_E_NOT_UNIQUE);
        fake_hello(&s.bus, s.e, &third);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, "(app:you)", "x.y()", &ticket),
                         MBUS_E_NOT_UNIQUE);
        send_to(&s, "(id:3-0@127.0.0.1)", "x.y()");
        fake_say(&s.bus, s.e, &third, 'U', "()", "()", "mbus.bye()");
        send_to(&s, "(app:you)", "x.y()");
        ck_assert_uint_eq(ticket, 4711);
        scene_deinit(&s);
}
END_TEST

/* REL-01 REL-02: what is on the wire bears the whole address. */
START_TEST(test_destination_is_written_in_full)
{
        const struct fake_datagram *dg;
        struct scene s;

        scene_begin(&s, NULL);
        send_to(&s, "(app:you)", "x.y(1)");
        fake_settle(&s.bus);
        dg = fake_find(&s.bus, "x.y", 0);
        ck_assert_str_eq(dg->message->dest, YOU);
        ck_assert_str_eq(dg->message->src, ME);
        ck_assert(dg->message->header.reliable);
        scene_deinit(&s);
}
END_TEST

/* REL-05 REL-08 MSG-03 MSG-06 */
START_TEST(test_message_is_sent_at_0_100_and_300_ms_and_has_failed_at_600)
{
        static const uint64_t times[] = { 0, 100, 300 };
        const struct fake_datagram *first;
        uint64_t ticket, start;
        struct scene s;

        scene_begin(&s, NULL);
        start = s.bus.now;
        ticket = send_to(&s, YOU, "x.y(1)");
        fake_run(&s.bus, 599);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), N(times));
        first = fake_find(&s.bus, "x.y", 0);
        ck_assert_uint_eq(first->message->header.timestamp, FAKE_WALL + start / MS);
        for (size_t i = 0; i < N(times); ++i) {
                const struct fake_datagram *dg = fake_find(&s.bus, "x.y", i);

                ck_assert_uint_eq(dg->at - start, times[i] * MS);
                ck_assert(span_equal(dg->bytes, first->bytes));
        }
        fake_run(&s.bus, 1);
        fake_expect_ticket(s.e, ticket, MBUS_REASON_TIMEOUT);
        fake_run(&s.bus, 2000);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), N(times));
        scene_deinit(&s);
}
END_TEST

/* REL-07 */
START_TEST(test_acknowledged_message_is_delivered_and_not_repeated)
{
        static const uint64_t times[] = { 0, 50, 150, 599 };

        for (size_t i = 0; i < N(times); ++i) {
                struct scene s;
                uint64_t ticket;
                size_t n;

                scene_begin(&s, NULL);
                ticket = send_to(&s, YOU, "x.y(1)");
                fake_run(&s.bus, times[i]);
                fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 0));
                fake_expect_ticket(s.e, ticket, MBUS_REASON_NONE);
                n = fake_count(&s.bus, "x.y");
                fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 0));
                fake_run(&s.bus, 2000);
                ck_assert_uint_eq(fake_count(&s.bus, "x.y"), n);
                fake_expect_nothing(s.e);
                scene_deinit(&s);
        }
}
END_TEST

/* Repetitions do not shorten it. */
START_TEST(test_round_trip_is_from_the_first_transmission)
{
        static const uint64_t times[] = { 0, 50, 150, 599 };

        for (size_t i = 0; i < N(times); ++i) {
                struct event event = { .round_trip = 0 };
                uint64_t sent_at;
                struct scene s;

                scene_begin(&s, NULL);
                send_to(&s, YOU, "x.y(1)");
                sent_at = s.bus.now;
                fake_run(&s.bus, times[i]);
                fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 0));
                while (event.type != EVENT_DELIVERED) {
                        event_deinit(&event);
                        ck_assert(engine_pop_event(s.e, &event));
                }
                ck_assert_uint_eq(event.round_trip, s.bus.now - sent_at);
                event_deinit(&event);
                scene_deinit(&s);
        }
}
END_TEST

/* REL-06 */
START_TEST(test_acknowledgement_of_anybody_else_does_not_count)
{
        struct fake_peer them = { .address = THEM, .socket = 3 };
        struct scene s;
        uint64_t ticket;
        char acks[32];
        uint32_t seq;

        scene_begin(&s, NULL);
        fake_hello(&s.bus, s.e, &them);
        fake_skip(s.e);
        ticket = send_to(&s, YOU, "x.y(1)");
        fake_settle(&s.bus);
        fake_ack(&s.bus, s.e, &them, fake_find(&s.bus, "x.y", 0));
        /* Nor does one for another number, or for another entity. */
        seq = fake_find(&s.bus, "x.y", 0)->message->header.seq;
        snprintf(acks, sizeof(acks), "(%u %u)", seq + 1, seq - 1);
        fake_say(&s.bus, s.e, &s.you, 'U', ME, acks, "");
        snprintf(acks, sizeof(acks), "(%u)", seq);
        fake_say(&s.bus, s.e, &s.you, 'U', THEM, acks, "");
        fake_expect_nothing(s.e);
        fake_run(&s.bus, 600);
        fake_expect_ticket(s.e, ticket, MBUS_REASON_TIMEOUT);
        scene_deinit(&s);
}
END_TEST

/* REL-07 REL-10 */
START_TEST(test_one_list_acknowledges_several_messages_and_rides_on_any)
{
        uint64_t tickets[3];
        struct scene s;
        uint32_t seq;
        char acks[64];

        scene_begin(&s, NULL);
        for (size_t i = 0; i < N(tickets); ++i)
                tickets[i] = send_to(&s, YOU, "x.y(1)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 3);
        seq = fake_find(&s.bus, "x.y", 0)->message->header.seq;
        snprintf(acks, sizeof(acks), "(%u %u %u)", seq + 2, seq, seq + 1);
        fake_say(&s.bus, s.e, &s.you, 'U', ME, acks, "a.b()");
        fake_expect_ticket(s.e, tickets[2], MBUS_REASON_NONE);
        fake_expect_ticket(s.e, tickets[0], MBUS_REASON_NONE);
        fake_expect_ticket(s.e, tickets[1], MBUS_REASON_NONE);
        fake_expect_message(s.e, "a.b()");
        scene_deinit(&s);
}
END_TEST

/* REL-08 */
START_TEST(test_tickets_of_a_peer_that_leaves_fail_with_its_reason)
{
        uint64_t tickets[2];
        struct scene s;

        scene_begin(&s, NULL);
        tickets[0] = send_to(&s, YOU, "x.y(1)");
        tickets[1] = send_to(&s, YOU, "x.y(2)");
        scene_says(&s, "mbus.bye()");
        fake_expect_ticket(s.e, tickets[0], MBUS_REASON_BYE);
        fake_expect_ticket(s.e, tickets[1], MBUS_REASON_BYE);
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        fake_forget(&s.bus);
        fake_run(&s.bus, 2000);
        ck_assert_uint_le(fake_count(&s.bus, "x.y"), 2);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

/* REL-08: the window bounds what flies, and the line keeps the order. */
START_TEST(test_more_than_the_window_wait_in_line_in_order)
{
        const size_t n = RELIABLE_WINDOW + 50;
        struct scene s;

        scene_begin(&s, NULL);
        for (size_t i = 0; i < n; ++i)
                send_to(&s, YOU, "x.y(1)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), RELIABLE_WINDOW);
        for (size_t i = 0; i < n; ++i) {
                fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", i));
                fake_expect_ticket(s.e, i + 1, MBUS_REASON_NONE);
                fake_settle(&s.bus);
        }
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), n);
        for (size_t i = 1; i < n; ++i)
                ck_assert_uint_eq(fake_find(&s.bus, "x.y", i)->message->header.seq,
                                  fake_find(&s.bus, "x.y", i - 1)->message->header.seq + 1);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_outstanding_messages_are_bounded)
{
        struct scene s;
        uint64_t ticket;

        scene_begin(&s, NULL);
        for (size_t i = 0; i < RELIABLE_OUTSTANDING_MAX; ++i)
                send_to(&s, YOU, "x.y(1)");
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, YOU, "x.y()", &ticket), MBUS_E_FULL);
        scene_says(&s, "mbus.bye()");
        for (size_t i = 1; i <= RELIABLE_OUTSTANDING_MAX; ++i)
                fake_expect_ticket(s.e, i, MBUS_REASON_BYE);
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        scene_deinit(&s);
}
END_TEST

/* 16384 of the largest size were 1 GB for one entity, whose peer only had to be mute. */
START_TEST(test_octets_of_outstanding_messages_are_bounded_for_all_entities_together)
{
        static char payload[60000];
        struct entity *other;
        struct scene s;
        uint64_t ticket;
        size_t n = 0;

        memset(payload, ' ', sizeof(payload) - 1);
        memcpy(payload, "x.y(", 4);
        payload[sizeof(payload) - 2] = ')';
        scene_begin(&s, NULL);
        other = fake_entity(&s.bus, s.e, THEM);
        while (n < RELIABLE_OUTSTANDING_MAX &&
               fake_send_reliable(&s.bus, s.e, s.me, YOU, payload, &ticket) == 0)
                ++n;
        ck_assert_uint_eq(n, RELIABLE_BYTES_MAX / sizeof(payload));
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, other, YOU, payload, &ticket),
                         MBUS_E_FULL);
        fake_settle(&s.bus);
        fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 0));
        fake_expect_ticket(s.e, 1, MBUS_REASON_NONE);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, other, YOU, payload, &ticket), 0);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, YOU, payload, &ticket), MBUS_E_FULL);
        scene_says(&s, "mbus.bye()");
        fake_skip(s.e);
        scene_meet(&s);
        send_to(&s, YOU, payload);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_entity_that_is_removed_hears_no_more_of_its_tickets)
{
        struct scene s;
        struct entity *other;

        scene_begin(&s, NULL);
        other = fake_entity(&s.bus, s.e, THEM);
        send_to(&s, YOU, "x.y(1)");
        send_to(&s, YOU, "x.y(2)");
        engine_remove_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me);
        fake_run(&s.bus, 2000);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 2);
        fake_expect_nothing(s.e);
        ck_assert_ptr_nonnull(other);
        scene_deinit(&s);
}
END_TEST

/* ---- receiving ---- */

/* REL-02 REL-03 REL-09 MSG-13 */
START_TEST(test_message_to_our_full_address_in_any_order_is_acknowledged_at_once)
{
        static const char *const dests[] = { ME, "(id:1-0@127.0.0.1 app:me)",
                                             "( id:1-0@127.0.0.1\tapp:me )" };

        for (size_t i = 0; i < N(dests); ++i) {
                const struct fake_datagram *dg;
                struct scene s;
                uint32_t seq;

                scene_begin(&s, NULL);
                seq = s.you.seq;
                fake_say(&s.bus, s.e, &s.you, 'R', dests[i], "()", "x.y(1)");
                fake_expect_message(s.e, "x.y(1)");
                ck_assert_uint_eq(engine_deadline(s.e), 0);
                fake_settle(&s.bus);
                ck_assert_uint_eq(fake_count(&s.bus, ""), 1);
                dg = fake_find(&s.bus, "", 0);
                ck_assert_str_eq(dg->message->dest, YOU);
                ck_assert_str_eq(dg->message->src, ME);
                ck_assert(!dg->message->header.reliable);
                ck_assert_uint_eq(dg->message->header.payload, dg->message->text.n);
                ck_assert(is_acked(&s, seq));
                scene_deinit(&s);
        }
}
END_TEST

/* REL-02 */
START_TEST(test_message_to_a_subset_is_ignored)
{
        static const char *const dests[] = { "()", "(app:me)", "(id:1-0@127.0.0.1)" };
        struct scene s;

        scene_begin(&s, NULL);
        for (size_t i = 0; i < N(dests); ++i) {
                fake_say(&s.bus, s.e, &s.you, 'R', dests[i], "()", "x.y(1)");
                ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_SUBSET), i + 1);
        }
        /* One for somebody else is no loss. */
        fake_say(&s.bus, s.e, &s.you, 'R', THEM, "()", "x.y(1)");
        fake_say(&s.bus, s.e, &s.you, 'R', "(app:me id:1-0@127.0.0.1 x:y)", "()", "x.y(1)");
        fake_expect_nothing(s.e);
        fake_run(&s.bus, 700);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 0);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_SUBSET), N(dests));
        scene_deinit(&s);
}
END_TEST

/* REL-04 */
START_TEST(test_unreliable_message_is_never_acknowledged)
{
        struct scene s;

        scene_begin(&s, NULL);
        for (unsigned i = 0; i < 3; ++i) {
                s.you.seq = 5;
                fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "x.y(1)");
        }
        fake_expect_message(s.e, "x.y(1)");
        fake_expect_nothing(s.e);
        fake_run(&s.bus, 700);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 0);
        scene_deinit(&s);
}
END_TEST

/* REL-09 REL-10 */
START_TEST(test_whatever_a_batch_brought_is_acknowledged_in_few_messages_before_T_c)
{
        struct scene s;
        uint32_t first;
        size_t n;

        scene_begin(&s, NULL);
        first = s.you.seq;
        for (unsigned i = 0; i < 200; ++i)
                says_reliably(&s, "x.y(1)");
        fake_run(&s.bus, RELIABLE_T_C_MS - 1);
        for (uint32_t i = 0; i < 200; ++i)
                ck_assert_msg(is_acked(&s, first + i), "message %u is not acknowledged", i);
        n = fake_count(&s.bus, "");
        ck_assert_msg(n <= 4, "%zu acknowledgements", n);
        scene_deinit(&s);
}
END_TEST

/* REL-10 */
START_TEST(test_acknowledgement_rides_on_a_message_to_its_receiver_only)
{
        struct scene s;
        uint32_t seq;

        scene_begin(&s, NULL);
        seq = s.you.seq;
        says_reliably(&s, "x.y(1)");
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "(app:you)", "a.b()"), 0);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "a.b()"), 0);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, YOU, "c.d()"), 0);
        fake_run(&s.bus, 500);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 0);
        ck_assert(span_equal_text(fake_find(&s.bus, "a.b", 0)->message->header.acks, "()"));
        ck_assert(span_equal_text(fake_find(&s.bus, "a.b", 1)->message->header.acks, "()"));
        ck_assert(is_acked(&s, seq));
        scene_deinit(&s);
}
END_TEST

/* REL-11 */
START_TEST(test_repetition_is_acknowledged_with_its_whole_list_and_not_delivered_again)
{
        struct scene s;
        struct span first;
        uint32_t seq;

        scene_begin(&s, NULL);
        seq = s.you.seq;
        for (unsigned i = 0; i < 3; ++i)
                says_reliably(&s, "x.y(1)");
        fake_skip(s.e);
        fake_settle(&s.bus);
        s.you.seq = seq + 1;
        says_reliably(&s, "x.y(1)");
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_DUPLICATE), 1);
        fake_expect_nothing(s.e);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 2);
        first = acks_sent_in(&s, 0);
        ck_assert_uint_eq(acks_sent_in(&s, 1).n, first.n);
        fake_forget(&s.bus);
        /* Old programs repeat for seconds: that one only, then. */
        for (unsigned i = 0; i < 4; ++i) {
                fake_run(&s.bus, 1100);
                fake_inject(&s.bus, s.e, &s.you,
                            "mbus/1.0 1 1006271405000 R " YOU " " ME " ()\r\nx.y(1)");
        }
        fake_run(&s.bus, 10);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 4);
        ck_assert(span_equal_text(acks_sent_in(&s, 3), "(1)"));
        scene_deinit(&s);
}
END_TEST

/* REL-02: neither acknowledged nor forgotten, so that the repetition finds room. */
START_TEST(test_message_without_room_is_not_acknowledged_until_there_is)
{
        struct engine_options options = { .events_max = 2 };
        struct scene s;
        uint32_t seq;

        scene_begin(&s, &options);
        says_reliably(&s, "x.y(1)");
        says_reliably(&s, "x.y(2)");
        seq = s.you.seq;
        says_reliably(&s, "x.y(3)");
        fake_settle(&s.bus);
        ck_assert(is_acked(&s, seq - 1) && !is_acked(&s, seq));
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_EVENTS), 1);
        fake_expect_message(s.e, "x.y(1)");
        fake_expect_message(s.e, "x.y(2)");
        s.you.seq = seq;
        says_reliably(&s, "x.y(3)");
        fake_expect_message(s.e, "x.y(3)");
        fake_settle(&s.bus);
        ck_assert(is_acked(&s, seq));
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_destination_must_be_known_and_unique,
                test_destination_is_written_in_full,
                test_message_is_sent_at_0_100_and_300_ms_and_has_failed_at_600,
                test_acknowledged_message_is_delivered_and_not_repeated,
                test_round_trip_is_from_the_first_transmission,
                test_acknowledgement_of_anybody_else_does_not_count,
                test_one_list_acknowledges_several_messages_and_rides_on_any,
                test_tickets_of_a_peer_that_leaves_fail_with_its_reason,
                test_more_than_the_window_wait_in_line_in_order,
                test_outstanding_messages_are_bounded,
                test_octets_of_outstanding_messages_are_bounded_for_all_entities_together,
                test_entity_that_is_removed_hears_no_more_of_its_tickets,
                test_message_to_our_full_address_in_any_order_is_acknowledged_at_once,
                test_message_to_a_subset_is_ignored,
                test_unreliable_message_is_never_acknowledged,
                test_whatever_a_batch_brought_is_acknowledged_in_few_messages_before_T_c,
                test_acknowledgement_rides_on_a_message_to_its_receiver_only,
                test_repetition_is_acknowledged_with_its_whole_list_and_not_delivered_again,
                test_message_without_room_is_not_acknowledged_until_there_is,
        };

        return run_tests("engine-reliable", tests, N(tests));
}
