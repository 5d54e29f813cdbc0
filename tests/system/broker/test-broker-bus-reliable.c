/*
 * test-broker-bus-reliable.c - reliable messages between clients and the bus, and their acknowledgements
 * (spec/attach.md).
 */
#include "peer.h"

/* REL-03 REL-09 */
START_TEST(test_a_reliable_message_from_the_bus_is_acknowledged_when_the_client_has_done_so)
{
        struct address b = parse(B);
        uint64_t ticket;
        struct event event;
        struct scene s;
        struct peer p;
        uint32_t seq;

        scene_meet(&s, &p, NULL);
        ck_assert_int_eq(engine_send_reliable(p.engine, clock_now(), clock_wall_ms(), p.entity, &b,
                                              span_of("do.it()"), &ticket),
                         0);
        peer_turn(&p);
        raw_expect(&s.b, "do.it()");
        ck_assert_int_eq(sscanf(s.b.text, "mbus/1.0 %u", &seq), 1);
        raw_acknowledge(&s.b, B, P, seq);
        event = peer_expect(&p, EVENT_DELIVERED);
        ck_assert_uint_eq(event.ticket, ticket);

        ck_assert_int_eq(engine_send_reliable(p.engine, clock_now(), clock_wall_ms(), p.entity, &b,
                                              span_of("do.it.in.vain()"), &ticket),
                         0);
        event = peer_expect(&p, EVENT_FAILED);
        ck_assert_int_eq(event.reason, MBUS_REASON_TIMEOUT);
        raw_expect(&s.b, "do.it.in.vain()");
        raw_expect_nothing(&s.b);
        scene_part(&s, &p);
}
END_TEST

/* REL-05 REL-07 */
START_TEST(test_a_reliable_message_to_the_bus_ends_with_the_peers_acknowledgement)
{
        struct address a = parse(A);
        struct event event;
        struct scene s;
        struct peer p;
        uint32_t seq;

        scene_meet(&s, &p, NULL);
        seq = raw_send(&s.a, 'R', A, "(app:p)", "do.it()");
        event = peer_expect(&p, EVENT_MESSAGE);
        ck_assert(event.message->header.reliable);
        ck_assert_str_eq(event.message->dest, P);
        ck_assert_uint_eq(event.message->header.timestamp, 1700000000000);
        raw_expect_nothing(&s.a);
        engine_acknowledge(p.engine, clock_now(), p.entity, &a, event.message->header.seq);
        event_deinit(&event);
        peer_turn(&p);
        raw_expect_ack(&s.a, P, seq);
        scene_part(&s, &p);
}
END_TEST

/* REL-08 */
START_TEST(test_a_reliable_message_to_the_bus_that_is_not_acknowledged_is_undelivered)
{
        struct scene s;
        struct peer p;
        uint32_t seq;

        scene_meet(&s, &p, NULL);
        seq = raw_send(&s.a, 'R', A, P, "do.it()");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u timeout "
                         "\"the entity did not acknowledge it\")",
                         seq);
        seq = raw_send(&s.a, 'R', A, P, "do.it()");
        engine_remove_entity(p.engine, clock_now(), clock_wall_ms(), p.entity);
        udp_send(p.udp, p.engine);
        raw_expect_about(&s.a, "broker.undelivered(%u bye \"the entity left the bus\")", seq);
        raw_expect(&s.b, "broker.left(\"" P "\" bye)");
        seq = raw_send(&s.a, 'R', A, P, "do.it()");
        raw_expect_about(&s.a, "broker.undelivered(%u unknown \"no known entity matches\")", seq);
        seq = raw_send(&s.a, 'R', A, P, "");
        raw_expect_about(&s.a, "broker.undelivered(%u unknown \"no known entity matches\")", seq);
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_acknowledgements_of_the_bus_do_not_leak_to_links_with_other_numbers)
{
        struct event event;
        struct scene s;
        struct peer p;
        uint32_t seq;

        scene_meet(&s, &p, NULL);
        seq = raw_send(&s.a, 'R', A, P, "do.it()");
        event = peer_expect(&p, EVENT_MESSAGE);
        engine_acknowledge(p.engine, clock_now(), p.entity, &event.message->header.src,
                           event.message->header.seq);
        event_deinit(&event);
        /* The acknowledgement rides on this. */
        peer_say(&p, A, "done()");
        ck_assert(raw_receive(&s.a));
        if (!strstr(s.a.text, "\r\ndone()")) {
                ck_assert_msg(strstr(s.a.text, P) != NULL, "%s", s.a.text);
                raw_expect(&s.a, "done()");
                ck_assert_msg(strstr(s.a.text, " ()\r\n") != NULL, "%s", s.a.text);
        } else {
                ck_assert_msg(strstr(s.a.text, " ()\r\n") != NULL, "%s", s.a.text);
                raw_expect_ack(&s.a, P, seq);
        }
        raw_expect_nothing(&s.a);
        scene_part(&s, &p);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_reliable_message_from_the_bus_is_acknowledged_when_the_client_has_done_so,
                test_a_reliable_message_to_the_bus_ends_with_the_peers_acknowledgement,
                test_a_reliable_message_to_the_bus_that_is_not_acknowledged_is_undelivered,
                test_acknowledgements_of_the_bus_do_not_leak_to_links_with_other_numbers,
        };

        return run_tests("broker-bus-reliable", tests, N(tests));
}
