/*
 * test-broker-commands.c - commands that the broker does not do are not acknowledged, wherever they
 * come from.
 */
#include "peer.h"

/* A reliable message of @payload from a is answered by broker.undelivered(SEQ ANSWER). */
static void expect_refusal(struct scene *s, const char *src, const char *payload,
                           const char *answer)
{
        uint32_t seq = raw_send(&s->a, 'R', src, BROKER, payload);
        char format[300];

        snprintf(format, sizeof(format), "broker.undelivered(%%u %s)", answer);
        raw_expect_about(&s->a, format, seq);
}

/* ---- on a link ----------------------------------------------------------------------------- */

/* What it is answered to need not fit into a frame together with the answer. */
START_TEST(test_who_writes_an_address_as_long_as_a_frame_is_answered_all_the_same)
{
        char *src = malloc(65480);
        struct scene s;
        uint32_t seq;

        ck_assert_ptr_nonnull(src);
        memset(src, ' ', 65479);
        memcpy(src, "(app:a", 6);
        memcpy(src + 65400, "module:ui id:1-1@127.0.0.1)", 28);
        scene_init(&s, NULL);
        raw_send(&s.a, 'U', src, B, "x()");
        raw_expect(&s.b, "x()");
        seq = raw_send(&s.a, 'R', src, BROKER, "");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        expect_refusal(&s, src, "x.y()", "malformed \"there is no command x.y\"");
        ck_assert_msg(strstr(s.a.text, ") " A " ()\r\n") != NULL, "%s", s.a.text);
        /* Nor need it be one of the link. */
        src[5] = 'z';
        seq = raw_send(&s.a, 'R', src, B, "x()");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u denied "
                         "\"SrcAddr is not attached to the link\")",
                         seq);
        free(src);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_command_that_does_not_exist_is_named_in_the_answer_and_in_the_log)
{
        char payload[1100];
        struct scene s;

        scene_init(&s, NULL);
        expect_refusal(&s, A, "broker.dorp(1)",
                       "malformed \"there is no command broker.dorp, is broker.drop meant?\"");
        expect_in_log(&s.broker, "there is no command broker.dorp, is broker.drop meant?");
        expect_refusal(&s, "()", "broker.nonsense()",
                       "malformed \"there is no command broker.nonsense\"");
        expect_refusal(&s, A, "audio.mute(1)", "malformed \"there is no command audio.mute\"");
        expect_refusal(&s, A, "mbus.nonsense()", "malformed \"there is no command mbus.nonsense\"");
        /* An unreliable one has no ticket to tell of. */
        raw_send(&s.a, 'U', A, BROKER, "broker.dorp(1)");
        raw_expect_nothing(&s.a);
        snprintf(payload, sizeof(payload), "x%01000u()", 1);
        raw_send(&s.a, 'R', A, BROKER, payload);
        ck_assert(raw_receive(&s.a));
        ck_assert_ptr_nonnull(strstr(s.a.text, " malformed \"there is no command x000"));
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_comes_behind_a_command_that_is_not_done_is_not_done_either)
{
        struct scene s;

        scene_init(&s, NULL);
        expect_refusal(&s, A, "broker.dorp(2)\r\nbroker.drop(2)",
                       "malformed \"there is no command broker.dorp, is broker.drop meant?\"");
        /* One answer for one ticket. */
        expect_refusal(&s, A, "broker.drop(98)\r\nbroker.drop(99)\r\nbroker.drop(2)",
                       "unknown \"there is no such link or local entity\"");
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_commands_of_the_bus_are_taken_from_a_link_as_far_as_they_are_its_to_say)
{
        static const char *const good[] = { "mbus.ping()", "mbus.waiting(x)", "mbus.go(x)", "" };
        struct scene s;

        scene_init(&s, NULL);
        for (unsigned i = 0; i < N(good); i++) {
                uint32_t seq = raw_send(&s.a, 'R', A, BROKER, good[i]);

                raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        }
        expect_refusal(&s, A, "mbus.hello()",
                       "denied \"mbus.hello and mbus.bye are said by the broker\"");
        expect_refusal(&s, A, "mbus.bye()",
                       "denied \"mbus.hello and mbus.bye are said by the broker\"");
        scene_deinit(&s);
}
END_TEST

/* ---- from the bus -------------------------------------------------------------------------- */

/* Sends @payload reliably to the broker's full address: how that ends. */
static enum event_type ask(struct peer *p, const struct scene *s, const char *payload)
{
        char text[64];
        struct address dest;
        struct event event;
        uint64_t ticket;

        snprintf(text, sizeof(text), "(app:mbus-broker id:%d-0@127.0.0.1)", (int)s->broker.pid);
        dest = parse(text);
        while (!engine_has_peer(p->engine, &dest))
                peer_turn(p);
        ck_assert_int_eq(engine_send_reliable(p->engine, clock_now(), clock_wall_ms(), p->entity,
                                              &dest, span_of(payload), &ticket),
                         0);
        for (;;) {
                while (engine_pop_event(p->engine, &event)) {
                        enum event_type type = event.type;

                        event_deinit(&event);
                        if (type == EVENT_DELIVERED || type == EVENT_FAILED)
                                return type;
                }
                peer_turn(p);
        }
}

START_TEST(test_a_command_from_the_bus_is_not_acknowledged_since_it_is_not_done)
{
        struct scene s;
        struct peer p;

        scene_init(&s, NULL);
        peer_init(&p, &s.broker);
        ck_assert_int_eq(ask(&p, &s, "mbus.waiting(x)"), EVENT_DELIVERED);
        ck_assert_int_eq(ask(&p, &s, "broker.drop(1)"), EVENT_FAILED);
        ck_assert_int_eq(ask(&p, &s, "x.y()\r\nbroker.status()"), EVENT_FAILED);
        ck_assert_int_eq(ask(&p, &s, "mbus.quit()"), EVENT_FAILED);
        expect_in_log(&s.broker, "broker.drop from " P
                                 " is not done: the broker takes no commands from the bus");
        /* What came after it is taken as before, and what is for nobody here as by anybody. */
        ck_assert_int_eq(ask(&p, &s, "x.y()"), EVENT_DELIVERED);
        ck_assert_int_eq(ask(&p, &s, "mbus.ping()"), EVENT_DELIVERED);
        raw_expect_nothing(&s.a);
        peer_deinit(&p);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_who_writes_an_address_as_long_as_a_frame_is_answered_all_the_same,
                test_a_command_that_does_not_exist_is_named_in_the_answer_and_in_the_log,
                test_what_comes_behind_a_command_that_is_not_done_is_not_done_either,
                test_commands_of_the_bus_are_taken_from_a_link_as_far_as_they_are_its_to_say,
                test_a_command_from_the_bus_is_not_acknowledged_since_it_is_not_done,
        };

        return run_tests("broker-commands", tests, N(tests));
}
