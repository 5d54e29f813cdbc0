/*
 * test-bus.c - the public library on a bus inside the process: what is sent, to whom, what comes of
 * it, and how a bus is opened.
 *
 * Nothing here waits: buses are turned until nothing moves.
 */
#include <stdlib.h>
#include <string.h>

#include <bus/bus.h>
#include "mem-world.h"
#include "run.h"

/* ---- sending ------------------------------------------------------------------------------- */

/* MSG-10 */
START_TEST(test_commands_arrive_in_the_order_they_stand_in)
{
        struct world w = world_new();
        const struct mbus_event *event;

        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(module:engine)", "a(1)\nb(2)\na(3)"), 0);
        turn(&w);
        event = mbus_bus_pop_event(w.b);
        ck_assert_ptr_nonnull(event);
        ck_assert_int_eq(event->type, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_eq(event->entity, w.engine);
        ck_assert_uint_gt(event->time, 0);
        ck_assert_uint_eq(mbus_message_get_n_commands(event->message), 3);
        ck_assert_str_eq(mbus_message_get_command(event->message, 0), "a");
        ck_assert_str_eq(mbus_message_get_command(event->message, 1), "b");
        ck_assert_str_eq(mbus_message_get_command(event->message, 2), "a");
        ck_assert_str_eq(mbus_message_get_source(event->message), mbus_entity_get_address(w.ui));
        ck_assert_ptr_null(mbus_bus_pop_event(w.b));
        ck_assert_ptr_null(mbus_bus_pop_event(w.a));
        world_free(&w);
}
END_TEST

START_TEST(test_a_group_message_reaches_all_that_match_but_the_sender)
{
        struct world w = world_new();
        struct mbus_entity *second = entity_add(w.b, "(app:player module:engine)");
        struct mbus_entity *local = entity_add(w.a, "(app:player)");
        const struct mbus_event *event;

        turn(&w);
        events_clear(w.a);
        events_clear(w.b);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(app:player)", "a()"), 0);
        turn(&w);
        event = event_expect(w.b, MBUS_EVENT_MESSAGE);
        ck_assert(event->entity == w.engine || event->entity == second);
        event_expect(w.b, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_null(mbus_bus_pop_event(w.b));
        event = event_expect(w.a, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_eq(event->entity, local);
        ck_assert_ptr_null(mbus_bus_pop_event(w.a));
        world_free(&w);
}
END_TEST

static int send_as(struct mbus_entity *from, const char *text, bool reliable)
{
        struct mbus_commands *c;
        uint64_t ticket;
        int r;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        ck_assert_int_eq(mbus_commands_add_text(c, text, NULL, NULL), 0);
        r = reliable ? mbus_entity_send_reliable(from, "(module:engine)", c, &ticket)
                     : mbus_entity_send(from, "(module:engine)", c);
        mbus_commands_free(c);
        return r;
}

/* CTL-01 CTL-02 CTL-03: and who gets them sees them as any other message. */
START_TEST(test_waiting_is_never_reliable_go_always_is_and_quit_may_be)
{
        struct world w = world_new();
        const struct mbus_event *event;

        ck_assert_int_eq(send_as(w.ui, "mbus.waiting(x)", true), MBUS_E_RESERVED);
        ck_assert_int_eq(send_as(w.ui, "mbus.go(x)", false), MBUS_E_RESERVED);
        ck_assert_int_eq(send_as(w.ui, "mbus.go(x)\nmbus.waiting(x)", true), MBUS_E_RESERVED);
        ck_assert_int_eq(send_as(w.ui, "mbus.go(x)\nmbus.waiting(x)", false), MBUS_E_RESERVED);
        turn(&w);
        ck_assert_ptr_null(mbus_bus_pop_event(w.b));
        ck_assert_int_eq(send_as(w.ui, "mbus.waiting(x)\naudio.query()", false), 0);
        turn(&w);
        event = event_expect(w.b, MBUS_EVENT_MESSAGE);
        ck_assert_str_eq(mbus_message_get_command(event->message, 0), "mbus.waiting");
        ck_assert_int_eq(send_as(w.ui, "mbus.go(x)\naudio.query()", true), 0);
        turn(&w);
        event = event_expect(w.b, MBUS_EVENT_MESSAGE);
        ck_assert(mbus_message_is_reliable(event->message));
        ck_assert_str_eq(mbus_message_get_command(event->message, 0), "mbus.go");
        ck_assert_str_eq(mbus_message_get_command(event->message, 1), "audio.query");
        for (unsigned reliable = 0; reliable < 2; reliable++) {
                ck_assert_int_eq(send_as(w.ui, "mbus.quit()", reliable), 0);
                turn(&w);
                event_expect(w.b, MBUS_EVENT_QUIT);
        }
        world_free(&w);
}
END_TEST

START_TEST(test_what_cannot_be_sent_is_said_at_once)
{
        struct world w = world_new();
        char *large = malloc(70003);
        struct mbus_commands *c;

        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(app", "a()"), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a("), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", ""), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "mbus.bye()"), MBUS_E_RESERVED);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a()\nmbus.go(x)"), MBUS_E_RESERVED);
        ck_assert_int_eq(mbus_entity_ping(w.ui, "()) "), MBUS_E_MALFORMED);
        memset(large, 'x', 70002);
        large[70002] = '\0';
        ck_assert_int_eq(mbus_commands_new(&c), 0);
        mbus_commands_begin(c, "a");
        mbus_commands_add_string(c, large);
        ck_assert_int_eq(mbus_entity_send(w.ui, "()", c), MBUS_E_MALFORMED);
        mbus_commands_end(c);
        ck_assert_int_eq(mbus_entity_send(w.ui, "()", c), MBUS_E_TOO_LARGE);
        mbus_commands_free(c);
        free(large);
        world_free(&w);
}
END_TEST

START_TEST(test_a_reliable_message_is_delivered_and_its_sender_learns_it)
{
        struct world w = world_new();
        const struct mbus_event *event;
        uint64_t ticket = 0;

        ck_assert_int_eq(send_reliable(w.ui, "(module:engine)", &ticket), 0);
        turn(&w);
        event = event_expect(w.b, MBUS_EVENT_MESSAGE);
        ck_assert(mbus_message_is_reliable(event->message));
        ck_assert_str_eq(mbus_message_get_destination(event->message),
                         mbus_entity_get_address(w.engine));
        event = event_expect(w.a, MBUS_EVENT_DELIVERED);
        ck_assert_uint_eq(event->ticket, ticket);
        ck_assert_ptr_eq(event->entity, w.ui);
        ck_assert_ptr_null(event_find(w.a, MBUS_EVENT_FAILED));
        world_free(&w);
}
END_TEST

START_TEST(test_a_reliable_message_needs_one_known_destination)
{
        struct world w = world_new();
        uint64_t ticket;

        ck_assert_int_eq(send_reliable(w.ui, "(module:nobody)", &ticket), MBUS_E_UNKNOWN);
        ck_assert_int_eq(send_reliable(w.ui, "(app:player)", &ticket), MBUS_E_NOT_UNIQUE);
        ck_assert_int_eq(send_reliable(w.ui, "()", &ticket), MBUS_E_NOT_UNIQUE);
        world_free(&w);
}
END_TEST

/* REL-08 */
START_TEST(test_a_failure_names_the_message_that_failed)
{
        struct world w = world_new();
        const struct mbus_event *event;
        uint64_t first = 0, second = 0, failed = 0;

        ck_assert_int_eq(send_reliable(w.ui, "(module:engine)", &first), 0);
        ck_assert_int_eq(send_reliable(w.ui, "(module:engine)", &second), 0);
        ck_assert_uint_ne(first, second);
        mbus_entity_remove(w.engine);
        turn(&w);
        for (int i = 0; i < 2; i++) {
                event = event_expect(w.a, MBUS_EVENT_FAILED);
                ck_assert_ptr_eq(event->entity, w.ui);
                ck_assert_int_eq(event->reason, MBUS_REASON_BYE);
                ck_assert(event->ticket == first || event->ticket == second);
                failed += event->ticket;
        }
        ck_assert_uint_eq(failed, first + second);
        ck_assert_ptr_null(event_find(w.a, MBUS_EVENT_DELIVERED));
        world_free(&w);
}
END_TEST

START_TEST(test_sending_to_each_gives_every_match_a_ticket)
{
        struct world w = world_new();
        struct mbus_commands *c;
        uint64_t tickets[2];
        size_t n = 9;

        entity_add(w.c, "(app:player module:engine)");
        turn(&w);
        ck_assert_int_eq(mbus_commands_new(&c), 0);
        mbus_commands_begin(c, "a");
        mbus_commands_end(c);
        ck_assert_int_eq(mbus_entity_send_each(w.ui, "(module:engine)", c, tickets, 2, &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(mbus_bus_watch(w.a, "(app:player)"), 0);
        ck_assert_int_eq(mbus_entity_send_each(w.ui, "(module:engine)", c, tickets, 1, &n),
                         MBUS_E_FULL);
        ck_assert_int_eq(mbus_entity_send_each(w.ui, "(module:engine)", c, tickets, 2, &n), 0);
        ck_assert_uint_eq(n, 2);
        turn(&w);
        event_expect(w.a, MBUS_EVENT_DELIVERED);
        event_expect(w.a, MBUS_EVENT_DELIVERED);
        event_expect(w.b, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_null(event_find(w.b, MBUS_EVENT_MESSAGE));
        event_expect(w.c, MBUS_EVENT_MESSAGE);
        mbus_commands_free(c);
        world_free(&w);
}
END_TEST

/* A main loop that sleeps until the deadline must not sleep over what a call of its own brought about. */
START_TEST(test_a_bus_is_due_at_once_when_a_call_has_made_events)
{
        struct world w = world_new();
        struct mbus_entity *other = entity_add(w.a, "(app:player module:other)");
        uint64_t ticket = 0;

        ck_assert_uint_eq(mbus_bus_get_deadline(w.a), 0);
        turn(&w);
        events_clear(w.a);
        ck_assert_uint_ne(mbus_bus_get_deadline(w.a), 0);
        ck_assert_int_eq(send_reliable(w.ui, mbus_entity_get_address(other), &ticket), 0);
        ck_assert_uint_eq(mbus_bus_get_deadline(w.a), 0);
        ck_assert_int_ge(mbus_bus_process(w.a), 0);
        /* Who does not pop is not woken again and again. */
        ck_assert_uint_ne(mbus_bus_get_deadline(w.a), 0);
        event_expect(w.a, MBUS_EVENT_MESSAGE);
        events_clear(w.a);
        ck_assert_int_eq(mbus_bus_watch(w.a, "()"), 0);
        ck_assert_uint_eq(mbus_bus_get_deadline(w.a), 0);
        ck_assert_int_ge(mbus_bus_process(w.a), 0);
        events_clear(w.a);
        ck_assert_int_eq(mbus_bus_observe(w.a, NULL), 0);
        ck_assert_uint_eq(mbus_bus_get_deadline(w.a), 0);
        world_free(&w);
}
END_TEST

/* ---- entities ------------------------------------------------------------------------------ */

/* ADR-05 */
START_TEST(test_an_address_has_one_text_wherever_it_is_seen)
{
        struct world w = world_new();
        struct mbus_entity *odd = entity_add(w.b, "( z:1\tmodule:odd   a:2 )");
        char *text = strdup(mbus_entity_get_address(odd));
        const struct mbus_event *event;
        struct mbus_peers *peers;

        ck_assert(strncmp(text, "(a:2 module:odd z:1 id:", 23) == 0);
        ck_assert_str_eq(event_expect(w.b, MBUS_EVENT_READY)->address, text);
        ck_assert_int_eq(mbus_bus_watch(w.a, "( )"), 0);
        ck_assert_int_eq(mbus_bus_observe(w.a, NULL), 0);
        ck_assert_int_eq(mbus_entity_send_text(odd, "(  module:ui app:player )", "a()"), 0);
        turn(&w);
        do {
                event = event_expect(w.a, MBUS_EVENT_JOINED);
        } while (strstr(event->address, "module:odd") == NULL);
        ck_assert_str_eq(event->address, text);
        ck_assert_int_eq(mbus_peers_new(w.a, "(module:odd)", &peers), 0);
        ck_assert_str_eq(mbus_peers_get_address(peers, 0), text);
        mbus_peers_free(peers);
        for (int i = 0; i < 2; i++) {
                do {
                        event = mbus_bus_pop_event(w.a);
                        ck_assert_ptr_nonnull(event);
                } while (!event->message || mbus_message_get_n_commands(event->message) == 0 ||
                         strcmp(mbus_message_get_command(event->message, 0), "a") != 0);
                ck_assert_str_eq(mbus_message_get_source(event->message), text);
                ck_assert_str_eq(mbus_message_get_destination(event->message),
                                 "(app:player module:ui)");
        }
        mbus_entity_remove(odd);
        turn(&w);
        ck_assert_str_eq(event_expect(w.a, MBUS_EVENT_LEFT)->address, text);
        free(text);
        world_free(&w);
}
END_TEST

/* ADR-08 */
START_TEST(test_an_entity_has_an_id_and_is_ready_at_once)
{
        struct mbus_bus *bus = bus_open("mem:ids", NULL);
        struct mbus_entity *one = entity_add(bus, "(app:x)"), *two = entity_add(bus, "(app:x)");
        const struct mbus_event *event;

        ck_assert_str_eq(mbus_entity_get_address(one), "(app:x id:1-1@127.0.0.1)");
        ck_assert_str_eq(mbus_entity_get_address(two), "(app:x id:1-2@127.0.0.1)");
        ck_assert_str_eq(mbus_bus_get_url(bus), "mem:ids");
        event = event_expect(bus, MBUS_EVENT_READY);
        ck_assert_ptr_eq(event->entity, one);
        ck_assert_str_eq(event->address, mbus_entity_get_address(one));
        mbus_entity_set_data(one, &bus);
        ck_assert_ptr_eq(mbus_entity_get_data(one), &bus);
        ck_assert_ptr_null(mbus_bus_close(bus));
}
END_TEST

static void expect_error(struct mbus_bus *bus, const char *part)
{
        ck_assert_msg(strstr(mbus_bus_get_error(bus), part) != NULL, "%s is not in: %s", part,
                      mbus_bus_get_error(bus));
}

START_TEST(test_a_refusal_says_what_is_wrong_where)
{
        struct world w = world_new();
        struct mbus_entity *entity = NULL;
        struct mbus_peers *peers = NULL;
        struct mbus_commands *c;
        const char *what = NULL;
        uint64_t ticket;
        size_t at = 0;

        ck_assert_str_eq(mbus_bus_get_error(w.a), "");
        ck_assert_int_eq(mbus_address_check("(app:x id:7)", NULL, NULL), 0);
        ck_assert_int_eq(mbus_address_check_own("(app:x id:7)", &at, &what), MBUS_E_MALFORMED);
        ck_assert_uint_eq(at, 10);
        ck_assert_ptr_nonnull(strstr(what, "NUMBER-NUMBER@HOST"));
        ck_assert_int_eq(mbus_address_check_own("(app:x id:7-1@::1)", &at, &what), 0);
        ck_assert_int_eq(mbus_address_check_own("(app:x)", &at, &what), 0);
        ck_assert_int_eq(mbus_address_check_own("(app1:x)", &at, &what), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_bus_add_entity(w.a, "(app:x id:7)", &entity), MBUS_E_MALFORMED);
        expect_error(w.a, "(app:x id:7), at 10: an id of our own is NUMBER-NUMBER@HOST");
        ck_assert_int_eq(mbus_bus_add_entity(w.a, mbus_entity_get_address(w.ui), &entity),
                         MBUS_E_TAKEN);
        expect_error(w.a, "has the address");
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "(app", "a()"), MBUS_E_MALFORMED);
        expect_error(w.a, "(app, at 4: ");
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a(\"\\q\")"), MBUS_E_MALFORMED);
        expect_error(w.a, "a(\"\\q\"), at 3: in a string");
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "mbus.bye()"), MBUS_E_RESERVED);
        expect_error(w.a, "mbus.bye(), at 0: ");
        ck_assert_int_eq(mbus_entity_ping(w.ui, "x"), MBUS_E_MALFORMED);
        expect_error(w.a, "x, at 0: ");
        ck_assert_int_eq(mbus_bus_watch(w.a, "(a:)"), MBUS_E_MALFORMED);
        expect_error(w.a, "(a:), at 3: ");
        ck_assert_int_eq(mbus_peers_new(w.a, "(a:b", &peers), MBUS_E_MALFORMED);
        expect_error(w.a, "(a:b, at 4: ");
        ck_assert_int_eq(mbus_commands_new(&c), 0);
        ck_assert_int_eq(mbus_entity_send(w.ui, "()", c), MBUS_E_MALFORMED);
        expect_error(w.a, "commands that are none");
        ck_assert_int_eq(mbus_commands_add_text(c, "a()", NULL, NULL), 0);
        ck_assert_int_eq(mbus_entity_send_reliable(w.ui, "(x:nobody)", c, &ticket), MBUS_E_UNKNOWN);
        expect_error(w.a, "no known entity");
        ck_assert_int_eq(mbus_bus_wait(w.a, 0), MBUS_E_NOT_READY);
        expect_error(w.a, "no known entity");
        mbus_commands_free(c);
        ck_assert_str_eq(mbus_bus_get_error(w.b), "");
        world_free(&w);
}
END_TEST

START_TEST(test_an_address_of_our_own_is_strict_and_not_given_twice)
{
        struct mbus_bus *bus = bus_open("mem:own", NULL);
        struct mbus_entity *entity = NULL;

        ck_assert_int_eq(mbus_bus_add_entity(bus, "(app1:x)", &entity), MBUS_E_MALFORMED);
        ck_assert_int_eq(mbus_bus_add_entity(bus, "(id:mine)", &entity), MBUS_E_MALFORMED);
        ck_assert_ptr_null(entity);
        entity_add(bus, "(id:7-7@127.0.0.1)");
        ck_assert_int_eq(mbus_bus_add_entity(bus, "(id:7-7@127.0.0.1)", &entity), MBUS_E_TAKEN);
        ck_assert_ptr_null(entity);
        mbus_bus_close(bus);
}
END_TEST

/* ADR-04: an id that was given is never changed, and one of ours is as soon as it is in the way. */
START_TEST(test_an_address_that_somebody_has_is_refused_or_made_anew)
{
        struct mbus_bus *buses[3] = { bus_open("mem:conflict", NULL),
                                      bus_open("mem:conflict", NULL), NULL };
        struct mbus_entity *a = entity_add(buses[0], "(app:x id:2-1@127.0.0.1)");
        struct mbus_entity *b = entity_add(buses[1], "(id:2-1@127.0.0.1 app:x)");
        struct mbus_entity *c = entity_add(buses[1], "(app:x)");
        const struct mbus_event *event = mbus_bus_pop_event(buses[1]);

        ck_assert_int_eq(event->type, MBUS_EVENT_REFUSED);
        ck_assert_ptr_eq(event->entity, b);
        ck_assert_int_eq(event->reason, MBUS_REASON_TAKEN);
        ck_assert_ptr_null(mbus_entity_get_address(b));
        ck_assert_int_eq(mbus_entity_send_text(b, "()", "a()"), MBUS_E_NOT_READY);
        ck_assert_int_eq(mbus_entity_ping(b, "()"), MBUS_E_NOT_READY);
        ck_assert_str_eq(event_expect(buses[1], MBUS_EVENT_READY)->address,
                         "(app:x id:2-2@127.0.0.1)");
        buses_settle(buses);
        ck_assert_str_eq(event_expect(buses[0], MBUS_EVENT_READY)->address,
                         "(app:x id:2-1@127.0.0.1)");
        ck_assert_int_eq(mbus_entity_send_text(c, mbus_entity_get_address(a), "a()"), 0);
        buses_settle(buses);
        ck_assert_ptr_nonnull(event_expect(buses[0], MBUS_EVENT_MESSAGE));
        /* It is free when it has left. */
        mbus_entity_remove(a);
        ck_assert_ptr_null(mbus_entity_remove(b));
        b = entity_add(buses[1], "(app:x id:2-1@127.0.0.1)");
        ck_assert_ptr_eq(event_expect(buses[1], MBUS_EVENT_READY)->entity, b);
        mbus_bus_close(buses[0]);
        mbus_bus_close(buses[1]);
}
END_TEST

START_TEST(test_an_address_stays_valid_until_ready_is_popped)
{
        struct mbus_bus *bus = bus_open("mem:rename", NULL);
        struct mbus_entity *entity = entity_add(bus, "(app:x)");
        const char *old = mbus_entity_get_address(entity);
        struct address other;

        events_clear(bus);
        ck_assert_int_eq(
                address_parse(span_of("(app:x id:9-9@127.0.0.1)"), STRICT, &other, NULL, NULL), 0);
        ck_assert_int_eq(entity_ready(entity, &bus->parts.events, &other), 0);
        ck_assert_ptr_eq(mbus_entity_get_address(entity), old);
        ck_assert_str_eq(old, "(app:x id:1-1@127.0.0.1)");
        ck_assert_str_eq(event_expect(bus, MBUS_EVENT_READY)->address, "(app:x id:9-9@127.0.0.1)");
        ck_assert_str_eq(mbus_entity_get_address(entity), "(app:x id:9-9@127.0.0.1)");
        mbus_bus_close(bus);
}
END_TEST

START_TEST(test_the_events_of_an_entity_go_with_it)
{
        struct world w = world_new();
        struct mbus_entity *second = entity_add(w.b, "(module:second)");

        turn(&w);
        events_clear(w.b);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "b()"), 0);
        turn(&w);
        ck_assert_ptr_nonnull(mbus_bus_pop_event(w.b));
        ck_assert_ptr_null(mbus_entity_remove(second));
        for (const struct mbus_event *e; (e = mbus_bus_pop_event(w.b));)
                ck_assert_ptr_eq(e->entity, w.engine);
        ck_assert_ptr_null(mbus_entity_remove(NULL));
        world_free(&w);
}
END_TEST

START_TEST(test_a_bus_is_closed_while_events_and_datagrams_wait)
{
        struct world w = world_new();
        struct mbus_message *kept;
        uint64_t ticket;

        for (int i = 0; i < 10; i++)
                ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "a()"), 0);
        ck_assert_int_eq(send_reliable(w.ui, "(module:engine)", &ticket), 0);
        ck_assert_int_ge(mbus_bus_process(w.b), 0);
        kept = mbus_message_ref(event_expect(w.b, MBUS_EVENT_MESSAGE)->message);
        ck_assert_int_eq(mbus_entity_send_text(w.ui, "()", "b()"), 0);
        world_free(&w);
        ck_assert_str_eq(mbus_message_get_command(kept, 0), "a");
        mbus_message_unref(kept);
        ck_assert_ptr_null(mbus_bus_close(NULL));
}
END_TEST

/* ---- opening ------------------------------------------------------------------------------- */

static int open_with(const char *url, const char *file, const char *text, char *ret_error)
{
        struct mbus_config *config;
        struct mbus_bus *bus;
        int r;

        ck_assert_int_eq(mbus_config_new(&config), 0);
        mbus_config_set_url(config, url);
        mbus_config_set_file(config, file);
        mbus_config_set_text(config, text);
        ck_assert_str_eq(mbus_config_get_error(config), "");
        ck_assert_ptr_null(mbus_config_get_warning(config, 0));
        r = mbus_bus_open(&bus, config);
        strcpy(ret_error, mbus_config_get_error(config));
        ck_assert_ptr_null(mbus_config_free(config));
        return r;
}

START_TEST(test_a_bus_that_cannot_be_opened_says_why)
{
        char error[BUS_ERROR_SIZE];

        ck_assert_int_eq(open_with("http://x", NULL, NULL, error), MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(error, "unix:PATH"));
        ck_assert_int_eq(open_with("mem:", NULL, NULL, error), MBUS_E_CONFIG);
        ck_assert_int_eq(open_with("udp:", "/nonexistent/mbus", NULL, error), MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(error, "/nonexistent/mbus"));
        ck_assert_int_eq(open_with("udp:", NULL, "[MBUS]\nHASHKEY=?\n", error), MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(error, "HASHKEY"));
        ck_assert_int_eq(open_with("unix:/nonexistent/broker.sock", NULL, NULL, error),
                         MBUS_E_NO_BUS);
        ck_assert_ptr_nonnull(strstr(error, "/nonexistent/broker.sock"));
        ck_assert_ptr_null(mbus_config_free(NULL));
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_commands_arrive_in_the_order_they_stand_in,
                test_a_group_message_reaches_all_that_match_but_the_sender,
                test_waiting_is_never_reliable_go_always_is_and_quit_may_be,
                test_what_cannot_be_sent_is_said_at_once,
                test_a_reliable_message_is_delivered_and_its_sender_learns_it,
                test_a_reliable_message_needs_one_known_destination,
                test_a_failure_names_the_message_that_failed,
                test_sending_to_each_gives_every_match_a_ticket,
                test_a_bus_is_due_at_once_when_a_call_has_made_events,
                test_an_address_has_one_text_wherever_it_is_seen,
                test_an_entity_has_an_id_and_is_ready_at_once,
                test_a_refusal_says_what_is_wrong_where,
                test_an_address_of_our_own_is_strict_and_not_given_twice,
                test_an_address_that_somebody_has_is_refused_or_made_anew,
                test_an_address_stays_valid_until_ready_is_popped,
                test_the_events_of_an_entity_go_with_it,
                test_a_bus_is_closed_while_events_and_datagrams_wait,
                test_a_bus_that_cannot_be_opened_says_why,
        };

        return run_tests("bus", tests, N(tests));
}
