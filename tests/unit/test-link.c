/*
 * test-link.c - the library on a link to a broker, played by the test frame by frame
 * (spec/attach.md).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus.h"
#include "buses.h"
#include "core/frame.h"
#include "link.h"
#include "run.h"

#define BROKER "(app:mbus-broker id:1-1@127.0.0.1)"
#define ME     "(app:x id:2-1@127.0.0.1)"
#define PEER   "(app:peer id:3-1@127.0.0.1)"

struct world {
        char directory[32];
        char path[64];
        char url[80];
        int listener;
        int fd; /* the broker's end */
        char bytes[1 << 20];
        size_t n;
        struct mbus_bus *bus;
        struct mbus_entity *me;
};

static void listen_at(struct world *w)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        strcpy(address.sun_path, w->path);
        w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(w->listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(w->listener, 1), 0);
}

static struct world *world_new(void)
{
        struct world *w = calloc(1, sizeof(*w));

        strcpy(w->directory, "/tmp/mbus-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(w->directory));
        snprintf(w->path, sizeof(w->path), "%s/broker.sock", w->directory);
        snprintf(w->url, sizeof(w->url), "unix:%s", w->path);
        listen_at(w);
        w->bus = bus_open(w->url, NULL);
        w->fd = accept(w->listener, NULL, NULL);
        ck_assert_int_ge(w->fd, 0);
        return w;
}

static void broker_stop(struct world *w)
{
        close(w->fd);
        close(w->listener);
        unlink(w->path);
        w->fd = w->listener = -1;
        w->n = 0;
}

static void world_free(struct world *w)
{
        mbus_bus_close(w->bus);
        if (w->fd >= 0)
                broker_stop(w);
        rmdir(w->directory);
        free(w);
}

static void turn(struct world *w)
{
        struct mbus_bus *buses[2] = { w->bus, NULL };

        buses_settle(buses);
}

/* The next message from the library; NULL if there is none. To be unreffed. */
static struct message *next(struct world *w)
{
        struct message *m = NULL;
        struct span text;
        bool observed;
        ssize_t got;
        size_t n;

        turn(w);
        got = recv(w->fd, w->bytes + w->n, sizeof(w->bytes) - w->n, MSG_DONTWAIT);
        w->n += got > 0 ? (size_t)got : 0;
        if (frame_next((struct span){ w->bytes, w->n }, &text, &observed, &n) != FRAME_OK)
                return NULL;
        ck_assert(!observed);
        ck_assert_int_eq(message_new(text, &m, NULL), 0);
        memmove(w->bytes, w->bytes + n, w->n - n);
        w->n -= n;
        return m;
}

/* The next message must have this in its text; returns its SeqNum. */
static uint32_t expect(struct world *w, const char *text)
{
        struct message *m = next(w);
        uint32_t seq;

        ck_assert_msg(m != NULL, "nothing sent, want %s", text);
        ck_assert_msg(memmem(m->text.at, m->text.n, text, strlen(text)) != NULL, "sent %.*s",
                      (int)m->text.n, m->text.at);
        seq = m->header.seq;
        message_unref(m);
        return seq;
}

static void say_frame(struct world *w, bool observed, const char *message)
{
        char frame[4096];
        size_t n = strlen(message);

        frame_put_length(frame, n, observed);
        memcpy(frame + FRAME_HEADER_SIZE, message, n);
        ck_assert_int_eq(send(w->fd, frame, FRAME_HEADER_SIZE + n, MSG_NOSIGNAL),
                         (ssize_t)(FRAME_HEADER_SIZE + n));
}

__attribute__((format(printf, 2, 3))) static void say(struct world *w, const char *format, ...)
{
        char message[2048];
        va_list ap;

        va_start(ap, format);
        vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        say_frame(w, false, message);
        turn(w);
}

/* An attached entity, with READY popped. */
static struct world *world_with_entity(void)
{
        struct world *w = world_new();
        uint32_t seq;

        w->me = entity_add(w->bus, "(app:x)");
        seq = expect(w, "(app:x) (app:mbus-broker) ()\r\nbroker.attach(1)");
        say(w, "mbus/1.0 1 1 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\")", seq, seq);
        ck_assert_str_eq(event_expect(w->bus, MBUS_EVENT_READY)->address, ME);
        return w;
}

static uint64_t send_reliable(struct world *w)
{
        struct mbus_commands *c;
        uint64_t ticket = 0;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        ck_assert_int_eq(mbus_commands_add_text(c, "a()", NULL, NULL), 0);
        ck_assert_int_eq(mbus_entity_send_reliable(w->me, "(app:peer)", c, &ticket), 0);
        mbus_commands_free(c);
        return ticket;
}

/* ---- attaching ----------------------------------------------------------------------------- */

START_TEST(test_an_entity_sends_and_has_an_address_once_it_is_attached)
{
        struct world *w = world_new();
        struct mbus_entity *e = entity_add(w->bus, "(app:x)");
        uint32_t seq;

        ck_assert_str_eq(mbus_bus_get_url(w->bus), w->url);
        ck_assert_ptr_null(mbus_entity_get_address(e));
        ck_assert_int_eq(mbus_entity_send_text(e, "()", "a()"), MBUS_E_NOT_READY);
        seq = expect(w, " R (app:x) (app:mbus-broker) ()\r\nbroker.attach(1)");
        ck_assert_uint_eq(seq, 0);
        say(w, "mbus/1.0 1 1 U " BROKER " () (0)\r\nbroker.attached(0 1 \"" ME "\")");
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_READY);
        ck_assert_str_eq(mbus_entity_get_address(e), ME);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_int_eq(mbus_entity_send_text(e, "(app:peer)", "a()"), 0);
        ck_assert_uint_eq(expect(w, " U " ME " (app:peer) ()\r\na()"), 1);
        mbus_entity_remove(e);
        expect(w, ME " (app:mbus-broker) ()\r\nbroker.detach()");
        world_free(w);
}
END_TEST

START_TEST(test_a_refusal_names_its_reason)
{
        struct world *w = world_new();
        struct mbus_entity *e = entity_add(w->bus, "(app:x)");
        const struct mbus_event *event;

        expect(w, "broker.attach(1)");
        say(w, "mbus/1.0 1 1 U " BROKER " () ()\r\nbroker.refused(0 denied \"not yours\")");
        event = event_expect(w->bus, MBUS_EVENT_REFUSED);
        ck_assert_ptr_eq(event->entity, e);
        ck_assert_int_eq(event->reason, MBUS_REASON_DENIED);
        ck_assert_int_eq(mbus_entity_send_text(e, "()", "a()"), MBUS_E_NOT_READY);
        world_free(w);
}
END_TEST

START_TEST(test_an_entity_that_was_removed_while_it_attached_is_detached)
{
        struct world *w = world_new();
        struct mbus_entity *e = entity_add(w->bus, "(app:x)");

        expect(w, "broker.attach(1)");
        mbus_entity_remove(e);
        say(w, "mbus/1.0 1 1 U " BROKER " () (0)\r\nbroker.attached(0 1 \"" ME "\")");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        expect(w, ME " (app:mbus-broker) ()\r\nbroker.detach()");
        world_free(w);
}
END_TEST

/* ---- tickets ------------------------------------------------------------------------------- */

START_TEST(test_a_ticket_ends_with_an_acknowledgement)
{
        struct world *w = world_with_entity();
        uint64_t first = send_reliable(w), second = send_reliable(w);
        uint32_t a = expect(w, " R " ME " (app:peer) ()\r\na()"), b = expect(w, " R ");
        const struct mbus_event *event;

        ck_assert_uint_ne(first, second);
        say(w, "mbus/1.0 9 9 U " PEER " " ME " (77 %u %u)", b, a);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_DELIVERED);
        ck_assert_uint_eq(event->ticket, second);
        ck_assert_ptr_eq(event->entity, w->me);
        ck_assert_uint_eq(mbus_bus_pop_event(w->bus)->ticket, first);
        say(w, "mbus/1.0 10 9 U " PEER " " ME " (%u)", a);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_a_ticket_that_is_undelivered_fails_with_the_brokers_reason)
{
        struct world *w = world_with_entity();
        uint64_t ticket = send_reliable(w);
        uint32_t seq = expect(w, " R ");
        const struct mbus_event *event;

        say(w, "mbus/1.0 2 9 U " BROKER " " ME " ()\r\nbroker.undelivered(%u not-unique \"two\")",
            seq);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_FAILED);
        ck_assert_uint_eq(event->ticket, ticket);
        ck_assert_int_eq(event->reason, MBUS_REASON_NOT_UNIQUE);
        world_free(w);
}
END_TEST

START_TEST(test_only_the_broker_speaks_for_the_broker)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        uint32_t seq;

        send_reliable(w);
        seq = expect(w, " R ");
        say(w, "mbus/1.0 2 9 U " PEER " " ME " ()\r\nbroker.undelivered(%u bye \"\")", seq);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        /* And what it says beyond its part is a message. */
        say(w, "mbus/1.0 2 9 U " BROKER " " ME " ()\r\nbroker.status(up)");
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_MESSAGE);
        world_free(w);
}
END_TEST

START_TEST(test_many_tickets_find_their_way_in_any_order)
{
        struct world *w = world_with_entity();
        enum { TICKETS = 3000 };
        uint64_t *tickets = calloc(TICKETS, sizeof(*tickets));
        uint32_t first = 0;

        for (uint32_t i = 0; i < TICKETS; i++) {
                tickets[i] = send_reliable(w);
                if (i % 100 == 99)
                        for (uint32_t k = i - 99; k <= i; k++) {
                                uint32_t seq = expect(w, " R ");

                                first = k == 0 ? seq : first;
                                ck_assert_uint_eq(seq, first + k);
                        }
        }
        for (uint32_t i = 0; i < TICKETS; i++) {
                uint32_t k = (i * 1009 + 17) % TICKETS;
                const struct mbus_event *event;

                say(w, "mbus/1.0 9 9 U " PEER " " ME " (%u)", first + k);
                event = mbus_bus_pop_event(w->bus);
                ck_assert_ptr_nonnull(event);
                ck_assert_uint_eq(event->ticket, tickets[k]);
        }
        free(tickets);
        world_free(w);
}
END_TEST

/* ---- receiving ----------------------------------------------------------------------------- */

START_TEST(test_reliable_messages_are_acknowledged_together)
{
        struct world *w = world_with_entity();
        struct message *m;
        uint32_t seq;
        struct span rest;

        for (uint32_t i = 0; i < 3; i++) {
                char text[256];

                snprintf(text, sizeof(text), "mbus/1.0 %u 9 R " PEER " " ME " ()\r\na()", 100 + i);
                say_frame(w, false, text);
        }
        turn(w);
        m = next(w);
        ck_assert_ptr_nonnull(m);
        ck_assert_str_eq(m->src, ME);
        ck_assert_str_eq(m->dest, PEER);
        ck_assert(!m->header.reliable);
        ck_assert_uint_eq(m->payload.n, 0);
        rest = m->header.acks;
        for (uint32_t i = 0; i < 3; i++) {
                ck_assert(acks_next(&rest, &seq));
                ck_assert_uint_eq(seq, 100 + i);
        }
        ck_assert(!acks_next(&rest, &seq));
        message_unref(m);
        for (int i = 0; i < 3; i++)
                event_expect(w->bus, MBUS_EVENT_MESSAGE);
        world_free(w);
}
END_TEST

START_TEST(test_a_reliable_message_for_a_subset_is_neither_taken_nor_acknowledged)
{
        struct world *w = world_with_entity();

        say(w, "mbus/1.0 1 9 R " PEER " (app:x) ()\r\na()");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_ptr_null(next(w));
        world_free(w);
}
END_TEST

START_TEST(test_one_frame_reaches_all_entities_of_the_link_but_its_sender)
{
        struct world *w = world_with_entity();
        struct mbus_entity *second = entity_add(w->bus, "(app:x)");
        const struct mbus_event *event;
        uint32_t seq = expect(w, "broker.attach(1)");

        say(w,
            "mbus/1.0 1 1 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"(app:x "
            "id:2-2@127.0.0.1)\")",
            seq, seq);
        events_clear(w->bus);
        say(w, "mbus/1.0 1 9 U " PEER " (app:x) ()\r\na()");
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_MESSAGE);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        say(w, "mbus/1.0 1 9 U " ME " (app:x) ()\r\na()");
        event = mbus_bus_pop_event(w->bus);
        ck_assert_ptr_eq(event->entity, second);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_copies_for_a_monitor_are_observed_and_nothing_else)
{
        struct world *w = world_with_entity();

        ck_assert_int_eq(mbus_bus_observe(w->bus, true), 0);
        expect(w, " U () (app:mbus-broker) ()\r\nbroker.observe(1)");
        say_frame(w, true, "mbus/1.0 1 9 R " PEER " " ME " ()\r\na()");
        turn(w);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_OBSERVED);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_ptr_null(next(w));
        world_free(w);
}
END_TEST

START_TEST(test_losses_that_the_broker_tells_of_are_reported)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;

        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.dropped(42 full)");
        event = event_expect(w->bus, MBUS_EVENT_DROPPED);
        ck_assert_uint_eq(event->count, 42);
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, event->drop), 42);
        world_free(w);
}
END_TEST

START_TEST(test_frames_that_are_no_messages_are_counted)
{
        struct world *w = world_with_entity();

        say_frame(w, false, "hello");
        say(w, "mbus/1.0 1 9 U " PEER " (app:x) ()\r\na(");
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, MBUS_DROP_MALFORMED), 2);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_odd_answers_of_a_broker_do_no_harm)
{
        static const char *const odd[] = {
                "broker.attached()",
                "broker.attached(-1 1 \"" ME "\")",
                "broker.attached(0 1 x)",
                "broker.attached(7 1 \"(\")",
                "broker.refused(99999999999999999999 x)",
                "broker.refused(1)",
                "broker.joined(1 2 3)",
                "broker.joined(\"(app:y)\")",
                "broker.joined(\"(\" 1)",
                "broker.left()",
                "broker.left(\"(app:z)\")",
                "broker.watching()",
                "broker.watching(17)",
                "broker.dropped()",
                "broker.dropped(-1 full)",
                "broker.undelivered(\"x\" bye)",
        };
        struct world *w = world_with_entity();

        for (size_t i = 0; i < N(odd); i++)
                say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\n%s", odd[i]);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

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
        attach = expect(w, ME " (app:mbus-broker) ()\r\nbroker.attach(1)");
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
        seq = expect(w, " (app:x) (app:mbus-broker) ()\r\nbroker.attach(1)");
        say(w,
            "mbus/1.0 1 9 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"(app:x "
            "id:2-9@127.0.0.1)\")",
            seq, seq);
        event = event_expect(w->bus, MBUS_EVENT_READY);
        ck_assert_str_eq(event->address, "(app:x id:2-9@127.0.0.1)");
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
        expect(w, "broker.attach(1)");
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

START_TEST(test_nothing_is_read_while_too_many_events_wait)
{
        struct world *w = world_with_entity();
        const char *message = "mbus/1.0 1 9 U " PEER " (app:x) ()\r\na()";
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n, sent = 0, got = 0;
        char frame[256];

        frame_put_length(frame, strlen(message), false);
        strcpy(frame + FRAME_HEADER_SIZE, message);
        while (sent < 10 * LINK_EVENTS_HIGH) {
                if (send(w->fd, frame, FRAME_HEADER_SIZE + strlen(message),
                         MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
                        ck_assert_int_eq(mbus_bus_get_pollfds(w->bus, fds, 1, &n), 0);
                        if (!(fds[0].events & POLLIN))
                                break;
                        ck_assert_int_ge(mbus_bus_process(w->bus), 0);
                } else {
                        sent++;
                }
        }
        ck_assert_uint_lt(sent, 10 * LINK_EVENTS_HIGH);
        while (got < sent) {
                turn(w);
                while (mbus_bus_pop_event(w->bus))
                        got++;
        }
        ck_assert_uint_eq(got, sent);
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, MBUS_DROP_EVENTS), 0);
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
                test_an_entity_sends_and_has_an_address_once_it_is_attached,
                test_a_refusal_names_its_reason,
                test_an_entity_that_was_removed_while_it_attached_is_detached,
                test_a_ticket_ends_with_an_acknowledgement,
                test_a_ticket_that_is_undelivered_fails_with_the_brokers_reason,
                test_only_the_broker_speaks_for_the_broker,
                test_many_tickets_find_their_way_in_any_order,
                test_reliable_messages_are_acknowledged_together,
                test_a_reliable_message_for_a_subset_is_neither_taken_nor_acknowledged,
                test_one_frame_reaches_all_entities_of_the_link_but_its_sender,
                test_copies_for_a_monitor_are_observed_and_nothing_else,
                test_losses_that_the_broker_tells_of_are_reported,
                test_frames_that_are_no_messages_are_counted,
                test_odd_answers_of_a_broker_do_no_harm,
                test_a_watch_reports_joins_and_leaves_and_its_end,
                test_a_lost_link_is_restored_and_nothing_is_lost_silently,
                test_an_address_that_is_taken_after_a_lost_link_is_exchanged,
                test_a_stream_without_sense_is_a_lost_link,
                test_one_descriptor_follows_the_link,
                test_output_that_the_broker_does_not_take_is_bounded,
                test_nothing_is_read_while_too_many_events_wait,
                test_what_waits_is_written_when_the_bus_is_closed,
        };

        return run_tests("link", tests, N(tests));
}
