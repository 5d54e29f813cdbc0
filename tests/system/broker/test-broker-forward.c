/*
 * test-broker-forward.c - unreliable messages between links, and who observes them (spec/attach.md).
 */
#include <signal.h>

#include "scene.h"

START_TEST(test_the_very_octets_pass_from_one_link_to_another)
{
        /* White space, elements in another order, octets that only look like a message. */
        static const char *const texts[] = {
                "mbus/1.0 7 1700000000000 U " A " " B " ()\r\nx.y(\"\\n\" <AAAA> (1 2.5 z))\r\n",
                "mbus/1.0  8\t1 u (id:1-1@127.0.0.1 module:ui app:a)  (module:engine)  ( )\n\nx.y "
                "()",
                "mbus/1.0 00009 1700000000000 U " A " (app:b  module:engine) ()\r\n x.y( )\n\n",
                "mbus/1.0 4294967295 1700000000000 U " A " " B " ()\r\nx.y()",
        };
        struct scene s;

        scene_init(&s, NULL);
        for (unsigned round = 0; round < 3; round++) {
                for (unsigned i = 0; i < N(texts); i++) {
                        raw_send_text(&s.a, texts[i]);
                        ck_assert(raw_receive(&s.b));
                        ck_assert_str_eq(s.b.text, texts[i]);
                        ck_assert(!s.b.observed);
                }
        }
        scene_deinit(&s);
}
END_TEST

/* ADR-06 MSG-09 */
START_TEST(test_a_message_goes_to_each_link_that_has_a_match_once_and_not_to_its_sender)
{
        struct raw_client c;
        struct scene s;

        scene_init(&s, NULL);
        raw_open(&c, s.broker.socket);
        free(raw_attach(&c, "(app:c module:engine)"));
        free(raw_attach(&c, "(app:d module:engine)"));
        raw_send(&s.a, 'U', A, "(module:engine)", "to.engines()");
        raw_expect(&s.b, "to.engines()");
        raw_expect(&c, "to.engines()");
        raw_send(&s.a, 'U', A, "()", "to.all()");
        raw_expect(&s.b, "to.all()");
        raw_expect(&c, "to.all()");
        raw_send(&s.a, 'U', A, "(app:e)", "to.nobody()");
        raw_send(&s.a, 'U', A, A, "to.myself()");
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.b);
        raw_expect_nothing(&c);
        raw_close(&c);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_an_entity_gets_what_another_one_of_the_same_link_sends)
{
        struct scene s;

        scene_init(&s, NULL);
        free(raw_attach(&s.a, "(app:other id:1-3@127.0.0.1)"));
        raw_send(&s.a, 'U', A, "(app:other)", "hello.neighbour()");
        raw_expect(&s.a, "hello.neighbour()");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_routes_follow_entities_that_come_and_go)
{
        struct raw_client c;
        struct scene s;

        scene_init(&s, NULL);
        raw_open(&c, s.broker.socket);
        for (unsigned i = 0; i < 20; i++) {
                raw_send(&s.a, 'U', A, "(module:engine)", "one()");
                raw_expect(&s.b, "one()");
                free(raw_attach(&c, "(module:engine id:1-9@127.0.0.1)"));
                raw_send(&s.a, 'U', A, "(module:engine)", "two()");
                raw_expect(&s.b, "two()");
                raw_expect(&c, "two()");
                raw_send(&c, 'R', "(module:engine id:1-9@127.0.0.1)", BROKER, "broker.detach()");
                raw_expect_ack(&c, "(app:mbus-broker", c.seq - 1);
        }
        raw_close(&c);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_more_destinations_than_are_remembered_still_are_told_apart)
{
        struct raw_client c[9];
        struct scene s;
        char text[64];

        scene_init(&s, NULL);
        for (unsigned i = 0; i < N(c); i++) {
                raw_open(&c[i], s.broker.socket);
                snprintf(text, sizeof(text), "(n:%u id:2-%u@127.0.0.1)", i, i);
                free(raw_attach(&c[i], text));
        }
        for (unsigned i = 0; i < 5 * N(c); i++) {
                snprintf(text, sizeof(text), "(n:%u)", i % (unsigned)N(c));
                raw_send(&s.a, 'U', A, text, text[3] == '1' ? "x()" : "y()");
                raw_expect(&c[i % N(c)], text[3] == '1' ? "x()" : "y()");
        }
        for (unsigned i = 0; i < N(c); i++)
                raw_close(&c[i]);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_more_recipients_than_are_remembered_all_get_it)
{
        struct raw_client c[100];
        struct scene s;

        scene_init(&s, NULL);
        for (unsigned i = 0; i < N(c); i++) {
                raw_open(&c[i], s.broker.socket);
                free(raw_attach(&c[i], "(many:yes)"));
        }
        for (unsigned round = 0; round < 3; round++) {
                raw_send(&s.a, 'U', A, "(many:yes)", "to.many()");
                raw_send(&s.b, 'U', B, "(many:yes)", "to.many.too()");
                for (unsigned i = 0; i < N(c); i++) {
                        ck_assert(raw_receive(&c[i]));
                        ck_assert(raw_receive(&c[i]));
                }
        }
        for (unsigned i = 0; i < N(c); i++)
                raw_close(&c[i]);
        scene_deinit(&s);
}
END_TEST

/* Sends one large message, in pieces of @piece octets. */
static void send_in_pieces(struct raw_client *c, size_t n, size_t piece)
{
        char *frame = malloc(4 + n);
        int head;

        ck_assert_ptr_nonnull(frame);
        frame[0] = frame[1] = 0;
        frame[1] = (char)(n >> 16);
        frame[2] = (char)(n >> 8);
        frame[3] = (char)n;
        memset(frame + 4, 'x', n);
        head = sprintf(frame + 4, "mbus/1.0 1 1 U %s %s ()\r\nx(\"", A, B);
        frame[4 + head] = 'x';
        frame[4 + n - 2] = '"';
        frame[4 + n - 1] = ')';
        for (size_t at = 0; at < 4 + n; at += piece)
                raw_send_octets(c, frame + at, piece < 4 + n - at ? piece : 4 + n - at);
        free(frame);
}

START_TEST(test_frames_come_together_from_pieces_of_any_size)
{
        static const size_t pieces[] = { 1, 2, 3, 4, 5, 7, 64, 1000, 65536 };
        struct scene s;

        scene_init(&s, NULL);
        for (unsigned i = 0; i < N(pieces); i++) {
                /* Larger ones are too large for the bus. */
                size_t n = i < 4 ? 300 : 65000;

                send_in_pieces(&s.a, n, pieces[i]);
                ck_assert(raw_receive(&s.b));
                ck_assert_uint_eq(s.b.text_n, n);
                raw_send(&s.a, 'U', A, B, "in.between()");
                raw_expect(&s.b, "in.between()");
        }
        scene_deinit(&s);
}
END_TEST

/* Receives what must be a monitor's copy that ends in @end. */
static void expect_copy(struct raw_client *c, const char *end)
{
        size_t n = strlen(end);

        ck_assert(raw_receive(c));
        ck_assert_msg(c->observed, "no copy: %s", c->text);
        ck_assert_msg(c->text_n >= n && strcmp(c->text + c->text_n - n, end) == 0,
                      "instead of %s came %s", end, c->text);
}

START_TEST(test_an_observer_sees_every_message_once_wherever_it_goes)
{
        struct raw_client o;
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        raw_open(&o, s.broker.socket);
        seq = raw_send(&o, 'R', "()", BROKER, "broker.observe(0)");
        raw_expect_ack(&o, "(app:mbus-broker", seq);
        raw_send(&s.a, 'U', A, B, "to.one()");
        expect_copy(&o, "to.one()");
        raw_send(&s.a, 'U', A, "(module:engine)", "to.a.group()");
        expect_copy(&o, "to.a.group()");
        raw_send(&s.a, 'U', A, "(app:unheard-of)", "to.nobody.known()");
        expect_copy(&o, "to.nobody.known()");
        raw_expect(&s.b, "to.one()");
        raw_expect(&s.b, "to.a.group()");
        seq = raw_send(&s.a, 'R', A, B, "reliably()");
        expect_copy(&o, "reliably()");
        raw_acknowledge(&s.b, B, A, seq);
        raw_expect_ack(&s.a, B, seq);
        raw_expect_nothing(&o);
        seq = raw_send(&o, 'R', "()", BROKER, "broker.unobserve()");
        raw_expect_ack(&o, "(app:mbus-broker", seq);
        raw_send(&s.a, 'U', A, "()", "unseen()");
        raw_expect(&s.b, "reliably()");
        raw_expect(&s.b, "unseen()");
        raw_expect_nothing(&o);
        raw_close(&o);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_an_observer_of_hellos_sees_them_and_bare_acknowledgements)
{
        bool hello = false, acknowledged = false;
        struct raw_client o;
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        raw_open(&o, s.broker.socket);
        raw_send(&o, 'R', "()", BROKER, "broker.observe(1)");
        ck_assert(raw_receive(&o));
        seq = raw_send(&s.a, 'R', A, B, "reliably()");
        raw_expect(&s.b, "reliably()");
        raw_acknowledge(&s.b, B, A, seq);
        while (!hello || !acknowledged) {
                ck_assert(raw_receive(&o));
                ck_assert(o.observed);
                hello |= strstr(o.text, "\r\nmbus.hello()") != NULL;
                acknowledged |= strstr(o.text, B " " A " (") != NULL;
        }
        raw_close(&o);
        scene_deinit(&s);
}
END_TEST

/* Whom the broker cannot tell anything any more may still have said something. */
START_TEST(test_what_a_client_sent_before_it_closed_arrives_though_something_waits_for_it)
{
        static char payload[30100];
        struct scene s;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        memset(payload, 'x', 30000);
        memcpy(payload + 30000, "()", 2);
        ck_assert_int_eq(kill(s.broker.pid, SIGSTOP), 0);
        /* More than the broker reads of a link in one turn. */
        raw_send(&s.b, 'U', B, A, "to.who.left()");
        for (unsigned i = 0; i < 5; i++)
                raw_send(&s.a, 'U', A, B, payload);
        raw_send(&s.a, 'U', A, B, "last.words()");
        raw_close(&s.a);
        ck_assert_int_eq(kill(s.broker.pid, SIGCONT), 0);
        for (unsigned i = 0; i < 5; i++)
                raw_expect(&s.b, payload);
        raw_expect(&s.b, "last.words()");
        raw_open(&s.a, s.broker.socket);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_very_octets_pass_from_one_link_to_another,
                test_a_message_goes_to_each_link_that_has_a_match_once_and_not_to_its_sender,
                test_an_entity_gets_what_another_one_of_the_same_link_sends,
                test_routes_follow_entities_that_come_and_go,
                test_more_destinations_than_are_remembered_still_are_told_apart,
                test_more_recipients_than_are_remembered_all_get_it,
                test_frames_come_together_from_pieces_of_any_size,
                test_an_observer_sees_every_message_once_wherever_it_goes,
                test_an_observer_of_hellos_sees_them_and_bare_acknowledgements,
                test_what_a_client_sent_before_it_closed_arrives_though_something_waits_for_it,
        };

        return run_tests("broker-forward", tests, N(tests));
}
