/*
 * test-broker-kept.c - what the broker keeps for a bus until that has acknowledged it: how much it may
 * be, and that it does not count any more when it has ended, in whatever way.
 */
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static void begin(struct scene *s, struct peer *p, const char *limit)
{
        char lines[64];

        snprintf(lines, sizeof(lines), "[limits]\n%s\n", limit);
        scene_meet_at(s, p, lines, CONFIG_PORT_DEFAULT);
}

/* Of three large messages the broker takes two for the bus, and refuses the last, whose SeqNum is
 * returned. On a slow machine the first ones are over before it comes, and all is tried again. */
static uint32_t send_until_full(struct scene *s, const char *why)
{
        static char payload[60000], begin[64];
        unsigned n_tries = 0;
        uint32_t seq = 0;

        memset(payload, ' ', sizeof(payload) - 1);
        memcpy(payload, "do.it(", 6);
        payload[sizeof(payload) - 2] = ')';
        do {
                ck_assert_uint_lt(n_tries++, 10);
                for (unsigned i = 0; i < 3; i++)
                        seq = raw_send(&s->a, 'R', A, P, payload);
                snprintf(begin, sizeof(begin), "broker.undelivered(%u ", seq);
                for (;;) {
                        ck_assert(raw_receive(&s->a));
                        if (strstr(s->a.text, begin))
                                break;
                        ck_assert_msg(!strstr(s->a.text, " full "), "%s", s->a.text);
                }
        } while (!strstr(s->a.text, why));
        return seq;
}

/* They end without an answer. */
static void expect_room_after_time_outs(struct scene *s, const char *why)
{
        uint32_t seq = send_until_full(s, why);

        raw_send(&s->a, 'U', A, B, "small()");
        raw_expect(&s->b, "small()");
        for (uint32_t i = seq - 2; i < seq; i++)
                raw_expect_about(&s->a,
                                 "broker.undelivered(%u timeout "
                                 "\"the entity did not acknowledge it\")",
                                 i);
}

/* One or both are acknowledged, then who got them leaves, and comes back. */
static void expect_room_after_acknowledgement_and_bye(struct scene *s, struct peer *p,
                                                      const char *why)
{
        struct address a = parse(A);

        send_until_full(s, why);
        while (!is_readable(s->a.fd)) {
                struct event event = peer_expect(p, EVENT_MESSAGE);

                engine_acknowledge(p->engine, clock_now(), p->entity, &a,
                                   event.message->header.seq);
                event_deinit(&event);
                peer_turn(p);
        }
        engine_remove_entity(p->engine, clock_now(), clock_wall_ms(), p->entity);
        udp_send(p->udp, p->engine);
        raw_expect(&s->b, "broker.left(\"" P "\" bye)");
        raw_expect_nothing(&s->b);
        while (is_readable(s->a.fd))
                ck_assert(raw_receive(&s->a));
        peer_add(p);
        while (!is_readable(s->b.fd))
                peer_turn(p);
        raw_expect(&s->b, "broker.joined(\"" P "\" 0)");
}

/* Whatever limit refuses a third message for @why: the two before count until they end, and no longer. */
static void expect_room_after_all_ends(struct scene *s, struct peer *p, const char *why)
{
        expect_room_after_time_outs(s, why);
        expect_room_after_acknowledgement_and_bye(s, p, why);
        send_until_full(s, why);
        raw_send(&s->a, 'U', A, BROKER, "broker.detach()");
        free(raw_attach(&s->a, A));
        send_until_full(s, why);
        raw_close(&s->a);
        raw_open(&s->a, s->broker.socket);
        free(raw_attach(&s->a, A));
        send_until_full(s, why);
}

#define MANY " full \"too many reliable messages are under way\")"
#define LARGE " full \"too many octets of reliable messages are under way\")"

/* What the bus had not acknowledged was kept by the broker, and charged to nobody. */
START_TEST(test_octets_of_reliable_messages_to_the_bus_are_bounded_until_these_end_in_any_way)
{
        struct scene s;
        struct peer p;

        begin(&s, &p, "BYTES_PER_LINK=128K");
        expect_room_after_all_ends(&s, &p, LARGE);
        expect_in_log(&s.broker,
                      "BYTES_PER_LINK=131072 is reached: no more reliable messages are taken");
        scene_part(&s, &p);
}
END_TEST

/* A scene in which the peer is on another bus. */
static void begin_studio(struct scene *s, struct peer *p, const char *limit)
{
        char text[256];

        snprintf(text, sizeof(text),
                 "[limits]\n%s\n[bus studio]\nPORT=47001\n"
                 "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\nENCRYPTIONKEY=(NOENCR,)\n"
                 "ROUTE=to=main\nROUTE=from=main\n",
                 limit);
        scene_meet_at(s, p, text, 47001);
}

/* They did not count, neither they nor their octets. */
START_TEST(test_reliable_messages_to_another_bus_are_bounded_until_they_end_in_any_way)
{
        struct scene s;
        struct peer p;

        begin_studio(&s, &p, "TICKETS_PER_LINK=2");
        expect_room_after_all_ends(&s, &p, MANY);
        expect_in_log(&s.broker,
                      "TICKETS_PER_LINK=2 is reached: no more reliable messages are taken");
        scene_part(&s, &p);
        begin_studio(&s, &p, "BYTES_PER_LINK=128K");
        expect_room_after_all_ends(&s, &p, LARGE);
        expect_in_log(&s.broker,
                      "BYTES_PER_LINK=131072 is reached: no more reliable messages are taken");
        scene_part(&s, &p);
}
END_TEST

START_TEST(test_octets_of_reliable_messages_to_the_bus_are_shared_like_what_waits)
{
        static const char *const lines[] = { "BYTES_PER_USER=128K", "BYTES=512K" };
        static const char *const said[] = {
                "): BYTES_PER_USER=131072 is reached: no more reliable messages are taken",
                "): BYTES=524288 is for all users, and this one's share of it is used up: no more "
                "reliable messages are taken",
        };

        for (size_t i = 0; i < N(lines); i++) {
                struct scene s;
                struct peer p;

                begin(&s, &p, lines[i]);
                send_until_full(&s, LARGE);
                expect_in_log(&s.broker, said[i]);
                scene_part(&s, &p);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_octets_of_reliable_messages_to_the_bus_are_bounded_until_these_end_in_any_way,
                test_reliable_messages_to_another_bus_are_bounded_until_they_end_in_any_way,
                test_octets_of_reliable_messages_to_the_bus_are_shared_like_what_waits,
        };

        return run_tests("broker-kept", tests, N(tests));
}
