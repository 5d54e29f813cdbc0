/*
 * test-rendezvous.c - entities wait for each other on a bus inside the process.
 *
 * Nothing here waits: buses are turned until nothing moves.
 */
#include <stdlib.h>
#include <string.h>

#include <core/limits.h>

#include "mem-world.h"
#include "run.h"

static void expect_go(struct mbus_bus *bus, struct mbus_entity *entity, const char *condition,
                      enum mbus_go go, const char *source)
{
        const struct mbus_event *event = event_expect(bus, MBUS_EVENT_GO);

        ck_assert_ptr_eq(event->entity, entity);
        ck_assert_str_eq(event->condition, condition);
        ck_assert_int_eq(event->go, go);
        if (source)
                ck_assert_str_eq(event->address, source);
        else
                ck_assert_ptr_null(event->address);
}

/* CTL-02 CTL-03 */
START_TEST(test_who_waits_goes_on_when_another_says_so)
{
        struct world w = world_new();
        const struct mbus_event *event;
        uint64_t ticket;

        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", "token", -1), 0);
        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", "no symbol", -1), 0);
        ck_assert_uint_lt(mbus_bus_get_deadline(w.a), UINT64_MAX);
        turn(&w);
        event = event_expect(w.b, MBUS_EVENT_MESSAGE);
        ck_assert(!mbus_message_is_reliable(event->message));
        ck_assert_str_eq(mbus_message_get_command(event->message, 0), "mbus.waiting");
        ck_assert_int_eq(mbus_entity_go(w.engine, mbus_message_get_source(event->message),
                                        "no symbol", &ticket),
                         0);
        turn(&w);
        ck_assert_uint_eq(event_expect(w.b, MBUS_EVENT_DELIVERED)->ticket, ticket);
        event = event_expect(w.a, MBUS_EVENT_MESSAGE);
        ck_assert(mbus_message_is_reliable(event->message));
        ck_assert_str_eq(mbus_message_get_command(event->message, 0), "mbus.go");
        expect_go(w.a, w.ui, "no symbol", MBUS_GO_CAME, mbus_entity_get_address(w.engine));
        /* The other one waits on, and what nobody waits for is a message as any. */
        ck_assert_int_eq(mbus_entity_go(w.engine, "(module:ui)", "no symbol", &ticket), 0);
        turn(&w);
        event_expect(w.a, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_null(mbus_bus_pop_event(w.a));
        ck_assert_int_eq(mbus_entity_cancel_wait(w.ui, "token"), 0);
        ck_assert_uint_eq(mbus_bus_get_deadline(w.a), 0);
        expect_go(w.a, w.ui, "token", MBUS_GO_CANCELLED, NULL);
        ck_assert_ptr_null(mbus_bus_pop_event(w.a));
        world_free(&w);
}
END_TEST

START_TEST(test_a_go_that_came_in_time_counts_however_late_it_is_popped)
{
        struct world w = world_new();
        uint64_t ticket;

        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", "x", 0), 0);
        ck_assert_int_eq(mbus_entity_go(w.engine, "(module:ui)", "x", &ticket), 0);
        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", "y", 0), 0);
        turn(&w);
        ck_assert_int_eq(mbus_bus_process(w.a), 0);
        event_expect(w.a, MBUS_EVENT_MESSAGE);
        expect_go(w.a, w.ui, "x", MBUS_GO_CAME, mbus_entity_get_address(w.engine));
        expect_go(w.a, w.ui, "y", MBUS_GO_TIMED_OUT, NULL);
        ck_assert_ptr_null(mbus_bus_pop_event(w.a));
        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", "z", 0), 0);
        ck_assert_int_eq(mbus_bus_wait(w.a, -1), 0);
        expect_go(w.a, w.ui, "z", MBUS_GO_TIMED_OUT, NULL);
        world_free(&w);
}
END_TEST

START_TEST(test_mistakes_are_said_at_once)
{
        static char name[CONDITION_MAX + 2];
        struct world w = world_new();
        uint64_t ticket;

        memset(name, 'x', CONDITION_MAX + 1);
        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", name, -1), MBUS_E_TOO_LARGE);
        ck_assert_int_eq(mbus_entity_go(w.ui, "()", name, &ticket), MBUS_E_TOO_LARGE);
        name[CONDITION_MAX] = '\0';
        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", name, -1), 0);
        ck_assert_int_eq(mbus_entity_wait(w.ui, "(app:x)", name, 7), MBUS_E_TAKEN);
        ck_assert_ptr_nonnull(strstr(mbus_bus_get_error(w.a), "waits for this already"));
        ck_assert_int_eq(mbus_entity_wait(w.ui, "(app", "x", -1), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", "", -1), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_entity_wait(w.ui, "()", "\xff", -1), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_entity_cancel_wait(w.ui, "y"), MBUS_E_UNKNOWN);
        ck_assert_int_eq(mbus_entity_go(w.ui, "(app:nobody)", "x", &ticket), MBUS_E_UNKNOWN);
        /* With the entity go its waits. */
        mbus_entity_remove(w.ui);
        turn(&w);
        ck_assert_ptr_null(event_find(w.a, MBUS_EVENT_GO));
        world_free(&w);
}
END_TEST

/* CTL-01 */
START_TEST(test_quit_goes_to_one_reliably_or_to_all)
{
        struct world w = world_new();
        struct mbus_entity *second = entity_add(w.c, "(app:player module:engine)");
        uint64_t ticket;

        turn(&w);
        events_clear(w.c);
        ck_assert_int_eq(mbus_entity_quit(w.ui, "(module:engine)", &ticket), MBUS_E_NOT_UNIQUE);
        ck_assert_int_eq(mbus_entity_quit(w.ui, "(module:engine)", NULL), 0);
        ck_assert_int_eq(mbus_entity_quit(w.ui, mbus_entity_get_address(second), &ticket), 0);
        turn(&w);
        ck_assert_uint_eq(event_expect(w.a, MBUS_EVENT_DELIVERED)->ticket, ticket);
        event_expect(w.b, MBUS_EVENT_QUIT);
        ck_assert_ptr_null(event_find(w.b, MBUS_EVENT_QUIT));
        event_expect(w.c, MBUS_EVENT_QUIT);
        event_expect(w.c, MBUS_EVENT_QUIT);
        world_free(&w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_who_waits_goes_on_when_another_says_so,
                test_a_go_that_came_in_time_counts_however_late_it_is_popped,
                test_mistakes_are_said_at_once,
                test_quit_goes_to_one_reliably_or_to_all,
        };

        return run_tests("rendezvous", tests, N(tests));
}
