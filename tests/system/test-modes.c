/*
 * test-modes.c - one program over udp:, through a broker (unix:, tcp:), and in mem: (spec/modes.md).
 *
 * Each test is the same calls of the public library in each mode, in one process that turns all its buses.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mbus/mbus.h>

#include "daemon.h"
#include "namespace.h"
#include "run.h"

#define SEC UINT64_C(1000000000)
#define MSEC UINT64_C(1000000)
#define MEMBERS 4

enum mode { UDP, UNIX, TCP, MEM, MODES };

static const char *const names[MODES] = { "udp:", "unix:", "tcp:", "mem:" };

/* A bus in one mode, and those of one program that are on it. */
struct place {
        enum mode mode;
        int host;
        bool has_broker;
        struct daemon broker;
        char url[128];
        struct mbus_bus *buses[MEMBERS];
        size_t n;
};

static uint64_t now(void)
{
        struct timespec time;

        clock_gettime(CLOCK_MONOTONIC, &time);
        return (uint64_t)time.tv_sec * SEC + (uint64_t)time.tv_nsec;
}

static void place_init(struct place *p, enum mode mode, const char *lines)
{
        char text[512];

        *p = (struct place){ .mode = mode, .host = host_new() };
        daemon_prepare(&p->broker);
        snprintf(text, sizeof(text), "%s%s", lines,
                 mode == TCP ? "[broker]\nTCP=127.0.0.1:47100\n" : "");
        daemon_configure(&p->broker, text);
        p->has_broker = mode == UNIX || mode == TCP;
        if (p->has_broker)
                daemon_start(&p->broker);
        snprintf(p->url, sizeof(p->url), "%s%s", names[mode],
                 mode == UNIX  ? p->broker.socket
                 : mode == TCP ? "127.0.0.1:47100"
                 : mode == MEM ? "modes"
                               : "");
}

static struct mbus_bus *join_with(struct place *p, uint64_t patience)
{
        struct mbus_config *config;
        struct mbus_bus *bus = NULL;
        int r;

        ck_assert_int_eq(mbus_config_new(&config), 0);
        mbus_config_set_url(config, p->url);
        if (p->mode == UDP || p->mode == TCP)
                mbus_config_set_file(config, p->broker.config);
        mbus_config_set_patience(config, patience);
        r = mbus_bus_open(&bus, config);
        ck_assert_msg(r == 0, "%s: %s", p->url, mbus_config_get_error(config));
        mbus_config_free(config);
        p->buses[p->n++] = bus;
        return bus;
}

static struct mbus_bus *join(struct place *p)
{
        return join_with(p, 2500 * MSEC);
}

static void leave(struct place *p, struct mbus_bus *bus)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->buses[i] == bus)
                        p->buses[i] = p->buses[--p->n];
        mbus_bus_close(bus);
}

static void place_deinit(struct place *p)
{
        while (p->n > 0)
                leave(p, p->buses[0]);
        daemon_free(&p->broker);
        close(p->host);
}

/* All buses of the program get a turn, and a few ms. */
static void turn(struct place *p)
{
        struct pollfd fds[MEMBERS * MBUS_POLLFDS_MAX];
        size_t n = 0, more;

        for (size_t i = 0; i < p->n; i++) {
                ck_assert_int_ge(mbus_bus_process(p->buses[i]), 0);
                ck_assert_int_eq(
                        mbus_bus_get_pollfds(p->buses[i], fds + n, MBUS_POLLFDS_MAX, &more), 0);
                n += more;
        }
        poll(fds, n, 5);
}

static const struct mbus_event *find(struct place *p, struct mbus_bus *bus,
                                     enum mbus_event_type type, uint64_t end)
{
        const struct mbus_event *event;

        do {
                while ((event = mbus_bus_pop_event(bus)))
                        if (event->type == type)
                                return event;
                turn(p);
        } while (now() < end);
        return NULL;
}

static const struct mbus_event *expect(struct place *p, struct mbus_bus *bus,
                                       enum mbus_event_type type)
{
        const struct mbus_event *event = find(p, bus, type, now() + 10 * SEC);

        ck_assert_msg(event != NULL, "%s: event %d did not come", names[p->mode], (int)type);
        return event;
}

static void expect_message(struct place *p, struct mbus_bus *bus, const char *command)
{
        const struct mbus_event *event = expect(p, bus, MBUS_EVENT_MESSAGE);

        ck_assert_msg(strcmp(mbus_message_get_command(event->message, 0), command) == 0,
                      "%s: %s came instead of %s", names[p->mode],
                      mbus_message_get_command(event->message, 0), command);
}

static struct mbus_entity *add(struct mbus_bus *bus, const char *address)
{
        struct mbus_entity *entity;

        ck_assert_int_eq(mbus_bus_add_entity(bus, address, &entity), 0);
        return entity;
}

static int try_reliably(struct mbus_entity *entity, const char *dest, const char *text,
                        uint64_t *ret_ticket)
{
        struct mbus_commands *commands;
        int r;

        ck_assert_int_eq(mbus_commands_new(&commands), 0);
        ck_assert_int_eq(mbus_commands_add_text(commands, text, NULL, NULL), 0);
        r = mbus_entity_send_reliable(entity, dest, commands, ret_ticket);
        mbus_commands_free(commands);
        return r;
}

static uint64_t send_reliably(struct mbus_entity *entity, const char *dest, const char *text)
{
        uint64_t ticket = 0;

        ck_assert_int_eq(try_reliably(entity, dest, text, &ticket), 0);
        return ticket;
}

/* What is written by a format is read by a signature; and who waits for READY loses no event. */
START_TEST(test_formats_and_signatures_and_waiting_for_ready)
{
        for (enum mode mode = 0; mode < MODES; mode++) {
                const struct mbus_event *event;
                struct mbus_entity *me, *listener;
                struct mbus_bus *bus, *other;
                const char *text = NULL;
                int64_t integer = 0;
                uint64_t ticket;
                double real = 0;
                struct place p;

                place_init(&p, mode, "");
                other = join(&p);
                listener = add(other, "(module:engine)");
                ck_assert_int_eq(mbus_bus_wait_ready(listener, (int64_t)(10 * SEC)), 0);
                ck_assert_int_le(mbus_bus_get_timeout_ms(other), 60000);
                bus = join(&p);
                me = add(bus, "(app:player module:ui)");
                ck_assert_int_eq(mbus_bus_wait_ready(me, (int64_t)(10 * SEC)), 0);
                ck_assert_int_eq(mbus_bus_wait_ready(me, 0), 0);
                event = mbus_bus_pop_event(bus);
                ck_assert_msg(event && event->type == MBUS_EVENT_READY, "%s: READY is not there",
                              names[mode]);
                ck_assert_int_eq(mbus_entity_sendf(me, "(module:engine)", "load(%s %d (%f))",
                                                   "a \"b\"", -3, 1.5),
                                 0);
                ck_assert_int_eq(mbus_entity_sendf(me, "(module:engine)", "load(%c)", 'x'),
                                 MBUS_E_MALFORMED);
                event = expect(&p, other, MBUS_EVENT_MESSAGE);
                ck_assert_int_eq(mbus_value_scan(mbus_message_get_args(event->message, 0),
                                                 "s i (f)", &text, &integer, &real),
                                 0);
                ck_assert_str_eq(text, "a \"b\"");
                ck_assert(integer == -3 && real == 1.5);
                ck_assert_int_eq(mbus_entity_sendf_reliable(me, mbus_entity_get_address(listener),
                                                            &ticket, "done(%s)", ""),
                                 0);
                expect_message(&p, other, "done");
                event = expect(&p, bus, MBUS_EVENT_DELIVERED);
                ck_assert_uint_eq(event->ticket, ticket);
                ck_assert_msg(event->round_trip > 0 && event->round_trip < 10 * SEC,
                              "%s: a round trip of %llu ns", names[mode],
                              (unsigned long long)event->round_trip);
                place_deinit(&p);
        }
}
END_TEST

/* The example of mbus.h: nothing is waited for. */
START_TEST(test_the_example_of_the_header_works)
{
        for (enum mode mode = 0; mode < MODES; mode++) {
                struct mbus_bus *listener, *bus;
                struct mbus_entity *me;
                struct place p;

                place_init(&p, mode, "");
                listener = join(&p);
                add(listener, "(module:engine)");
                expect(&p, listener, MBUS_EVENT_READY);
                bus = join(&p);
                me = add(bus, "(app:player module:ui)");
                ck_assert_int_eq(
                        mbus_entity_send_text(me, "(module:engine)", "audio.input.mute(1)"), 0);
                ck_assert_int_eq(mbus_entity_send_text(me, "(module:engine)", "second()"), 0);
                expect_message(&p, listener, "audio.input.mute");
                expect_message(&p, listener, "second");
                /* And closed at once, in a process of its own, since somebody has to answer it. */
                if (mode != MEM && fork() == 0) {
                        struct place q = p;
                        struct mbus_entity *other;

                        q.n = 0;
                        bus = join(&q);
                        other = add(bus, "(app:short)");
                        _exit(mbus_entity_send_text(other, "(module:engine)", "short()") != 0 ||
                              mbus_bus_close(bus) != NULL);
                }
                if (mode != MEM) {
                        expect_message(&p, listener, "short");
                        ck_assert_int_gt(wait(NULL), 0);
                }
                place_deinit(&p);
        }
}
END_TEST

/* ADR-04 */
START_TEST(test_an_address_that_is_taken)
{
        static const char address[] = "(app:x id:4711-1@127.0.0.1)";

        for (enum mode mode = 0; mode < MODES; mode++) {
                struct mbus_bus *a, *b;
                struct mbus_entity *first, *second, *third;
                const struct mbus_event *event;
                struct place p;

                place_init(&p, mode, "");
                a = join(&p);
                first = add(a, address);
                expect(&p, a, MBUS_EVENT_READY);
                ck_assert_int_eq(mbus_bus_add_entity(a, address, &third), MBUS_E_TAKEN);
                /* It has had it for a while. */
                for (uint64_t end = now() + 2100 * MSEC; now() < end;)
                        turn(&p);
                b = join(&p);
                second = add(b, address);
                event = expect(&p, b, MBUS_EVENT_REFUSED);
                ck_assert_ptr_eq(event->entity, second);
                ck_assert_int_eq(event->reason, MBUS_REASON_TAKEN);
                ck_assert_int_eq(mbus_entity_send_text(second, "()", "a()"), MBUS_E_NOT_READY);
                ck_assert_ptr_null(find(&p, a, MBUS_EVENT_REFUSED, now() + 1500 * MSEC));
                ck_assert_str_eq(mbus_entity_get_address(first), address);
                mbus_entity_remove(second);
                /* Who came first is still there. */
                second = add(b, "(app:y)");
                expect(&p, b, MBUS_EVENT_READY);
                send_reliably(second, address, "a()");
                expect_message(&p, a, "a");
                expect(&p, b, MBUS_EVENT_DELIVERED);
                place_deinit(&p);
        }
}
END_TEST

/* REL-01: whoever was not heard yet gets what is sent to him. */
START_TEST(test_reliable_messages_wait_for_their_destination)
{
        static const char address[] = "(app:late id:4711-2@127.0.0.1)";

        for (enum mode mode = 0; mode < MODES; mode++) {
                struct mbus_bus *a, *b;
                struct mbus_entity *me;
                uint64_t ticket, start;
                struct place p;

                place_init(&p, mode, "");
                a = join(&p);
                me = add(a, "(app:a)");
                b = join(&p);
                add(b, address);
                /* Nobody has been turned yet. */
                start = now();
                ticket = send_reliably(me, address, "one()");
                send_reliably(me, "(app:late)", "two()");
                expect_message(&p, b, "one");
                expect_message(&p, b, "two");
                if (mode == MEM)
                        ck_assert_uint_lt(now() - start, SEC);
                ck_assert_uint_eq(expect(&p, a, MBUS_EVENT_DELIVERED)->ticket, ticket);
                expect(&p, a, MBUS_EVENT_DELIVERED);
                place_deinit(&p);
        }
}
END_TEST

/* REL-01 */
START_TEST(test_reliable_messages_to_nobody_and_to_several)
{
        for (enum mode mode = 0; mode < MODES; mode++) {
                struct mbus_bus *a, *b;
                struct mbus_entity *me;
                const struct mbus_event *event;
                uint64_t ticket, start;
                struct place p;
                int r;

                place_init(&p, mode, "");
                a = join_with(&p, 1600 * MSEC);
                me = add(a, "(app:a)");
                b = join(&p);
                add(b, "(app:twin)");
                add(b, "(app:twin)");
                ticket = send_reliably(me, "(app:twin)", "one()");
                event = expect(&p, a, MBUS_EVENT_FAILED);
                ck_assert_uint_eq(event->ticket, ticket);
                ck_assert_int_eq(event->reason, MBUS_REASON_NOT_UNIQUE);
                start = now();
                r = try_reliably(me, "(app:nobody)", "two()", &ticket);
                /* In a process all are known without waiting. */
                ck_assert_int_eq(r, mode == MEM ? MBUS_E_UNKNOWN : 0);
                if (mode != MEM) {
                        event = expect(&p, a, MBUS_EVENT_FAILED);
                        ck_assert_uint_eq(event->ticket, ticket);
                        ck_assert_int_eq(event->reason, MBUS_REASON_UNKNOWN);
                        ck_assert_uint_ge(now() - start, 1500 * MSEC);
                }
                ck_assert_ptr_null(find(&p, b, MBUS_EVENT_MESSAGE, now() + 100 * MSEC));
                place_deinit(&p);
        }
}
END_TEST

/* TRN-04 */
START_TEST(test_what_is_too_large_is_refused_whoever_it_is_for)
{
        static const char *const dialects[] = { "", "DIALECT=UCL\n" };

        for (enum mode mode = 0; mode < MODES; mode++) {
                for (size_t i = 0; i < (mode == MEM ? 1 : N(dialects)); i++) {
                        static char text[70000];
                        struct mbus_bus *bus, *other;
                        struct mbus_entity *me;
                        size_t size, largest, n;
                        uint64_t ticket;
                        struct place p;

                        place_init(&p, mode, dialects[i]);
                        bus = join(&p);
                        me = add(bus, "(app:a)");
                        expect(&p, bus, MBUS_EVENT_READY);
                        other = join(&p);
                        add(other, "(app:b)");
                        expect(&p, other, MBUS_EVENT_READY);
                        mbus_bus_get_sizes(bus, &size, &largest);
                        ck_assert_uint_eq(size, 0);
                        ck_assert_uint_gt(largest, i ? 1300 : 65000);
                        ck_assert_uint_lt(largest, i ? 1400 : 65507);
                        n = i ? 1400 : 65490;
                        memset(text, 'x', sizeof(text));
                        memcpy(text, "a(\"", 3);
                        memcpy(text + n, "\")", 3);
                        ck_assert_int_eq(mbus_entity_send_text(me, "(app:b)", text),
                                         MBUS_E_TOO_LARGE);
                        mbus_bus_get_sizes(bus, &size, NULL);
                        ck_assert_uint_gt(size, largest);
                        ck_assert_int_eq(try_reliably(me, "(app:b)", text, &ticket),
                                         MBUS_E_TOO_LARGE);
                        n = largest - 200;
                        memcpy(text + n, "\")", 3);
                        ck_assert_int_eq(mbus_entity_send_text(me, "(app:b)", text), 0);
                        expect_message(&p, other, "a");
                        place_deinit(&p);
                }
        }
}
END_TEST

/* A broker that is stopped says nothing; the others have no broker. */
START_TEST(test_tickets_end_with_a_broker_that_is_stopped)
{
        for (enum mode mode = UNIX; mode <= TCP; mode++) {
                const struct mbus_event *event;
                struct mbus_entity *me;
                uint64_t ticket, start;
                struct mbus_bus *bus;
                struct place p;

                place_init(&p, mode, "");
                bus = join_with(&p, 0);
                me = add(bus, "(app:a)");
                expect(&p, bus, MBUS_EVENT_READY);
                ck_assert_int_eq(kill(p.broker.pid, SIGSTOP), 0);
                start = now();
                ticket = send_reliably(me, "(app:b)", "a()");
                event = find(&p, bus, MBUS_EVENT_FAILED, start + 25 * SEC);
                kill(p.broker.pid, SIGCONT);
                ck_assert_ptr_nonnull(event);
                ck_assert_uint_eq(event->ticket, ticket);
                ck_assert_int_eq(event->reason, MBUS_REASON_TIMEOUT);
                ck_assert_uint_ge(now() - start, 14 * SEC);
                /* What it says now is of the past. */
                ck_assert_ptr_null(find(&p, bus, MBUS_EVENT_FAILED, now() + 500 * MSEC));
                send_reliably(me, "(app:b)", "a()");
                ck_assert_int_eq(expect(&p, bus, MBUS_EVENT_FAILED)->reason, MBUS_REASON_UNKNOWN);
                place_deinit(&p);
        }
}
END_TEST

/* CTL-02 CTL-03: RAT's start, both ways: a child says that it is there, then waits until it is set up. */
START_TEST(test_two_programs_wait_for_each_other)
{
        for (enum mode mode = 0; mode < MODES; mode++) {
                struct mbus_bus *a, *b;
                struct mbus_entity *parent, *child;
                const struct mbus_event *event;
                uint64_t ticket, start;
                struct place p;

                place_init(&p, mode, "");
                a = join(&p);
                parent = add(a, "(app:rat module:control)");
                expect(&p, a, MBUS_EVENT_READY);
                ck_assert_int_eq(mbus_entity_wait(parent, "()", "token", (int64_t)(20 * SEC)), 0);
                ck_assert_int_eq(mbus_entity_wait(parent, "()", "token", 7), MBUS_E_TAKEN);
                for (uint64_t end = now() + 200 * MSEC; now() < end;)
                        turn(&p);
                /* It was not there when that was said first. */
                b = join(&p);
                child = add(b, "(app:rat module:engine)");
                event = expect(&p, b, MBUS_EVENT_MESSAGE);
                ck_assert_str_eq(mbus_message_get_command(event->message, 0), "mbus.waiting");
                ck_assert_int_eq(mbus_entity_go(child, mbus_message_get_source(event->message),
                                                "token", &ticket),
                                 0);
                ck_assert_int_eq(mbus_entity_wait(child, mbus_message_get_source(event->message),
                                                  "token", -1),
                                 0);
                event = expect(&p, a, MBUS_EVENT_GO);
                ck_assert_ptr_eq(event->entity, parent);
                ck_assert_str_eq(event->condition, "token");
                ck_assert_int_eq(event->go, MBUS_GO_CAME);
                ck_assert_str_eq(event->address, mbus_entity_get_address(child));
                expect(&p, a, MBUS_EVENT_MESSAGE);
                ck_assert_int_eq(mbus_entity_go(parent, "(module:engine)", "token", &ticket), 0);
                ck_assert_int_eq(expect(&p, b, MBUS_EVENT_GO)->go, MBUS_GO_CAME);
                ck_assert_uint_eq(expect(&p, a, MBUS_EVENT_DELIVERED)->ticket, ticket);
                start = now();
                ck_assert_int_eq(mbus_entity_wait(child, "()", "never", (int64_t)SEC), 0);
                ck_assert_int_eq(expect(&p, b, MBUS_EVENT_GO)->go, MBUS_GO_TIMED_OUT);
                ck_assert_uint_ge(now() - start, SEC);
                ck_assert_int_eq(mbus_entity_wait(child, "()", "never", -1), 0);
                ck_assert_int_eq(mbus_entity_cancel_wait(child, "never"), 0);
                ck_assert_int_eq(expect(&p, b, MBUS_EVENT_GO)->go, MBUS_GO_CANCELLED);
                ck_assert_int_eq(mbus_entity_quit(parent, "(module:engine)", &ticket), 0);
                expect(&p, b, MBUS_EVENT_QUIT);
                place_deinit(&p);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_example_of_the_header_works,
                test_formats_and_signatures_and_waiting_for_ready,
                test_an_address_that_is_taken,
                test_reliable_messages_wait_for_their_destination,
                test_reliable_messages_to_nobody_and_to_several,
                test_what_is_too_large_is_refused_whoever_it_is_for,
                test_tickets_end_with_a_broker_that_is_stopped,
                test_two_programs_wait_for_each_other,
        };

        return run_tests("modes", tests, N(tests));
}
