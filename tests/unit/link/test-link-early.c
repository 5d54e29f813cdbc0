/*
 * test-link-early.c - what an entity sends before a broker has answered, and what becomes of tickets
 * when a broker says nothing any more (spec/attach.md; spec/modes.md).
 */
#include <bus/bus.h>
#include <link/link.h>

#include "fake-broker.h"
#include "run.h"

static uint64_t send_as(struct mbus_entity *entity, const char *text)
{
        struct mbus_commands *c;
        uint64_t ticket = 0;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        ck_assert_int_eq(mbus_commands_add_text(c, text, NULL, NULL), 0);
        ck_assert_int_eq(mbus_entity_send_reliable(entity, "(app:peer)", c, &ticket), 0);
        mbus_commands_free(c);
        return ticket;
}

static void attach(struct world *w, uint32_t seq)
{
        say(w, "mbus/1.0 1 1 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\")", seq, seq);
        ck_assert_str_eq(event_expect(w->bus, MBUS_EVENT_READY)->address, ME);
}

START_TEST(test_what_is_sent_before_ready_goes_out_in_order_behind_it)
{
        struct world *w = world_new();
        const struct mbus_event *event;
        uint64_t ticket;
        uint32_t seq;

        w->me = entity_add(w->bus, "(app:x)");
        ck_assert_int_eq(mbus_entity_send_text(w->me, "(app:peer)", "one()"), 0);
        ticket = send_as(w->me, "two()");
        ck_assert_int_eq(mbus_entity_ping(w->me, "(app:peer)"), 0);
        seq = expect(w, ATTACH);
        ck_assert_ptr_null(next(w));
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "three()"), 0);
        attach(w, seq);
        expect(w, " U " ME " (app:peer) ()\r\none()");
        seq = expect(w, " R " ME " (app:peer) ()\r\ntwo()");
        expect(w, " U " ME " (app:peer) ()\r\nmbus.ping()");
        expect(w, " U " ME " () ()\r\nthree()");
        ck_assert_ptr_null(next(w));
        usleep(2000);
        say(w, "mbus/1.0 1 1 U " PEER " " ME " (%u)", seq);
        event = event_expect(w->bus, MBUS_EVENT_DELIVERED);
        ck_assert_uint_eq(event->ticket, ticket);
        ck_assert_uint_ge(event->round_trip, 2 * NSEC_PER_MSEC);
        ck_assert_uint_lt(event->round_trip, 60 * NSEC_PER_SEC);
        world_free(w);
}
END_TEST

START_TEST(test_a_refusal_tells_of_all_that_waits)
{
        struct world *w = world_new();
        const struct mbus_event *event;
        uint64_t tickets[2];
        uint32_t seq;

        w->me = entity_add(w->bus, "(app:x)");
        tickets[0] = send_as(w->me, "a()");
        for (unsigned i = 0; i < 3; i++)
                ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "b()"), 0);
        tickets[1] = send_as(w->me, "c()");
        seq = expect(w, ATTACH);
        say(w, "mbus/1.0 1 1 U " BROKER " () ()\r\nbroker.refused(%u denied \"not yours\")", seq);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_REFUSED);
        for (unsigned i = 0; i < 2; i++) {
                event = mbus_bus_pop_event(w->bus);
                ck_assert_int_eq(event->type, MBUS_EVENT_FAILED);
                ck_assert_uint_eq(event->ticket, tickets[i]);
                ck_assert_int_eq(event->reason, MBUS_REASON_DENIED);
                ck_assert_str_eq(event->why, "not yours");
        }
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_DROPPED);
        ck_assert_int_eq(event->drop, MBUS_DROP_SENT);
        ck_assert_uint_eq(event->count, 3);
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, MBUS_DROP_SENT), 3);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "b()"), MBUS_E_NOT_READY);
        world_free(w);
}
END_TEST

START_TEST(test_what_waits_outlives_a_link_and_not_its_entity)
{
        struct world *w = world_new();
        struct mbus_entity *other;
        uint32_t seq;

        w->me = entity_add(w->bus, "(app:x)");
        other = entity_add(w->bus, "(app:other)");
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "one()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(other, "()", "two()"), 0);
        send_as(other, "three()");
        mbus_entity_remove(other);
        ck_assert_uint_eq(event_expect(w->bus, MBUS_EVENT_DROPPED)->count, 1);
        broker_stop(w);
        turn(w);
        ck_assert_ptr_nonnull(event_expect(w->bus, MBUS_EVENT_LINK_DOWN));
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "four()"), 0);
        listen_at(w);
        while (!event_find(w->bus, MBUS_EVENT_LINK_UP))
                ck_assert_int_ge(mbus_bus_wait(w->bus, NSEC_PER_SEC / 10), 0);
        w->fd = accept(w->listener, NULL, NULL);
        seq = expect(w, " R (app:x) (app:mbus-broker) ()\r\n" ATTACH);
        attach(w, seq);
        expect(w, "\r\none()");
        expect(w, "\r\nfour()");
        ck_assert_ptr_null(next(w));
        world_free(w);
}
END_TEST

START_TEST(test_what_waits_is_bounded)
{
        struct world *w = world_new();
        static char text[65000];
        unsigned n = 0;
        uint32_t seq;

        memset(text, 'x', sizeof(text) - 1);
        memcpy(text, "a(\"", 3);
        memcpy(text + sizeof(text) - 3, "\")", 2);
        w->me = entity_add(w->bus, "(app:x)");
        while (mbus_entity_send_text(w->me, "()", text) == 0)
                ck_assert_uint_lt(++n, LINK_OUTPUT_MAX / sizeof(text) + 1);
        ck_assert_uint_gt(n, LINK_OUTPUT_MAX / sizeof(text) - 2);
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", text), MBUS_E_FULL);
        seq = expect(w, ATTACH);
        attach(w, seq);
        for (; n > 0; n--)
                expect(w, "\r\na(\"xx");
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", text), 0);
        expect(w, "\r\na(\"xx");
        world_free(w);
}
END_TEST

/* ---- silence ------------------------------------------------------------------------------- */

START_TEST(test_tickets_end_with_the_signs_of_life_and_not_by_their_age)
{
        struct world *w = world_with_entity();
        uint64_t ticket = send_reliable(w), start, deadline;
        const struct mbus_event *event;
        struct timespec time;
        uint32_t seq = expect(w, " R " ME);
        struct link *l = link_of(w->bus->mode);

        clock_gettime(CLOCK_MONOTONIC, &time);
        start = (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
        deadline = mbus_bus_get_deadline(w->bus);
        ck_assert_uint_ge(deadline, start + (LINK_SILENCE_MS - 5000) * NSEC_PER_MSEC);
        ck_assert_uint_le(deadline, start + (LINK_SILENCE_MS + 100) * NSEC_PER_MSEC);
        /* As if the last sign of life were older than that; then one comes. */
        l->alive_at -= (LINK_SILENCE_MS + 10000) * NSEC_PER_MSEC;
        say(w, "mbus/1.0 2 1 U " BROKER " () ()");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_uint_gt(mbus_bus_get_deadline(w->bus), start + 5 * NSEC_PER_SEC);
        /* And none. */
        l->alive_at -= (LINK_SILENCE_MS + 10000) * NSEC_PER_MSEC;
        ck_assert_uint_lt(mbus_bus_get_deadline(w->bus), start);
        ck_assert_int_eq(mbus_bus_process(w->bus), 0);
        event = event_expect(w->bus, MBUS_EVENT_FAILED);
        ck_assert_uint_eq(event->ticket, ticket);
        ck_assert_int_eq(event->reason, MBUS_REASON_TIMEOUT);
        ck_assert_uint_eq(mbus_bus_get_deadline(w->bus), UINT64_MAX);
        /* Whoever answers now is too late. */
        say(w, "mbus/1.0 9 1 U " PEER " " ME " (%u)", seq);
        say(w, "mbus/1.0 3 1 U " BROKER " () ()\r\nbroker.undelivered(%u unknown \"\")", seq);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        /* The link is as good as ever. */
        ticket = send_reliable(w);
        seq = expect(w, " R " ME);
        say(w, "mbus/1.0 10 1 U " PEER " " ME " (%u)", seq);
        ck_assert_uint_eq(event_expect(w->bus, MBUS_EVENT_DELIVERED)->ticket, ticket);
        world_free(w);
}
END_TEST

START_TEST(test_broker_names_a_longer_silence_and_no_shorter_one)
{
        static const struct {
                const char *named;
                uint64_t ms;
        } cases[] = {
                { "(silence 90000)", 90000 },
                { "(silence 90000) (silence 20000)", 90000 },
                { "(silence 100)", LINK_SILENCE_MS },
                { "(silence -1) (silence \"x\") (silence) (other 90000) 90000 silence",
                  LINK_SILENCE_MS },
        };

        for (size_t i = 0; i < N(cases); i++) {
                struct world *w = world_new();
                struct link *l = link_of(w->bus->mode);
                uint32_t seq;

                w->me = entity_add(w->bus, "(app:x)");
                seq = expect(w, ATTACH);
                say(w, "mbus/1.0 1 1 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\" %s)",
                    seq, seq, cases[i].named);
                ck_assert_ptr_nonnull(event_expect(w->bus, MBUS_EVENT_READY));
                ck_assert_uint_eq(l->silence, cases[i].ms * NSEC_PER_MSEC);
                world_free(w);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_is_sent_before_ready_goes_out_in_order_behind_it,
                test_a_refusal_tells_of_all_that_waits,
                test_what_waits_outlives_a_link_and_not_its_entity,
                test_what_waits_is_bounded,
                test_tickets_end_with_the_signs_of_life_and_not_by_their_age,
                test_broker_names_a_longer_silence_and_no_shorter_one,
        };

        return run_tests("link-early", tests, N(tests));
}
