/*
 * test-link-ready.c - waiting until a broker has attached an entity, without popping an event.
 */
#include <bus/bus.h>
#include <link/link.h>

#include "fake-broker.h"
#include "run.h"

#define MOMENT ((int64_t)(20 * NSEC_PER_MSEC))

static void attach(struct world *w, uint32_t seq)
{
        say(w, "mbus/1.0 1 1 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\")", seq, seq);
}

START_TEST(test_what_comes_meanwhile_keeps_its_order)
{
        struct world *w = world_new();

        w->me = entity_add(w->bus, "(app:x)");
        ck_assert_int_eq(mbus_bus_wait_ready(w->me, MOMENT), MBUS_E_NOT_READY);
        ck_assert_str_ne(mbus_bus_get_error(w->bus), "");
        ck_assert_int_eq(mbus_bus_wait_ready(w->me, 0), MBUS_E_NOT_READY);
        attach(w, expect(w, ATTACH));
        say(w, "mbus/1.0 1 1 U " PEER " " ME " ()\r\none()");
        say(w, "mbus/1.0 2 1 U " PEER " " ME " ()\r\ntwo()");
        ck_assert_int_eq(mbus_bus_wait_ready(w->me, -1), 0);
        ck_assert_int_eq(mbus_bus_wait_ready(w->me, 0), 0);
        ck_assert_str_eq(event_expect(w->bus, MBUS_EVENT_READY)->address, ME);
        ck_assert_str_eq(
                mbus_message_get_command(event_expect(w->bus, MBUS_EVENT_MESSAGE)->message, 0),
                "one");
        ck_assert_str_eq(
                mbus_message_get_command(event_expect(w->bus, MBUS_EVENT_MESSAGE)->message, 0),
                "two");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_a_refusal_ends_the_wait_with_its_reason)
{
        static const struct {
                const char *reason;
                int error;
        } cases[] = { { "denied", MBUS_E_DENIED },
                      { "full", MBUS_E_FULL },
                      { "taken", MBUS_E_TAKEN } };

        for (size_t i = 0; i < N(cases); i++) {
                struct world *w = world_new();
                uint32_t seq;

                w->me = entity_add(w->bus, "(app:x id:9-1@127.0.0.1)");
                seq = expect(w, ATTACH);
                say(w, "mbus/1.0 1 1 U " BROKER " () ()\r\nbroker.refused(%u %s \"not yours\")",
                    seq, cases[i].reason);
                ck_assert_int_eq(mbus_bus_wait_ready(w->me, -1), cases[i].error);
                ck_assert_int_eq(event_expect(w->bus, MBUS_EVENT_REFUSED)->type,
                                 MBUS_EVENT_REFUSED);
                world_free(w);
        }
}
END_TEST

/* The address is known, and yet nothing can be sent. */
START_TEST(test_after_a_lost_link_an_entity_is_waited_for_anew)
{
        struct world *w = world_new();

        w->me = entity_add(w->bus, "(app:x)");
        attach(w, expect(w, ATTACH));
        ck_assert_int_eq(mbus_bus_wait_ready(w->me, -1), 0);
        broker_stop(w);
        while (mbus_bus_wait_ready(w->me, MOMENT) == 0)
                ck_assert_int_ge(mbus_bus_process(w->bus), 0);
        ck_assert_int_eq(mbus_bus_wait_ready(w->me, MOMENT), MBUS_E_NOT_READY);
        event_expect(w->bus, MBUS_EVENT_READY);
        event_expect(w->bus, MBUS_EVENT_LINK_DOWN);
        world_free(w);
}
END_TEST

/* Nothing more is read, so it would wait for ever. */
START_TEST(test_behind_too_many_events_nobody_becomes_ready)
{
        struct world *w = world_new();
        struct mbus_entity *second;
        uint32_t seq;

        w->me = entity_add(w->bus, "(app:x)");
        attach(w, expect(w, ATTACH));
        ck_assert_int_eq(mbus_bus_wait_ready(w->me, -1), 0);
        second = entity_add(w->bus, "(app:y)");
        seq = expect(w, "(app:y)");
        (void)seq;
        for (unsigned i = 0; mbus_bus_wait_ready(second, 0) == MBUS_E_NOT_READY; i++) {
                ck_assert_uint_lt(i, 100000);
                say(w, "mbus/1.0 %u 1 U " PEER " " ME " ()\r\nflood()", i);
        }
        ck_assert_int_eq(mbus_bus_wait_ready(second, -1), MBUS_E_FULL);
        world_free(w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_comes_meanwhile_keeps_its_order,
                test_a_refusal_ends_the_wait_with_its_reason,
                test_after_a_lost_link_an_entity_is_waited_for_anew,
                test_behind_too_many_events_nobody_becomes_ready,
        };

        return run_tests("link-ready", tests, N(tests));
}
