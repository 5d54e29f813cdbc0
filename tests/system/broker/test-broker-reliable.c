/*
 * test-broker-reliable.c - tickets on a link: exactly one end each, and the right one (section 7).
 */
#include <time.h>

#include "core/frame.h"
#include "core/message.h"
#include "scene.h"

/* The next message of @c ends in @payload, and acknowledges @acks. */
static void expect_with_acks(struct raw_client *c, const char *acks, const char *payload)
{
        char end[128];

        snprintf(end, sizeof(end), " %s\r\n%s", acks, payload);
        ck_assert(raw_receive(c));
        ck_assert_msg(c->text_n >= strlen(end) &&
                              strcmp(c->text + c->text_n - strlen(end), end) == 0,
                      "instead of: %s\ncame: %s", end, c->text);
}

/* REL-03 REL-07 */
START_TEST(test_an_acknowledgement_comes_from_the_entity_that_received_the_message)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, B, "do.it()");
        raw_expect(&s.b, "do.it()");
        raw_expect_nothing(&s.a);
        raw_acknowledge(&s.b, B, A, seq);
        raw_expect_ack(&s.a, B, seq);
        scene_deinit(&s);
}
END_TEST

/* REL-06 */
START_TEST(test_only_the_addressed_entity_can_acknowledge_and_only_once)
{
        struct raw_client c;
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        raw_open(&c, s.broker.socket);
        free(raw_attach(&c, "(app:c id:1-3@127.0.0.1)"));
        seq = raw_send(&s.a, 'R', A, B, "do.it()");
        raw_acknowledge(&c, "(app:c id:1-3@127.0.0.1)", A, seq);
        raw_expect_nothing(&c);
        raw_expect_nothing(&s.a);
        raw_acknowledge(&s.b, B, A, seq);
        raw_acknowledge(&s.b, B, A, seq);
        raw_acknowledge(&s.b, B, A, seq + 1000);
        raw_expect(&s.b, "do.it()");
        raw_expect_nothing(&s.b);
        raw_expect_ack(&s.a, B, seq);
        raw_expect_nothing(&s.a);
        raw_close(&c);
        scene_deinit(&s);
}
END_TEST

/* REL-10 */
START_TEST(test_acknowledgements_are_gathered_in_any_order_and_ride_on_messages)
{
        struct scene s;
        char acks[64];
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, B, "one()");
        raw_send(&s.a, 'R', A, B, "two()");
        raw_send(&s.a, 'R', A, B, "three()");
        raw_expect_nothing(&s.a);
        snprintf(acks, sizeof(acks), "(%u %u)", seq + 2, seq);
        raw_send_acks(&s.b, 'U', B, A, acks, "");
        ck_assert(raw_receive(&s.a));
        ck_assert_msg(strstr(s.a.text, acks) != NULL, "%s", s.a.text);
        snprintf(acks, sizeof(acks), "(%u)", seq + 1);
        raw_send_acks(&s.b, 'U', B, A, acks, "by.the.way()");
        raw_expect_ack(&s.a, B, seq + 1);
        expect_with_acks(&s.a, "()", "by.the.way()");
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

/* REL-06 */
START_TEST(test_acknowledgements_that_are_none_are_taken_out_of_messages)
{
        struct raw_client c;
        struct scene s;
        char acks[64], more[64];
        uint32_t seq;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        raw_open(&c, s.broker.socket);
        free(raw_attach(&c, "(app:c id:1-3@127.0.0.1)"));
        seq = raw_send(&s.a, 'R', A, B, "do.it()");
        raw_expect(&s.b, "do.it()");
        snprintf(acks, sizeof(acks), "(%u)", seq);
        snprintf(more, sizeof(more), "(%u %u)", seq, seq + 1);
        /* Forged, to it and to everybody; of an entity that it may be known by, but is not; on a message
         * that reaches it by half of its address. */
        raw_send_acks(&c, 'U', "(app:c id:1-3@127.0.0.1)", A, acks, "forged(1)");
        expect_with_acks(&s.a, "()", "forged(1)");
        raw_send_acks(&c, 'U', "(app:c id:1-3@127.0.0.1)", "()", acks, "forged(2)");
        expect_with_acks(&s.a, "()", "forged(2)");
        raw_send_acks(&c, 'R', "(app:c id:1-3@127.0.0.1)", A, acks, "forged(3)");
        expect_with_acks(&s.a, "()", "forged(3)");
        raw_send_acks(&s.b, 'U', B, "(app:a)", acks, "half()");
        expect_with_acks(&s.a, "()", "half()");
        /* One is true and one is not. */
        raw_send_acks(&s.b, 'U', B, A, more, "");
        raw_expect_ack(&s.a, B, seq);
        /* Too late. */
        raw_send_acks(&s.b, 'U', B, A, acks, "again()");
        expect_with_acks(&s.a, "()", "again()");
        raw_close(&c);
        scene_deinit(&s);
}
END_TEST

/* REL-10 */
START_TEST(test_acknowledgements_that_ride_on_a_message_go_alone_whatever_becomes_of_it)
{
        static const struct {
                char type;
                const char *payload;
                bool passes;
        } rides[] = {
                { 'R', "reply()", true },
                { 'U', "mbus.ping()", false },
                { 'U', "malformed(+", true },
                { 'U', "mbus.ping(+", false },
                /* Which is told, some time. */
                { 'U', "mbus.hello()", false },
        };
        struct scene s;

        scene_init(&s, NULL);
        for (size_t i = 0; i < N(rides); i++) {
                uint32_t seq = raw_send(&s.a, 'R', A, B, "do.it()");
                char acks[64];

                raw_expect(&s.b, "do.it()");
                snprintf(acks, sizeof(acks), "(%u)", seq);
                raw_send_acks(&s.b, rides[i].type, B, A, acks, rides[i].payload);
                raw_expect_ack(&s.a, B, seq);
                if (rides[i].passes)
                        expect_with_acks(&s.a, "()", rides[i].payload);
                raw_expect_nothing(&s.a);
        }
        scene_deinit(&s);
}
END_TEST

/* REL-01 ADR-10 */
START_TEST(test_a_subset_is_resolved_and_the_full_address_written_into_the_message)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, "(module:engine)", "do.it(\"x\" 1)");
        raw_expect(&s.b, "do.it(\"x\" 1)");
        ck_assert_msg(strstr(s.b.text, " R " A " " B " ()\r\n") != NULL, "%s", s.b.text);
        raw_acknowledge(&s.b, B, A, seq);
        raw_expect_ack(&s.a, B, seq);
        scene_deinit(&s);
}
END_TEST

#define LONG                                                                                       \
        "(app:long module:sixtysixtysixtysixtysixtysixtysixtysixtysixtysixtysixtysixty "           \
        "id:1-9@127.0.0.1)"

/* REL-01 REL-08 */
/* A queue on the way was said to be full. */
START_TEST(test_a_message_that_is_too_large_with_the_full_address_is_undelivered_for_that)
{
        static char payload[FRAME_MAX];
        struct scene s;
        uint32_t seq;
        size_t n;

        scene_init(&s, NULL);
        free(raw_attach(&s.b, LONG));
        /* What stands before a payload in a message to it. */
        n = (size_t)snprintf(payload, sizeof(payload), "mbus/1.0 %u 1700000000000 R %s %s ()\r\n",
                             s.a.seq, A, LONG);
        memset(payload, ' ', sizeof(payload));
        memcpy(payload, "x(", 2);
        payload[FRAME_MAX - n] = ')';
        payload[FRAME_MAX - n + 1] = 0;
        seq = raw_send(&s.a, 'R', A, "(app:long)", payload);
        raw_expect_about(&s.a,
                         "broker.undelivered(%u malformed \"it is too large: with the full address "
                         "of its receiver it has 65537 octets, and may have 65536\")",
                         seq);
        raw_expect_nothing(&s.b);
        payload[FRAME_MAX - n - 1] = ')';
        payload[FRAME_MAX - n] = 0;
        raw_send(&s.a, 'R', A, "(app:long)", payload);
        raw_expect(&s.b, payload);
        scene_deinit(&s);
}
END_TEST

/* TRN-04: whoever it is for, and whoever sends it. */
START_TEST(test_a_message_that_is_too_large_for_the_bus_is_refused_with_both_numbers)
{
        static char payload[FRAME_MAX];
        struct scene s;

        scene_init(&s, "DIALECT=UCL\n[broker]\nMULTICAST=never\n");
        memset(payload, 'y', 1400);
        memcpy(payload, "x(\"", 3);
        memcpy(payload + 1400, "\")", 3);
        raw_send(&s.a, 'R', A, B, payload);
        ck_assert(raw_receive(&s.a));
        ck_assert_msg(strstr(s.a.text, "malformed \"it is too large: it has 15") &&
                              strstr(s.a.text, " octets on the bus, and may have 13"),
                      "%s", s.a.text);
        raw_send(&s.a, 'U', A, B, payload);
        raw_expect(&s.a, "broker.dropped(1 sent)");
        raw_expect_nothing(&s.b);
        memcpy(payload + 1100, "\")", 3);
        raw_send(&s.a, 'U', A, B, payload);
        raw_expect(&s.b, payload);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_message_for_nobody_or_for_several_is_undelivered_at_once)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, "(app:c)", "do.it()");
        raw_expect_about(&s.a, "broker.undelivered(%u unknown \"no known entity matches\")", seq);
        seq = raw_send(&s.a, 'R', A, "()", "do.it()");
        raw_expect_about(&s.a, "broker.undelivered(%u not-unique \"several known entities match\")",
                         seq);
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

/* REL-05 REL-08 */
START_TEST(test_a_message_that_nobody_acknowledges_is_undelivered_after_a_time)
{
        struct timespec before, after;
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        clock_gettime(CLOCK_MONOTONIC, &before);
        seq = raw_send(&s.a, 'R', A, B, "one()");
        raw_send(&s.a, 'R', A, B, "two()");
        raw_send(&s.a, 'R', A, B, "three()");
        raw_expect_nothing(&s.a);
        raw_acknowledge(&s.b, B, A, seq + 1);
        raw_expect_ack(&s.a, B, seq + 1);
        raw_expect_about(&s.a,
                         "broker.undelivered(%u timeout "
                         "\"it was not acknowledged within 600 ms\")",
                         seq);
        raw_expect_about(&s.a,
                         "broker.undelivered(%u timeout "
                         "\"it was not acknowledged within 600 ms\")",
                         seq + 2);
        clock_gettime(CLOCK_MONOTONIC, &after);
        ck_assert_int_ge((after.tv_sec - before.tv_sec) * 1000 +
                                 (after.tv_nsec - before.tv_nsec) / 1000000,
                         600);
        raw_acknowledge(&s.b, B, A, seq);
        raw_expect(&s.b, "one()");
        raw_expect(&s.b, "two()");
        raw_expect(&s.b, "three()");
        raw_expect_nothing(&s.b);
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_message_to_an_entity_that_dies_or_leaves_is_undelivered_for_that)
{
        struct raw_client c;
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        raw_open(&c, s.broker.socket);
        free(raw_attach(&c, "(app:c id:1-3@127.0.0.1)"));
        seq = raw_send(&s.a, 'R', A, "(app:c)", "do.it()");
        raw_send(&s.a, 'R', A, B, "do.it()");
        raw_expect(&c, "do.it()");
        raw_close(&c);
        raw_expect_about(&s.a,
                         "broker.undelivered(%u bye "
                         "\"the entity left before it acknowledged\")",
                         seq);
        raw_expect(&s.b, "do.it()");
        raw_send(&s.b, 'U', B, BROKER, "broker.detach()");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u bye "
                         "\"the entity left before it acknowledged\")",
                         seq + 1);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_nobody_is_told_about_tickets_of_an_entity_that_left)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, B, "do.it()");
        raw_send(&s.a, 'U', A, BROKER, "broker.detach()");
        raw_expect(&s.b, "do.it()");
        free(raw_attach(&s.a, A));
        raw_acknowledge(&s.b, B, A, seq);
        raw_expect_nothing(&s.b);
        raw_expect_nothing(&s.a);
        usleep(700000);
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_an_entity_can_send_reliably_to_itself)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, "(app:a)", "note.to.myself()");
        raw_expect(&s.a, "note.to.myself()");
        raw_acknowledge(&s.a, A, A, seq);
        raw_expect_ack(&s.a, A, seq);
        scene_deinit(&s);
}
END_TEST

/* MSG-04 */
START_TEST(test_tickets_go_on_at_0_after_the_highest_number)
{
        struct scene s;

        scene_init(&s, NULL);
        s.a.seq = 4294967294;
        for (unsigned i = 0; i < 4; i++)
                raw_send(&s.a, 'R', A, B, "do.it()");
        raw_expect_nothing(&s.a);
        raw_send_acks(&s.b, 'U', B, A, "(4294967295 0 1 4294967294)", "");
        ck_assert(raw_receive(&s.a));
        ck_assert_msg(strstr(s.a.text, "(4294967295 0 1 4294967294)") != NULL, "%s", s.a.text);
        usleep(700000);
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_ticket_that_does_not_rise_is_refused)
{
        struct scene s;

        scene_init(&s, NULL);
        raw_send(&s.a, 'R', A, B, "do.it()");
        s.a.seq--;
        raw_send(&s.a, 'R', A, B, "do.it()");
        raw_expect_about(&s.a, "broker.undelivered(%u malformed \"SeqNums on a link must rise\")",
                         s.a.seq - 1);
        scene_deinit(&s);
}
END_TEST

/* Sends @n reliable messages from a to b. They are made before the first one goes, so that all are under
 * way before it times out, however slow the machine is. */
static void send_many(struct scene *s, unsigned n)
{
        struct buffer frames = BUFFER_INIT;

        for (unsigned i = 0; i < n; i++) {
                struct header_spec spec = { .seq = s->a.seq++,
                                            .timestamp = 1700000000000,
                                            .reliable = true,
                                            .src = span_of(A),
                                            .dest = span_of(B) };
                size_t start = frames.n;

                buffer_add(&frames, "\0\0\0\0", FRAME_HEADER_SIZE);
                message_format(&spec, span_of("do.it()"), DIALECT_RFC3259, &frames);
                ck_assert(!frames.failed);
                frame_put_length(frames.at + start, frames.n - start - FRAME_HEADER_SIZE, false);
        }
        raw_send_octets(&s->a, frames.at, frames.n);
        buffer_deinit(&frames);
}

START_TEST(test_more_tickets_than_allowed_are_full_and_all_others_end)
{
        struct scene s;
        uint32_t first;
        unsigned n_timeout = 0;

        scene_init(&s, NULL);
        first = s.a.seq;
        send_many(&s, 16385);
        raw_expect_about(&s.a,
                         "broker.undelivered(%u full \"too many reliable messages are under way\")",
                         first + 16384);
        for (; n_timeout < 16384; n_timeout++) {
                ck_assert(raw_receive(&s.a));
                ck_assert_msg(strstr(s.a.text, " timeout ") != NULL, "%s", s.a.text);
        }
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_reliable_messages_to_the_broker_are_acknowledged_by_it)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.unobserve()");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        seq = raw_send(&s.a, 'R', A, BROKER, "broken(");
        raw_expect_about(&s.a, "broker.undelivered(%u malformed \"the commands are malformed\")",
                         seq);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_an_acknowledgement_comes_from_the_entity_that_received_the_message,
                test_only_the_addressed_entity_can_acknowledge_and_only_once,
                test_acknowledgements_are_gathered_in_any_order_and_ride_on_messages,
                test_acknowledgements_that_are_none_are_taken_out_of_messages,
                test_acknowledgements_that_ride_on_a_message_go_alone_whatever_becomes_of_it,
                test_a_subset_is_resolved_and_the_full_address_written_into_the_message,
                test_a_message_that_is_too_large_with_the_full_address_is_undelivered_for_that,
                test_a_message_that_is_too_large_for_the_bus_is_refused_with_both_numbers,
                test_a_message_for_nobody_or_for_several_is_undelivered_at_once,
                test_a_message_that_nobody_acknowledges_is_undelivered_after_a_time,
                test_a_message_to_an_entity_that_dies_or_leaves_is_undelivered_for_that,
                test_nobody_is_told_about_tickets_of_an_entity_that_left,
                test_an_entity_can_send_reliably_to_itself,
                test_tickets_go_on_at_0_after_the_highest_number,
                test_a_ticket_that_does_not_rise_is_refused,
                test_more_tickets_than_allowed_are_full_and_all_others_end,
                test_reliable_messages_to_the_broker_are_acknowledged_by_it,
        };

        return run_tests("broker-reliable", tests, N(tests));
}
