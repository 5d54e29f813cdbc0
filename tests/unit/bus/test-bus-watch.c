/*
 * test-bus-watch.c - the public library on a bus inside the process: who is known, what is
 * observed, what happens to events that nobody pops, and the main loop.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <bus/bus.h>
#include "mem-world.h"
#include "run.h"

/* Sends a payload as only the library may. */
static int send_raw(struct mbus_entity *from, const char *payload)
{
        return from->mode->ops->send(from, &ADDRESS_ALL, span_of(payload), NULL);
}

/* ---- other entities ------------------------------------------------------------------------ */

START_TEST(test_a_watch_reports_who_is_there_who_comes_and_who_goes)
{
        struct world w = world_new();
        const struct mbus_event *event;
        struct mbus_entity *late;
        char address[100];

        ck_assert_int_eq(mbus_bus_watch(w.a, "(app:player)"), 0);
        event = mbus_bus_pop_event(w.a);
        ck_assert_int_eq(event->type, MBUS_EVENT_JOINED);
        ck_assert_str_eq(event->address, mbus_entity_get_address(w.engine));
        ck_assert_int_eq(mbus_bus_pop_event(w.a)->type, MBUS_EVENT_WATCHING);
        ck_assert_ptr_null(mbus_bus_pop_event(w.a));

        late = entity_add(w.c, "(app:player module:late)");
        entity_add(w.c, "(app:other)");
        strcpy(address, mbus_entity_get_address(late));
        turn(&w);
        event = mbus_bus_pop_event(w.a);
        ck_assert_int_eq(event->type, MBUS_EVENT_JOINED);
        ck_assert_str_eq(event->address, address);
        ck_assert_ptr_null(mbus_bus_pop_event(w.a));

        mbus_entity_remove(late);
        turn(&w);
        event = mbus_bus_pop_event(w.a);
        ck_assert_int_eq(event->type, MBUS_EVENT_LEFT);
        ck_assert_str_eq(event->address, address);
        ck_assert_int_eq(event->reason, MBUS_REASON_BYE);
        world_free(&w);
}
END_TEST

START_TEST(test_watches_that_overlap_report_each_entity_once)
{
        struct world w = world_new();
        size_t joined = 0, watching = 0;

        entity_add(w.c, "(app:other)");
        ck_assert_int_eq(mbus_bus_watch(w.a, "(app:player)"), 0);
        turn(&w);
        ck_assert_int_eq(mbus_bus_watch(w.a, "()"), 0);
        ck_assert_int_eq(mbus_bus_watch(w.a, "(module:engine)"), 0);
        for (const struct mbus_event *e; (e = mbus_bus_pop_event(w.a));) {
                joined += e->type == MBUS_EVENT_JOINED;
                watching += e->type == MBUS_EVENT_WATCHING;
        }
        ck_assert_uint_eq(joined, 2);
        ck_assert_uint_eq(watching, 3);
        world_free(&w);
}
END_TEST

START_TEST(test_watches_are_bounded)
{
        struct mbus_bus *bus = bus_open("mem:watches", NULL);

        for (int i = 0; i < WATCHES_MAX; i++)
                ck_assert_int_eq(mbus_bus_watch(bus, "()"), 0);
        ck_assert_int_eq(mbus_bus_watch(bus, "()"), MBUS_E_FULL);
        ck_assert_int_eq(mbus_bus_watch(bus, "(x"), MBUS_E_MALFORMED);
        mbus_bus_close(bus);
}
END_TEST

START_TEST(test_a_snapshot_holds_the_known_and_watched_others)
{
        struct world w = world_new();
        struct mbus_peers *peers;

        ck_assert_int_eq(mbus_peers_new(w.a, "()", &peers), 0);
        ck_assert_uint_eq(mbus_peers_get_n(peers), 0);
        mbus_peers_free(peers);
        ck_assert_int_eq(mbus_bus_watch(w.a, "()"), 0);
        ck_assert_int_eq(mbus_peers_new(w.a, "(module:engine)", &peers), 0);
        ck_assert_uint_eq(mbus_peers_get_n(peers), 1);
        ck_assert_str_eq(mbus_peers_get_address(peers, 0), mbus_entity_get_address(w.engine));
        ck_assert_uint_lt(mbus_peers_get_age(peers, 0), 600 * NSEC_PER_SEC);
        ck_assert_ptr_null(mbus_peers_get_address(peers, 1));
        mbus_peers_free(peers);
        ck_assert_int_eq(mbus_peers_new(w.a, "(module:ui)", &peers), 0);
        ck_assert_uint_eq(mbus_peers_get_n(peers), 0);
        ck_assert_ptr_null(mbus_peers_free(peers));
        ck_assert_ptr_null(mbus_peers_free(NULL));
        ck_assert_int_eq(mbus_peers_new(w.a, "x", &peers), MBUS_E_MALFORMED);
        world_free(&w);
}
END_TEST

START_TEST(test_an_observer_sees_messages_for_others)
{
        struct world w = world_new();
        const struct mbus_event *event;

        ck_assert_int_eq(mbus_bus_observe(w.c, NULL), 0);
        event_expect(w.c, MBUS_EVENT_OBSERVING);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(module:engine)", "a()"), 0);
        turn(&w);
        event = event_expect(w.c, MBUS_EVENT_OBSERVED);
        ck_assert_str_eq(mbus_message_get_command(event->message, 0), "a");
        ck_assert_ptr_null(event->entity);
        ck_assert_ptr_null(event_find(w.c, MBUS_EVENT_MESSAGE));
        world_free(&w);
}
END_TEST

START_TEST(test_an_observer_with_filters_sees_what_one_of_them_lets_pass)
{
        struct world w = world_new();
        struct mbus_observation *o;

        ck_assert_int_eq(mbus_observation_new(&o), 0);
        mbus_observation_add_filter(o, "(module:engine)", "audio.", "main");
        mbus_observation_add_filter(o, "(app:rare)", NULL, NULL);
        ck_assert_int_eq(mbus_bus_observe(w.c, o), 0);
        mbus_observation_free(o);
        event_expect(w.c, MBUS_EVENT_OBSERVING);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(app:player)", "audio.to_all()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(module:engine)", "video.x()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(module:engine)", "video.x()\naudio.y()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(w.engine, "()", "audio.z()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(app:rare module:x)", "any()"), 0);
        turn(&w);
        ck_assert_str_eq(
                mbus_message_get_command(event_expect(w.c, MBUS_EVENT_OBSERVED)->message, 1),
                "audio.y");
        ck_assert_str_eq(
                mbus_message_get_command(event_expect(w.c, MBUS_EVENT_OBSERVED)->message, 0),
                "audio.z");
        ck_assert_str_eq(
                mbus_message_get_command(event_expect(w.c, MBUS_EVENT_OBSERVED)->message, 0),
                "any");
        ck_assert_ptr_null(event_find(w.c, MBUS_EVENT_OBSERVED));
        world_free(&w);
}
END_TEST

/* Nobody pops: what the filters hold back takes no room from what they let pass. */
START_TEST(test_a_slow_observer_of_few_messages_loses_none_to_the_many)
{
        struct world w = world_new();
        uint64_t seen = 0;

        ck_assert_int_eq(observe_filtered(w.c, "(app:rare)", NULL, NULL), 0);
        event_expect(w.c, MBUS_EVENT_OBSERVING);
        for (size_t i = 0; i < EVENTS_MAX + 5000; i++) {
                const char *to = i % 5000 == 0 ? "(app:rare)" : "(module:engine)";

                ck_assert_int_eq(mbus_entity_send_text(w.ui, to, "a()"), 0);
                if (i % 1000 == 999)
                        turn(&w);
        }
        turn(&w);
        for (const struct mbus_event *e; (e = mbus_bus_pop_event(w.c)); seen++)
                ck_assert_int_eq(e->type, MBUS_EVENT_OBSERVED);
        ck_assert_uint_eq(seen, (EVENTS_MAX + 5000 + 4999) / 5000);
        ck_assert_uint_eq(mbus_bus_get_dropped(w.c, MBUS_DROP_EVENTS), 0);
        world_free(&w);
}
END_TEST

START_TEST(test_filters_that_make_no_sense_are_refused_and_the_old_ones_stay)
{
        struct world w = world_new();
        struct mbus_observation *o;

        ck_assert_int_eq(observe_filtered(w.c, "(app:rare)", NULL, NULL), 0);
        ck_assert_int_eq(observe_filtered(w.c, "app:x", NULL, NULL), MBUS_E_MALFORMED);
        ck_assert_int_eq(observe_filtered(w.c, NULL, "a b", NULL), MBUS_E_MALFORMED);
        ck_assert_int_eq(observe_filtered(w.c, NULL, NULL, ""), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_observation_new(&o), 0);
        for (int i = 0; i <= MBUS_FILTERS_MAX; i++)
                mbus_observation_add_filter(o, "()", "", "main");
        ck_assert_int_eq(mbus_bus_observe(w.c, o), MBUS_E_FULL);
        mbus_observation_free(o);
        ck_assert_ptr_null(mbus_observation_free(NULL));
        event_expect(w.c, MBUS_EVENT_OBSERVING);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(app:rare)", "b()"), 0);
        turn(&w);
        ck_assert_str_eq(
                mbus_message_get_command(event_expect(w.c, MBUS_EVENT_OBSERVED)->message, 0), "b");
        world_free(&w);
}
END_TEST

START_TEST(test_there_is_no_other_bus_than_main_without_a_broker)
{
        struct world w = world_new();
        const struct mbus_event *event;

        ck_assert_int_eq(observe_filtered(w.c, NULL, NULL, "studio"), 0);
        event = mbus_bus_pop_event(w.c);
        ck_assert_int_eq(event->type, MBUS_EVENT_UNOBSERVED);
        ck_assert_int_eq(event->reason, MBUS_REASON_UNKNOWN);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a()"), 0);
        turn(&w);
        ck_assert_ptr_null(mbus_bus_pop_event(w.c));
        world_free(&w);
}
END_TEST

/* CTL-01 */
START_TEST(test_a_request_to_quit_is_an_event_and_nothing_else)
{
        struct world w = world_new();
        const struct mbus_event *event;

        ck_assert_int_eq(send_raw(w.ui, "mbus.quit()"), 0);
        turn(&w);
        event = mbus_bus_pop_event(w.b);
        ck_assert_ptr_nonnull(event);
        ck_assert_int_eq(event->type, MBUS_EVENT_QUIT);
        ck_assert_ptr_eq(event->entity, w.engine);
        ck_assert_str_eq(mbus_message_get_source(event->message), mbus_entity_get_address(w.ui));
        ck_assert_ptr_null(mbus_bus_pop_event(w.b));
        ck_assert_int_eq(send_reliable(w.ui, "(module:engine)", &(uint64_t){ 0 }), 0);
        world_free(&w);
}
END_TEST

START_TEST(test_awareness_is_the_librarys_and_the_rest_of_a_message_the_applications)
{
        struct world w = world_new();

        ck_assert_int_eq(mbus_entity_ping(w.ui, "()"), 0);
        ck_assert_int_eq(send_raw(w.ui, "mbus.hello()\r\nmbus.ping()"), 0);
        turn(&w);
        ck_assert_ptr_null(mbus_bus_pop_event(w.b));
        ck_assert_int_eq(send_raw(w.ui, "mbus.hello()\r\na()"), 0);
        turn(&w);
        event_expect(w.b, MBUS_EVENT_MESSAGE);
        world_free(&w);
}
END_TEST

/* ---- limits and the main loop -------------------------------------------------------------- */

START_TEST(test_what_an_application_does_not_pop_is_counted_and_reported)
{
        struct world w = world_new();
        const size_t sent = EVENTS_MAX + 5000;
        uint64_t messages = 0, dropped = 0;
        struct mbus_commands *c;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        mbus_commands_begin(c, "a");
        mbus_commands_end(c);
        for (size_t i = 0; i < sent; i++) {
                ck_assert_int_eq(mbus_entity_send(w.ui, "(module:engine)", c), 0);
                if (i % 1000 == 999)
                        turn(&w);
        }
        mbus_commands_free(c);
        turn(&w);
        for (const struct mbus_event *e; (e = mbus_bus_pop_event(w.b));) {
                messages += e->type == MBUS_EVENT_MESSAGE;
                if (e->type == MBUS_EVENT_DROPPED) {
                        ck_assert_int_eq(e->drop, MBUS_DROP_EVENTS);
                        dropped += e->count;
                }
        }
        ck_assert_uint_ge(dropped, 5000);
        ck_assert_uint_eq(messages + dropped, sent);
        ck_assert_uint_eq(mbus_bus_get_dropped(w.b, MBUS_DROP_EVENTS), dropped);
        ck_assert_uint_eq(mbus_bus_get_dropped(w.b, MBUS_DROP_MAX), 0);
        world_free(&w);
}
END_TEST

START_TEST(test_an_inbox_that_nobody_empties_loses_datagrams_and_counts_them)
{
        struct world w = world_new();
        char text[60004];

        memset(text, 'x', sizeof(text));
        memcpy(text, "a(\"", 3);
        memcpy(text + sizeof(text) - 3, "\")", 3);
        for (int i = 0; i < 200; i++)
                ck_assert_int_eq(mbus_entity_send_text(w.ui, "(module:engine)", text), 0);
        ck_assert_int_ge(mbus_bus_process(w.b), 0);
        ck_assert_uint_gt(mbus_bus_get_dropped(w.b, MBUS_DROP_SOCKET), 0);
        world_free(&w);
}
END_TEST

START_TEST(test_one_descriptor_is_readable_exactly_when_there_is_something_to_do)
{
        struct world w = world_new();
        struct pollfd fd = { .events = POLLIN };
        int again;

        ck_assert_int_eq(mbus_bus_get_fd(w.b, &fd.fd), 0);
        ck_assert_int_eq(mbus_bus_get_fd(w.b, &again), 0);
        ck_assert_int_eq(again, fd.fd);
        turn(&w);
        ck_assert_int_eq(poll(&fd, 1, 0), bus_is_due(w.b));
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a()"), 0);
        ck_assert_int_eq(poll(&fd, 1, 0), 1);
        turn(&w);
        event_expect(w.b, MBUS_EVENT_MESSAGE);
        /* Its first hello comes by the timer, and makes the descriptor readable. */
        ck_assert_int_eq(poll(&fd, 1, 60000), 1);
        world_free(&w);
}
END_TEST

START_TEST(test_waiting_ends_with_an_event_or_with_the_time)
{
        struct world w = world_new();
        struct pollfd fds[1];
        size_t n;

        ck_assert_int_eq(mbus_bus_wait(w.b, 0), MBUS_E_NOT_READY);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a()"), 0);
        ck_assert_int_eq(mbus_bus_wait(w.b, -1), 0);
        ck_assert_int_eq(mbus_bus_wait(w.b, -1), 0);
        event_expect(w.b, MBUS_EVENT_MESSAGE);
        ck_assert_int_eq(mbus_bus_wait(w.b, 0), MBUS_E_NOT_READY);
        ck_assert_int_eq(mbus_bus_wait(w.b, 1000), MBUS_E_NOT_READY);
        ck_assert_int_eq(mbus_bus_get_pollfds(w.b, fds, 0, &n), MBUS_E_FULL);
        world_free(&w);
}
END_TEST

START_TEST(test_buses_of_other_names_hear_nothing)
{
        struct mbus_bus *buses[3] = { bus_open("mem:one", NULL), bus_open("mem:two", NULL), NULL };
        struct mbus_entity *entity = entity_add(buses[0], "(app:x)");

        entity_add(buses[1], "(app:y)");
        events_clear(buses[1]);
        ck_assert_int_eq(mbus_bus_watch(buses[1], "()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(entity, "()", "a()"), 0);
        buses_settle(buses);
        ck_assert_int_eq(mbus_bus_pop_event(buses[1])->type, MBUS_EVENT_WATCHING);
        ck_assert_ptr_null(mbus_bus_pop_event(buses[1]));
        mbus_bus_close(buses[0]);
        mbus_bus_close(buses[1]);
}
END_TEST

/* Receives in a thread of its own until the last message came; returns how many came. */
static void *receive_all(void *data)
{
        struct mbus_bus *bus = data;
        const struct mbus_event *event;
        uintptr_t n = 0;

        while (mbus_bus_wait(bus, 60 * (int64_t)NSEC_PER_SEC) == 0) {
                event = mbus_bus_pop_event(bus);
                if (!event || event->type != MBUS_EVENT_MESSAGE)
                        continue;
                n++;
                if (strcmp(mbus_message_get_command(event->message, 0), "last") == 0)
                        break;
        }
        return (void *)n;
}

START_TEST(test_buses_of_one_name_live_in_different_threads)
{
        struct world w = world_new();
        pthread_t thread;
        void *n = NULL;

        ck_assert_int_eq(pthread_create(&thread, NULL, receive_all, w.b), 0);
        for (int i = 0; i < 5000; i++)
                ck_assert_int_eq(mbus_entity_send_text(w.ui, "(module:engine)", "a()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(module:engine)", "last()"), 0);
        ck_assert_int_eq(pthread_join(thread, &n), 0);
        ck_assert_uint_eq((uintptr_t)n, 5001);
        world_free(&w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_watch_reports_who_is_there_who_comes_and_who_goes,
                test_watches_that_overlap_report_each_entity_once,
                test_watches_are_bounded,
                test_a_snapshot_holds_the_known_and_watched_others,
                test_an_observer_sees_messages_for_others,
                test_an_observer_with_filters_sees_what_one_of_them_lets_pass,
                test_a_slow_observer_of_few_messages_loses_none_to_the_many,
                test_filters_that_make_no_sense_are_refused_and_the_old_ones_stay,
                test_there_is_no_other_bus_than_main_without_a_broker,
                test_a_request_to_quit_is_an_event_and_nothing_else,
                test_awareness_is_the_librarys_and_the_rest_of_a_message_the_applications,
                test_what_an_application_does_not_pop_is_counted_and_reported,
                test_an_inbox_that_nobody_empties_loses_datagrams_and_counts_them,
                test_one_descriptor_is_readable_exactly_when_there_is_something_to_do,
                test_waiting_ends_with_an_event_or_with_the_time,
                test_buses_of_other_names_hear_nothing,
                test_buses_of_one_name_live_in_different_threads,
        };

        return run_tests("bus-watch", tests, N(tests));
}
