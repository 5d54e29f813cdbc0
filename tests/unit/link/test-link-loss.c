/*
 * test-link-loss.c - the library on a link to a broker: watching, losing the link and getting it
 * back, and what is bounded (spec/attach.md).
 */
#include <bus/bus.h>
#include "fake-broker.h"
#include "io/clock.h"
#include <link/link.h>
#include "run.h"

/* ---- watching ------------------------------------------------------------------------------ */

static uint32_t watch_all(struct world *w)
{
        ck_assert_int_eq(mbus_bus_watch(w->bus, "()"), 0);
        return expect(w, " U () (app:mbus-broker) ()\r\nbroker.watch(\"()\")");
}

START_TEST(test_a_watch_reports_joins_and_leaves_and_its_end)
{
        struct world *w = world_with_entity();
        uint32_t seq = watch_all(w);
        const struct mbus_event *event;
        struct mbus_peers *peers;

        say(w,
            "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.joined(\"" PEER "\" 2000 \"" ME
            "\" 5)\r\nbroker.watching(%u)",
            seq);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_JOINED);
        ck_assert_str_eq(event->address, PEER);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_WATCHING);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_int_eq(mbus_peers_new(w->bus, "(app:peer)", &peers), 0);
        ck_assert_uint_eq(mbus_peers_get_n(peers), 1);
        ck_assert_uint_ge(mbus_peers_get_age(peers, 0), 2 * NSEC_PER_SEC);
        mbus_peers_free(peers);
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.left(\"" PEER "\" bye)");
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_LEFT);
        ck_assert_str_eq(event->address, PEER);
        ck_assert_int_eq(event->reason, MBUS_REASON_BYE);
        world_free(w);
}
END_TEST

/* ---- losing the link ----------------------------------------------------------------------- */

static void broker_return(struct world *w)
{
        struct pollfd fd = { .events = POLLIN };

        listen_at(w);
        fd.fd = w->listener;
        while (poll(&fd, 1, 0) == 0) {
                int r = mbus_bus_wait(w->bus, 10 * (int64_t)NSEC_PER_MSEC);

                ck_assert_int_ge(r, 0);
        }
        w->fd = accept(w->listener, NULL, NULL);
        ck_assert_int_ge(w->fd, 0);
}

START_TEST(test_a_lost_link_is_restored_and_nothing_is_lost_silently)
{
        struct world *w = world_with_entity();
        uint32_t seq = watch_all(w), attach, watch;
        const struct mbus_event *event;
        uint64_t ticket;

        say(w,
            "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.joined(\"" PEER "\" 1 "
            "\"(app:gone)\" 1)\r\nbroker.watching(%u)",
            seq);
        events_clear(w->bus);
        ticket = send_reliable(w);
        broker_stop(w);
        turn(w);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_LINK_DOWN);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_FAILED);
        ck_assert_uint_eq(event->ticket, ticket);
        ck_assert_int_eq(event->reason, MBUS_REASON_LINK_DOWN);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "a()"), MBUS_E_NOT_READY);
        ck_assert_str_eq(mbus_entity_get_address(w->me), ME);

        broker_return(w);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_LINK_UP);
        watch = expect(w, "broker.watch(\"()\")");
        attach = expect(w, ME " (app:mbus-broker) ()\r\n" ATTACH " (id made))");
        say(w, "mbus/1.0 1 9 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\")", attach,
            attach);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_READY);
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.joined(\"" PEER "\" 1)");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.watching(%u)", watch);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_LEFT);
        ck_assert_str_eq(event->address, "(app:gone)");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "a()"), 0);
        world_free(w);
}
END_TEST

/* Loses the link; returns when it is to be tried again. */
static uint64_t lose_link(struct world *w)
{
        broker_stop(w);
        turn(w);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_LINK_DOWN);
        return w->bus->mode->ops->get_deadline(w->bus->mode);
}

/* A broker that closes every link would be asked for it again twelve times a second, by each of its
 * clients. */
START_TEST(test_a_link_that_is_lost_before_it_is_of_use_is_asked_for_less_and_less_often)
{
        struct world *w = world_new();
        uint64_t before, deadline = 0;

        watch_all(w);
        for (unsigned i = 0; i < 5; i++) {
                before = clock_now();
                deadline = lose_link(w);
                /* It is never so late that it is not back within a second. */
                ck_assert_uint_lt(deadline, clock_now() + NSEC_PER_SEC);
                broker_return(w);
                ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_LINK_UP);
        }
        ck_assert_uint_ge(deadline, before + 500 * NSEC_PER_MSEC);
        world_free(w);
}
END_TEST

START_TEST(test_a_link_that_was_of_use_is_asked_for_at_once)
{
        struct world *w = world_new();
        uint32_t seq = watch_all(w);

        for (unsigned i = 0; i < 4; i++) {
                say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.watching(%u)", seq);
                events_clear(w->bus);
                ck_assert_uint_lt(lose_link(w), clock_now() + 100 * NSEC_PER_MSEC);
                broker_return(w);
                seq = expect(w, "broker.watch(\"()\")");
        }
        world_free(w);
}
END_TEST

START_TEST(test_an_address_that_is_taken_after_a_lost_link_is_exchanged)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        uint32_t seq;

        broker_stop(w);
        turn(w);
        broker_return(w);
        seq = expect(w, ME " (app:mbus-broker)");
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.refused(%u taken \"\")", seq);
        seq = expect(w, " (app:x) (app:mbus-broker) ()\r\n" ATTACH);
        say(w,
            "mbus/1.0 1 9 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"(app:x "
            "id:2-9@127.0.0.1)\")",
            seq, seq);
        event = event_expect(w->bus, MBUS_EVENT_READY);
        ck_assert_str_eq(event->address, "(app:x id:2-9@127.0.0.1)");
        world_free(w);
}
END_TEST

/* The broker may not have noticed that the old link is gone, over TCP for 25 s. */
START_TEST(test_an_address_of_ones_own_is_asked_for_again_while_the_old_link_has_it)
{
        struct world *w = world_new();
        uint32_t seq;

        w->me = entity_add(w->bus, ME);
        seq = expect(w, ME " (app:mbus-broker) ()\r\n" ATTACH);
        say(w, "mbus/1.0 1 1 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\")", seq, seq);
        events_clear(w->bus);
        broker_stop(w);
        turn(w);
        broker_return(w);
        for (unsigned i = 0; i < 3; i++) {
                events_clear(w->bus);
                seq = expect(w, ME " (app:mbus-broker) ()\r\n" ATTACH);
                say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.refused(%u taken \"\")", seq);
                ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
                ck_assert_int_eq(mbus_bus_wait(w->bus, 2 * (int64_t)NSEC_PER_SEC / 5),
                                 MBUS_E_NOT_READY);
        }
        seq = expect(w, ME " (app:mbus-broker) ()\r\n" ATTACH);
        say(w, "mbus/1.0 1 9 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\")", seq, seq);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_READY);
        world_free(w);
}
END_TEST

static void say_reliable(struct world *w, unsigned seq, unsigned time)
{
        say(w, "mbus/1.0 %u %u R " PEER " " ME " ()\r\na(%u)", seq, time, seq);
}

static void back_on_the_link(struct world *w)
{
        uint32_t seq;

        broker_stop(w);
        turn(w);
        broker_return(w);
        seq = expect(w, ME " (app:mbus-broker) ()\r\n" ATTACH);
        say(w, "mbus/1.0 1 9 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\")", seq, seq);
        events_clear(w->bus);
}

/* What the acknowledgement of did not reach the bus, since the broker died, is repeated there, and the
 * next broker has not seen it before. */
START_TEST(test_what_comes_again_after_the_broker_died_is_acknowledged_and_not_delivered_again)
{
        struct world *w = world_with_entity();

        for (unsigned i = 0; i < 3; i++) {
                say_reliable(w, 70 + i, 1000);
                event_expect(w->bus, MBUS_EVENT_MESSAGE);
                expect(w, PEER " (");
        }
        back_on_the_link(w);
        for (unsigned i = 0; i < 3; i++) {
                say_reliable(w, 70 + i, 1000);
                ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
                expect(w, PEER " (7");
        }
        /* A source that started again, and what is new. */
        say_reliable(w, 70, 2000);
        event_expect(w->bus, MBUS_EVENT_MESSAGE);
        say_reliable(w, 73, 1000);
        event_expect(w->bus, MBUS_EVENT_MESSAGE);
        world_free(w);
}
END_TEST

START_TEST(test_a_stream_without_sense_is_a_lost_link)
{
        struct world *w = world_with_entity();

        ck_assert_int_eq(send(w->fd, "\0\0\0\0", 4, MSG_NOSIGNAL), 4);
        turn(w);
        event_expect(w->bus, MBUS_EVENT_LINK_DOWN);
        world_free(w);
}
END_TEST

START_TEST(test_one_descriptor_follows_the_link)
{
        struct world *w = world_with_entity();
        struct pollfd fd = { .events = POLLIN };

        ck_assert_int_eq(mbus_bus_get_fd(w->bus, &fd.fd), 0);
        turn(w);
        ck_assert_int_eq(poll(&fd, 1, 0), 0);
        broker_stop(w);
        ck_assert_int_eq(poll(&fd, 1, 0), 1);
        turn(w);
        event_expect(w->bus, MBUS_EVENT_LINK_DOWN);
        ck_assert_int_eq(poll(&fd, 1, 60000), 1);
        broker_return(w);
        expect(w, ATTACH);
        ck_assert_int_eq(poll(&fd, 1, 0), 0);
        say_frame(w, false, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.dropped(1 full)");
        ck_assert_int_eq(poll(&fd, 1, 0), 1);
        world_free(w);
}
END_TEST

/* ---- limits -------------------------------------------------------------------------------- */

START_TEST(test_output_that_the_broker_does_not_take_is_bounded)
{
        struct world *w = world_with_entity();
        char *text = malloc(60001);
        int r = 0, n = 0;

        memset(text, 'a', 60000);
        memcpy(text + 59998, "()", 3);
        while (r == 0 && n < 10000) {
                r = mbus_entity_send_text(w->me, "()", text);
                n += r == 0;
        }
        ck_assert_int_eq(r, MBUS_E_FULL);
        ck_assert_int_lt(n, 200);
        /* It goes on where it stopped. */
        for (int i = 0; i < n; i++)
                expect(w, " U " ME " () ()\r\naaaa");
        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "b()"), 0);
        expect(w, "\r\nb()");
        free(text);
        world_free(w);
}
END_TEST

/* Has the library read what the broker sends, @message again and again, until it wants no more, and
 * returns how many those were: fewer than @max. */
static size_t flood(struct world *w, const char *message, size_t max)
{
        size_t n = FRAME_HEADER_SIZE + strlen(message), given = 0, sent = 0, n_fds;
        struct pollfd fds[MBUS_POLLFDS_MAX];
        char *frame = malloc(n);

        ck_assert_ptr_nonnull(frame);
        frame_put_length(frame, strlen(message), false);
        memcpy(frame + FRAME_HEADER_SIZE, message, strlen(message));
        while (sent < max) {
                ssize_t r = send(w->fd, frame + given, n - given, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (r < 0) {
                        ck_assert_int_eq(mbus_bus_get_pollfds(w->bus, fds, 1, &n_fds), 0);
                        if (!(fds[0].events & POLLIN))
                                break;
                        ck_assert_int_ge(mbus_bus_process(w->bus), 0);
                } else {
                        given = (given + (size_t)r) % n;
                        sent += given == 0;
                }
        }
        free(frame);
        ck_assert_uint_lt(sent, max);
        return sent;
}

/* The application wakes up, and loses nothing. */
static void drain(struct world *w, size_t sent)
{
        for (size_t got = 0; got < sent;) {
                turn(w);
                while (mbus_bus_pop_event(w->bus))
                        got++;
        }
        ck_assert_uint_eq(w->bus->parts.events.bytes, 0);
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, MBUS_DROP_EVENTS), 0);
}

START_TEST(test_nothing_is_read_while_too_many_events_wait)
{
        struct world *w = world_with_entity();

        drain(w, flood(w, "mbus/1.0 1 9 U " PEER " (app:x) ()\r\na()", 10 * LINK_EVENTS_HIGH));
        world_free(w);
}
END_TEST

START_TEST(test_events_count_with_the_memory_of_their_parameters)
{
        struct world *w = world_with_entity();
        struct buffer text = BUFFER_INIT;

        buffer_add_text(&text, "mbus/1.0 1 9 U " PEER " (app:x) ()\r\na(");
        for (unsigned i = 0; i < 30000; i++)
                buffer_add_text(&text, "1 ");
        buffer_add_text(&text, ")");
        buffer_add(&text, "", 1);
        /* What the socket and the library's buffer hold comes on top. */
        drain(w, flood(w, text.at, LINK_EVENTS_BYTES_HIGH / (30000 * sizeof(struct value)) + 20));
        buffer_deinit(&text);
        world_free(w);
}
END_TEST

START_TEST(test_what_waits_is_written_when_the_bus_is_closed)
{
        struct world *w = world_with_entity();

        ck_assert_int_eq(mbus_entity_send_text(w->me, "()", "a()"), 0);
        w->bus = mbus_bus_close(w->bus);
        w->n = (size_t)recv(w->fd, w->bytes, sizeof(w->bytes), 0);
        ck_assert_ptr_nonnull(memmem(w->bytes, w->n, "\r\na()", 5));
        world_free(w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_watch_reports_joins_and_leaves_and_its_end,
                test_a_lost_link_is_restored_and_nothing_is_lost_silently,
                test_a_link_that_is_lost_before_it_is_of_use_is_asked_for_less_and_less_often,
                test_a_link_that_was_of_use_is_asked_for_at_once,
                test_an_address_that_is_taken_after_a_lost_link_is_exchanged,
                test_an_address_of_ones_own_is_asked_for_again_while_the_old_link_has_it,
                test_what_comes_again_after_the_broker_died_is_acknowledged_and_not_delivered_again,
                test_a_stream_without_sense_is_a_lost_link,
                test_one_descriptor_follows_the_link,
                test_output_that_the_broker_does_not_take_is_bounded,
                test_nothing_is_read_while_too_many_events_wait,
                test_events_count_with_the_memory_of_their_parameters,
                test_what_waits_is_written_when_the_bus_is_closed,
        };

        return run_tests("link-loss", tests, N(tests));
}
