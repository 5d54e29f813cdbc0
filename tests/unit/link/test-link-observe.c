/*
 * test-link-observe.c - observing and watching through a broker: asked for, granted, refused, taken
 * back (spec/attach.md).
 */
#include <bus/bus.h>
#include "fake-broker.h"
#include "run.h"

START_TEST(test_copies_for_a_monitor_are_observed_and_nothing_else)
{
        struct world *w = world_with_entity();

        observe_hello(w->bus);
        expect(w, " R () (app:mbus-broker) ()\r\nbroker.observe(1)");
        say_frame(w, true, "mbus/1.0 1 9 R " PEER " " ME " ()\r\na()");
        turn(w);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_OBSERVED);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_ptr_null(next(w));
        world_free(w);
}
END_TEST

/* The link is lost, and there again. */
static void broker_restart(struct world *w)
{
        broker_stop(w);
        turn(w);
        event_expect(w->bus, MBUS_EVENT_LINK_DOWN);
        listen_at(w);
        while (!event_find(w->bus, MBUS_EVENT_LINK_UP))
                ck_assert_int_ge(mbus_bus_wait(w->bus, NSEC_PER_SEC), 0);
        w->fd = accept(w->listener, NULL, NULL);
}

/* The broker filters, and is asked again on a new link. */
START_TEST(test_filters_of_an_observer_are_the_brokers_to_apply)
{
        struct world *w = world_with_entity();
        struct mbus_observation *o;

        ck_assert_int_eq(mbus_observation_new(&o), 0);
        mbus_observation_add_filter(o, "(app:a)", "audio.", "studio");
        mbus_observation_add_filter(o, NULL, NULL, NULL);
        mbus_observation_set_hello(o, true);
        ck_assert_int_eq(mbus_bus_observe(w->bus, o), 0);
        mbus_observation_free(o);
        expect(w, "\r\nbroker.observe(1 (\"(app:a)\" \"audio.\" \"studio\") (\"()\" \"\" "
                  "\"main\"))");
        ck_assert_int_eq(observe_filtered(w->bus, "(app:a", NULL, NULL), MBUS_E_MALFORMED);
        ck_assert_ptr_null(next(w));
        /* What was asked for before still counts. */
        broker_restart(w);
        expect(w, "broker.observe(1 (\"(app:a)\" \"audio.\" \"studio\") ");
        world_free(w);
}
END_TEST

START_TEST(test_a_bus_that_the_broker_is_not_on_cannot_be_observed)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        uint32_t seq;

        ck_assert_int_eq(observe_filtered(w->bus, NULL, NULL, "studio"), 0);
        seq = expect(w, "broker.observe(0 (\"()\" \"\" \"studio\"))");
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.undelivered(%u unknown \"x\")", seq);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_ptr_nonnull(event);
        ck_assert_int_eq(event->type, MBUS_EVENT_UNOBSERVED);
        ck_assert_int_eq(event->reason, MBUS_REASON_UNKNOWN);
        world_free(w);
}
END_TEST

START_TEST(test_an_observer_is_told_once_that_it_is_one)
{
        struct world *w = world_with_entity();
        uint32_t seq;

        ck_assert_int_eq(mbus_bus_observe(w->bus, NULL), 0);
        seq = expect(w, "broker.observe(0)");
        say(w, "mbus/1.0 1 9 U " BROKER " () (%u)", seq + 1);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        /* Nobody else can say so. */
        say(w, "mbus/1.0 1 9 U " PEER " " ME " (%u)", seq);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        say(w, "mbus/1.0 1 9 U " BROKER " () (%u)", seq);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_OBSERVING);
        say(w, "mbus/1.0 1 9 U " BROKER " () (%u)", seq);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_an_observer_that_is_refused_is_told_why_and_may_ask_again)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        uint32_t seq;

        for (unsigned i = 0; i < 2; i++) {
                ck_assert_int_eq(mbus_bus_observe(w->bus, NULL), 0);
                seq = expect(w, "broker.observe(0)");
                say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.undelivered(%u denied \"x\")",
                    seq);
                event = mbus_bus_pop_event(w->bus);
                ck_assert_ptr_nonnull(event);
                ck_assert_int_eq(event->type, MBUS_EVENT_UNOBSERVED);
                ck_assert_int_eq(event->reason, MBUS_REASON_DENIED);
                ck_assert_str_eq(event->why, "x");
                ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        }
        world_free(w);
}
END_TEST

START_TEST(test_a_watch_that_is_refused_is_told_and_the_others_go_on)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        uint32_t seq;

        ck_assert_int_eq(mbus_bus_watch(w->bus, "(app:y)"), 0);
        ck_assert_int_eq(mbus_bus_watch(w->bus, "(app:peer)"), 0);
        seq = expect(w, "broker.watch(\"(app:y)\")");
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.undelivered(%u full \"x\")", seq);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_ptr_nonnull(event);
        ck_assert_int_eq(event->type, MBUS_EVENT_UNWATCHED);
        ck_assert_str_eq(event->address, "(app:y)");
        ck_assert_int_eq(event->reason, MBUS_REASON_FULL);
        ck_assert_str_eq(event->why, "x");
        seq = expect(w, "broker.watch(\"(app:peer)\")");
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.joined(\"" PEER "\" 1)");
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.watching(%u)", seq);
        event_expect(w->bus, MBUS_EVENT_JOINED);
        event_expect(w->bus, MBUS_EVENT_WATCHING);
        world_free(w);
}
END_TEST

START_TEST(test_what_the_broker_takes_back_is_told_and_who_is_not_watched_has_left)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        uint32_t seq;

        ck_assert_int_eq(mbus_bus_watch(w->bus, "(app:peer)"), 0);
        seq = expect(w, "broker.watch(\"(app:peer)\")");
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.joined(\"" PEER "\" 1)");
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.watching(%u)", seq);
        ck_assert_int_eq(mbus_bus_observe(w->bus, NULL), 0);
        seq = expect(w, "broker.observe(0)");
        say(w, "mbus/1.0 1 9 U " BROKER " () (%u)", seq);
        events_clear(w->bus);
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.unwatched(denied \"less\")\r\n"
               "broker.unobserved(denied \"x\")");
        event = event_expect(w->bus, MBUS_EVENT_LEFT);
        ck_assert_str_eq(event->address, PEER);
        ck_assert_int_eq(event->reason, MBUS_REASON_DENIED);
        event = event_expect(w->bus, MBUS_EVENT_UNWATCHED);
        ck_assert_str_eq(event->address, "(app:peer)");
        ck_assert_int_eq(event->reason, MBUS_REASON_DENIED);
        ck_assert_str_eq(event->why, "less");
        event = event_expect(w->bus, MBUS_EVENT_UNOBSERVED);
        ck_assert_int_eq(event->reason, MBUS_REASON_DENIED);
        ck_assert_str_eq(event->why, "x");
        /* A new link asks for neither. */
        broker_restart(w);
        expect(w, ATTACH);
        ck_assert_ptr_null(next(w));
        world_free(w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_copies_for_a_monitor_are_observed_and_nothing_else,
                test_filters_of_an_observer_are_the_brokers_to_apply,
                test_a_bus_that_the_broker_is_not_on_cannot_be_observed,
                test_an_observer_is_told_once_that_it_is_one,
                test_an_observer_that_is_refused_is_told_why_and_may_ask_again,
                test_a_watch_that_is_refused_is_told_and_the_others_go_on,
                test_what_the_broker_takes_back_is_told_and_who_is_not_watched_has_left,
        };

        return run_tests("link-observe", tests, N(tests));
}
