/*
 * test-sendf.c - what is sent from a format arrives as it was meant, and what cannot be is said
 * with its place; an entity is waited for; the time-out for poll().
 */
#include <limits.h>
#include <string.h>

#include <bus/bus.h>
#include <io/clock.h>

#include "mem-world.h"
#include "run.h"

START_TEST(test_what_is_sent_from_a_format_is_read_by_a_signature)
{
        struct world w = world_new();
        const struct mbus_event *event;
        const char *text = NULL, *symbol = NULL, *inner = NULL;
        /* Where numbers are reckoned in more than a double has, 0.1 as it stands is another one. */
        const double tenth = 0.1;
        int64_t integer = 0;
        double real = 0;
        uint64_t ticket;

        for (unsigned reliable = 0; reliable < 2; reliable++) {
                if (reliable)
                        ck_assert_int_eq(mbus_entity_sendf_reliable(w.ui, "(module:engine)",
                                                                    &ticket, "a(%s Y %lld (%g %s))",
                                                                    "\"x\\\n", LLONG_MIN, tenth,
                                                                    ")"),
                                         0);
                else
                        ck_assert_int_eq(mbus_entity_sendf(w.ui, "(module:engine)",
                                                           "a(%s Y %lld (%g %s))", "\"x\\\n",
                                                           LLONG_MIN, tenth, ")"),
                                         0);
                turn(&w);
                event = event_expect(w.b, MBUS_EVENT_MESSAGE);
                ck_assert_int_eq(mbus_message_is_reliable(event->message), reliable);
                ck_assert_int_eq(mbus_value_scan(mbus_message_get_args(event->message, 0),
                                                 "s y i (f s)", &text, &symbol, &integer, &real,
                                                 &inner),
                                 0);
                ck_assert_str_eq(text, "\"x\\\n");
                ck_assert_str_eq(symbol, "Y");
                ck_assert_str_eq(inner, ")");
                ck_assert(integer == INT64_MIN && real == tenth);
        }
        event = event_expect(w.a, MBUS_EVENT_DELIVERED);
        ck_assert_uint_eq(event->ticket, ticket);
        world_free(&w);
}
END_TEST

START_TEST(test_what_is_wrong_with_a_format_is_said_with_its_place)
{
        struct world w = world_new();
        uint64_t ticket = 77;

        ck_assert_int_eq(mbus_entity_sendf(w.ui, "()", "load(%s %c)", "long enough", 'x'),
                         MBUS_E_MALFORMED);
        ck_assert_str_eq(mbus_bus_get_error(w.a),
                         "load(%s %c), at 8: known are %s, %d, %i and %u with hh h l ll j "
                         "z t, %f and %g");
        ck_assert_int_eq(
                mbus_entity_sendf_reliable(w.ui, "(module:engine)", &ticket, "load(\"%s\")", "x"),
                MBUS_E_MALFORMED);
        ck_assert_ptr_nonnull(strstr(mbus_bus_get_error(w.a), "load(\"%s\"), at 5: a quote"));
        ck_assert_int_eq(mbus_entity_sendf(w.ui, "()", "mbus.hello()\n"), MBUS_E_RESERVED);
        ck_assert_ptr_nonnull(strstr(mbus_bus_get_error(w.a), "at 0: "));
        ck_assert_int_eq(mbus_entity_sendf(w.ui, "(", "a()"), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_entity_sendf(w.ui, "()", "mbus.go(%s)", "x"), MBUS_E_RESERVED);
        ck_assert_int_eq(mbus_entity_sendf_reliable(w.ui, "(app:nobody)", &ticket, "a()"),
                         MBUS_E_UNKNOWN);
        ck_assert_uint_eq(ticket, 77);
        turn(&w);
        ck_assert_ptr_null(mbus_bus_pop_event(w.b));
        world_free(&w);
}
END_TEST

START_TEST(test_waiting_for_an_entity_eats_no_event)
{
        struct world w = world_new();
        struct mbus_entity *second;

        ck_assert_int_eq(mbus_entity_send_text(w.engine, "(module:ui)", "first()"), 0);
        turn(&w);
        second = entity_add(w.a, "(module:second)");
        ck_assert_int_eq(mbus_bus_wait_ready(second, -1), 0);
        ck_assert_int_eq(mbus_bus_wait_ready(w.ui, 0), 0);
        ck_assert_ptr_nonnull(mbus_entity_get_address(second));
        event_expect(w.a, MBUS_EVENT_READY);
        event_expect(w.a, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_null(mbus_bus_pop_event(w.a));
        world_free(&w);
}
END_TEST

START_TEST(test_an_entity_that_is_refused_is_not_waited_for)
{
        struct world w = world_new();
        struct mbus_entity *same;

        entity_add(w.b, "(app:same id:1-1@127.0.0.1)");
        turn(&w);
        same = entity_add(w.a, "(app:same id:1-1@127.0.0.1)");
        ck_assert_int_eq(mbus_bus_wait_ready(same, -1), MBUS_E_TAKEN);
        ck_assert_str_eq(mbus_bus_get_error(w.a), mbus_reason_text(MBUS_REASON_TAKEN));
        event_expect(w.a, MBUS_EVENT_REFUSED);
        ck_assert_int_eq(mbus_bus_wait_ready(same, -1), MBUS_E_TAKEN);
        world_free(&w);
}
END_TEST

/* What poll() is told is never before the deadline, nor a whole ms behind it. */
START_TEST(test_the_time_out_for_poll_is_the_deadline_rounded_up)
{
        struct world w = world_new();
        uint64_t ticket;

        for (unsigned i = 0; i < 1000; i++) {
                uint64_t before = clock_now(), deadline = mbus_bus_get_deadline(w.a), after;
                int ms = mbus_bus_get_timeout_ms(w.a);

                after = clock_now();
                if (deadline == UINT64_MAX) {
                        ck_assert_int_eq(ms, -1);
                        continue;
                }
                ck_assert_int_ge(ms, 0);
                ck_assert(after + (uint64_t)ms * NSEC_PER_MSEC >= deadline);
                if (ms > 0)
                        ck_assert(before + (uint64_t)(ms - 1) * NSEC_PER_MSEC < deadline);
        }
        ck_assert_int_eq(mbus_entity_sendf_reliable(w.ui, "(module:engine)", &ticket, "a()"), 0);
        ck_assert_uint_eq(mbus_bus_get_deadline(w.a), 0);
        ck_assert_int_eq(mbus_bus_get_timeout_ms(w.a), 0);
        world_free(&w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_is_sent_from_a_format_is_read_by_a_signature,
                test_what_is_wrong_with_a_format_is_said_with_its_place,
                test_waiting_for_an_entity_eats_no_event,
                test_an_entity_that_is_refused_is_not_waited_for,
                test_the_time_out_for_poll_is_the_deadline_rounded_up,
        };

        return run_tests("sendf", tests, N(tests));
}
