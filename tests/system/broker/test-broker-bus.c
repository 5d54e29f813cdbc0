/*
 * test-broker-bus.c - the entities of clients as the rest of the bus sees them, and it as they do.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

/* AWR-01 AWR-02 AWR-07 AWR-08 */
START_TEST(test_entities_of_clients_join_the_bus_and_say_bye_when_their_link_ends)
{
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, NULL);
        raw_close(&s.b);
        ck_assert_int_eq(peer_expect_about(&p, EVENT_LEFT, B), MBUS_REASON_BYE);
        ck_assert_uint_eq(engine_n_peers(p.engine), 2);
        raw_open(&s.b, s.broker.socket);
        scene_part(&s, &p);
}
END_TEST

/* AWR-08 */
START_TEST(test_all_say_bye_when_the_broker_is_told_to_end)
{
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, NULL);
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        for (unsigned i = 0; i < 3; i++) {
                struct event event = peer_expect(&p, EVENT_LEFT);

                ck_assert_int_eq(event.reason, MBUS_REASON_BYE);
                event_deinit(&event);
        }
        ck_assert_uint_eq(engine_n_peers(p.engine), 0);
        scene_part(&s, &p);
}
END_TEST

/* Sends @n datagrams to the group that make no sense. 400 are more than the kernel keeps for a broker that
 * gets no time. Returns when they are there, or lost. */
static void flood(in_port_t port, unsigned n)
{
        static char datagram[60000];
        struct sockaddr_in group = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct in_addr lo = { htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        inet_pton(AF_INET, "239.255.255.247", &group.sin_addr);
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)), 0);
        for (unsigned i = 0; i < n; i++)
                ck_assert_int_eq(sendto(fd, datagram, sizeof(datagram), 0,
                                        (struct sockaddr *)&group, sizeof(group)),
                                 sizeof(datagram));
        close(fd);
}

/* Without a broker MBUS_EVENT_DROPPED would tell of it. */
START_TEST(test_clients_are_told_what_the_broker_lost_of_the_bus)
{
        struct scene s;
        struct peer p;
        char *at;

        scene_meet(&s, &p, NULL);
        ck_assert_int_eq(kill(s.broker.pid, SIGSTOP), 0);
        flood(47000, 400);
        ck_assert_int_eq(kill(s.broker.pid, SIGCONT), 0);
        /* The kernel tells with the next one that it has room for. */
        do {
                peer_turn(&p);
                ck_assert_int_eq(engine_send(p.engine, clock_now(), clock_wall_ms(), p.entity,
                                             &ADDRESS_ALL, span_of("x()")),
                                 0);
        } while (!is_readable(s.a.fd));
        do
                ck_assert(raw_receive(&s.a));
        while (!(at = strstr(s.a.text, "broker.dropped(")));
        ck_assert_ptr_nonnull(strstr(at, " socket)"));
        ck_assert_uint_gt(strtoul(at + strlen("broker.dropped("), NULL, 10), 0);
        do
                ck_assert(raw_receive(&s.b));
        while (!strstr(s.b.text, "broker.dropped("));
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_who_observes_a_bus_is_told_what_the_broker_lost_of_it)
{
        struct raw_client main_bus, old;
        struct scene s;
        char *at;

        scene_init(&s, "[bus old]\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                       "ENCRYPTIONKEY=(NOENCR,)\nPORT=47001\n");
        raw_open(&main_bus, s.broker.socket);
        raw_open(&old, s.broker.socket);
        raw_send(&main_bus, 'U', "()", BROKER, "broker.observe(0 (\"(app:rare)\"))");
        raw_send(&old, 'U', "()", BROKER, "broker.observe(0 (\"(app:rare)\" \"\" \"old\"))");
        raw_expect_nothing(&main_bus);
        raw_expect_nothing(&old);
        for (unsigned i = 0; i < 2; i++) {
                struct raw_client *c = i ? &main_bus : &old;
                in_port_t port = i ? 47000 : 47001;

                ck_assert_int_eq(kill(s.broker.pid, SIGSTOP), 0);
                flood(port, 400);
                ck_assert_int_eq(kill(s.broker.pid, SIGCONT), 0);
                /* The kernel tells with the next one that it has room for. */
                do
                        flood(port, 1);
                while (!is_readable(c->fd));
                ck_assert(raw_receive(c));
                at = strstr(c->text, "broker.dropped(");
                ck_assert_msg(at && strstr(at, " socket)"), "%s", c->text);
                raw_expect_nothing(i ? &old : &main_bus);
        }
        raw_close(&main_bus);
        raw_close(&old);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_messages_for_groups_go_to_the_bus_and_those_for_one_local_entity_do_not)
{
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, NULL);
        engine_observe(p.engine, true, false);
        raw_send(&s.a, 'U', A, B, "for.one.local.entity()");
        raw_send(&s.a, 'U', A, "(module:engine)", "for.engines()");
        peer_expect_message(&p, "for.engines()");
        raw_send(&s.a, 'U', A, P, "for.one.remote.entity()");
        peer_expect_message(&p, "for.one.remote.entity()");
        raw_send(&s.a, 'U', A, "(app:new)", "for.someone.unheard.of()");
        raw_expect(&s.b, "for.one.local.entity()");
        raw_expect(&s.b, "for.engines()");
        for (;;) {
                struct event event = peer_expect(&p, EVENT_OBSERVED);
                struct span text = span_from(event.message->text, event.message->header.payload);
                bool last = span_equal_text(text, "for.someone.unheard.of()");

                ck_assert(!span_equal_text(text, "for.one.local.entity()"));
                event_deinit(&event);
                if (last)
                        break;
        }
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_multicast_when_remote_sends_only_what_a_known_peer_matches)
{
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, "[broker]\nMULTICAST=when-remote\n");
        engine_observe(p.engine, true, false);
        raw_send(&s.a, 'U', A, "(app:new)", "for.nobody.known()");
        raw_send(&s.a, 'U', A, "(module:engine)", "for.engines()");
        for (bool last = false; !last;) {
                struct event event = peer_expect(&p, EVENT_OBSERVED);
                struct span text = span_from(event.message->text, event.message->header.payload);

                ck_assert(!span_equal_text(text, "for.nobody.known()"));
                last = span_equal_text(text, "for.engines()");
                event_deinit(&event);
        }
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_messages_from_the_bus_reach_every_link_once)
{
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, NULL);
        free(raw_attach(&s.a, "(app:second)"));
        peer_say(&p, "()", "for.all()");
        raw_expect(&s.a, "for.all()");
        raw_expect(&s.b, "for.all()");
        peer_say(&p, B, "for.b()");
        raw_expect(&s.b, "for.b()");
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.b);
        scene_part(&s, &p);
}
END_TEST

/* An engine of the bus that has heard nothing yet takes @address for its own, and says so. */
static void take_address(struct scene *s, struct peer *ret_peer, const char *address)
{
        struct address parsed = parse(address);
        struct entity *other;

        peer_init(ret_peer, &s->broker);
        ck_assert_int_eq(engine_add_entity(ret_peer->engine, clock_now(), &parsed, NULL, &other),
                         0);
        engine_announce_entity(ret_peer->engine, clock_now(), clock_wall_ms(), other);
        udp_send(ret_peer->udp, ret_peer->engine);
}

/* Its id is the broker's, who can give another. */
START_TEST(test_an_entity_whose_address_somebody_else_uses_gets_another)
{
        char old[64], renamed[64];
        struct scene s;
        struct peer p;
        char *mine;

        scene_init(&s, NULL);
        mine = raw_attach(&s.a, "(app:c module:ui)");
        raw_send(&s.b, 'U', "()", BROKER, "broker.watch(\"(app:c)\")");
        /* With its age in ms, whatever that is. */
        ck_assert(raw_receive(&s.b));
        ck_assert_ptr_nonnull(strstr(s.b.text, mine));
        raw_expect_about(&s.b, "broker.watching(%u \"lo\")", s.b.seq - 1);
        take_address(&s, &p, mine);

        ck_assert(raw_receive(&s.a));
        ck_assert_ptr_nonnull(strstr(s.a.text, "broker.renamed"));
        ck_assert_int_eq(sscanf(strstr(s.a.text, "broker.renamed"),
                                "broker.renamed(\"%63[^\"]\" \"%63[^\"]\")", old, renamed),
                         2);
        ck_assert_str_eq(old, mine);
        ck_assert_str_ne(renamed, mine);
        ck_assert_int_eq(strncmp(renamed, "(app:c module:ui id:", 20), 0);
        ck_assert(raw_receive(&s.b));
        ck_assert_ptr_nonnull(strstr(s.b.text, "broker.left(\"(app:c module:ui id:"));
        ck_assert(raw_receive(&s.b));
        ck_assert_ptr_nonnull(strstr(s.b.text, renamed));
        raw_send(&s.a, 'U', renamed, B, "still.here()");
        do
                ck_assert(raw_receive(&s.b));
        while (!strstr(s.b.text, "still.here()"));
        free(mine);
        scene_part(&s, &p);
}
END_TEST

/* Its id is the application's, which is never changed: it is told, and others that it left. */
START_TEST(test_an_entity_with_an_id_of_its_own_that_somebody_else_uses_is_taken_off)
{
        struct scene s;
        struct peer p;

        scene_init(&s, NULL);
        take_address(&s, &p, A);
        ck_assert(raw_receive(&s.a));
        ck_assert_ptr_nonnull(strstr(s.a.text, "broker.detached(\"" A "\" taken \""));
        raw_send(&s.a, 'U', A, B, "too.late()");
        ck_assert(raw_receive(&s.a));
        ck_assert_ptr_nonnull(strstr(s.a.text, "broker.dropped(1 denied "));
        raw_expect_nothing(&s.b);
        scene_part(&s, &p);
}
END_TEST

/* AWR-10 */
START_TEST(test_a_ping_from_a_client_reaches_the_bus)
{
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, NULL);
        engine_observe(p.engine, true, false);
        raw_send(&s.a, 'U', A, "(app:p)", "mbus.ping()");
        for (bool found = false; !found;) {
                struct event event = peer_expect(&p, EVENT_OBSERVED);

                found = strstr(event.message->bytes, "\r\nmbus.ping()") != NULL;
                event_deinit(&event);
        }
        scene_part(&s, &p);
}
END_TEST

/* Their joining is nothing that the sender has a part in, and can be made to happen (attach.md). */
START_TEST(test_an_entity_of_the_bus_that_comes_late_gets_no_last_value)
{
        struct scene s;
        struct peer p;
        uint32_t seq;

        scene_connect(&s, "");
        free(raw_attach(&s.a, A));
        seq = raw_send(&s.a, 'R', A, BROKER,
                       "broker.retain(\"state\")\r\nbroker.watch(\"(app:p)\")");
        raw_expect_about(&s.a, "broker.watching(%u \"lo\")", seq);
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        raw_send(&s.a, 'U', A, "(module:engine)", "state(1)");
        /* Twice: answers go out before datagrams of the same turn. */
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.a);
        peer_init(&p, &s.broker);
        while (!is_readable(s.a.fd))
                peer_turn(&p);
        ck_assert(raw_receive(&s.a));
        ck_assert_ptr_nonnull(strstr(s.a.text, "broker.joined(\"" P "\" "));
        /* Whoever attaches gets it, and what is sent from now on comes first. */
        free(raw_attach(&s.b, B));
        raw_expect(&s.b, "state(1)");
        raw_send(&s.a, 'U', A, P, "now()");
        peer_expect_message(&p, "now()");
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_an_observer_sees_messages_to_and_from_the_bus_once)
{
        unsigned n_to = 0, n_from = 0, n_hidden = 0;
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, NULL);
        raw_send(&s.a, 'R', "()", BROKER, "broker.observe(0)");
        ck_assert(raw_receive(&s.a));
        raw_send(&s.b, 'U', B, "(module:engine)", "to.engines()");
        peer_expect_message(&p, "to.engines()");
        peer_say(&p, "(module:engine)", "from.p()");
        peer_say(&p, "(module:none)", "from.p.for.others()");
        peer_say(&p, A, "the.end()");
        do {
                ck_assert(raw_receive(&s.a));
                n_to += strstr(s.a.text, "to.engines()") != NULL;
                n_from += strstr(s.a.text, "from.p()") != NULL;
                n_hidden += strstr(s.a.text, "from.p.for.others()") != NULL;
        } while (!strstr(s.a.text, "the.end()") || s.a.observed);
        ck_assert_uint_eq(n_to, 1);
        ck_assert_uint_eq(n_from, 1);
        ck_assert_uint_eq(n_hidden, 1);
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_an_address_that_a_peer_has_is_taken)
{
        struct scene s;
        struct peer p;
        char begin_of[64];
        uint32_t seq;

        scene_meet(&s, &p, NULL);
        seq = raw_send(&s.a, 'R', P, BROKER, "broker.attach(1)");
        snprintf(begin_of, sizeof(begin_of), "broker.refused(%u taken ", seq);
        ck_assert(raw_receive(&s.a));
        ck_assert_msg(strstr(s.a.text, begin_of) != NULL, "%s", s.a.text);
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_commands_for_the_broker_are_not_taken_from_the_bus)
{
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, NULL);
        peer_say(&p, "(app:mbus-broker)", "broker.detach()");
        peer_say(&p, "()", "broker.detach()");
        raw_expect(&s.a, "broker.detach()");
        raw_send(&s.a, 'U', A, P, "still.here()");
        peer_expect_message(&p, "still.here()");
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_the_bus_cannot_end_the_broker_unless_it_is_let)
{
        static const char denied[] = "mbus.quit from the bus does not end the broker";
        struct scene s;
        struct peer p;

        scene_meet(&s, &p, NULL);
        peer_say(&p, "(app:mbus-broker)", "mbus.quit()");
        peer_say(&p, "()", "mbus.quit()");
        raw_expect(&s.a, "mbus.quit()");
        raw_send(&s.a, 'U', A, P, "still.here()");
        peer_expect_message(&p, "still.here()");
        ck_assert_uint_eq(count_in_log(&s.broker, denied), 1);
        scene_part(&s, &p);

        scene_meet(&s, &p, "[broker]\nQUIT=bus\n");
        /* It is one of many that are asked, and not the one that is meant. */
        peer_say(&p, "()", "mbus.quit()");
        raw_expect(&s.a, "mbus.quit()");
        ck_assert_uint_eq(count_in_log(&s.broker, denied), 1);
        peer_say(&p, "(app:mbus-broker)", "mbus.quit()");
        ck_assert_int_eq(daemon_await(&s.broker), 0);
        scene_part(&s, &p);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_entities_of_clients_join_the_bus_and_say_bye_when_their_link_ends,
                test_all_say_bye_when_the_broker_is_told_to_end,
                test_clients_are_told_what_the_broker_lost_of_the_bus,
                test_who_observes_a_bus_is_told_what_the_broker_lost_of_it,
                test_messages_for_groups_go_to_the_bus_and_those_for_one_local_entity_do_not,
                test_multicast_when_remote_sends_only_what_a_known_peer_matches,
                test_messages_from_the_bus_reach_every_link_once,
                test_an_entity_whose_address_somebody_else_uses_gets_another,
                test_an_entity_with_an_id_of_its_own_that_somebody_else_uses_is_taken_off,
                test_a_ping_from_a_client_reaches_the_bus,
                test_an_entity_of_the_bus_that_comes_late_gets_no_last_value,
                test_an_observer_sees_messages_to_and_from_the_bus_once,
                test_an_address_that_a_peer_has_is_taken,
                test_commands_for_the_broker_are_not_taken_from_the_bus,
                test_the_bus_cannot_end_the_broker_unless_it_is_let,
        };

        return run_tests("broker-bus", tests, N(tests));
}
