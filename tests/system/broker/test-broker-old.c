/*
 * test-broker-old.c - a broker on a bus of old programs (DIALECT=UCL): how many entities it brings there
 * (spec/errata.md, 80), and what is lost of reliable messages to a part of an address: nothing (48).
 */
#include <core/seal.h>
#include <unistd.h>

#include "peer.h"

#define MANY 230
#define ALL_HELLOS 200

/* Attaches entities number @from to @to. */
static void attach_many(struct raw_client *c, unsigned from, unsigned to)
{
        char address[64];

        for (unsigned i = from; i < to; i++) {
                snprintf(address, sizeof(address), "(app:many id:%u-9@127.0.0.1)", i);
                free(raw_attach(c, address));
        }
}

START_TEST(test_more_than_200_entities_on_a_bus_of_old_programs_are_said_once)
{
        static const char slow[] =
                "bus main: more than 200 entities here cannot say hello every second";
        struct raw_client c;
        struct scene s;

        scene_init(&s, "DIALECT=UCL\n");
        raw_open(&c, s.broker.socket);
        /* The broker itself and two others are there. */
        attach_many(&c, 0, ALL_HELLOS - 3);
        usleep(1500000);
        ck_assert_uint_eq(count_in_log(&s.broker, slow), 0);
        attach_many(&c, ALL_HELLOS - 3, MANY);
        free(await_in_log(&s.broker, slow, 1));
        usleep(2500000);
        ck_assert_uint_eq(count_in_log(&s.broker, slow), 1);
        raw_close(&c);
        free(await_in_log(&s.broker, "bus main: all entities say hello every second again", 1));
        scene_deinit(&s);
}
END_TEST

/* In the RFC's dialect their number makes the interval. */
START_TEST(test_so_many_on_a_bus_of_the_rfc_are_nothing_to_speak_of)
{
        struct raw_client c;
        struct scene s;

        scene_init(&s, NULL);
        raw_open(&c, s.broker.socket);
        attach_many(&c, 0, MANY);
        usleep(1500000);
        ck_assert_uint_eq(count_in_log(&s.broker, "hello"), 0);
        raw_close(&c);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_route_brings_no_more_than_200_to_a_bus_of_old_programs)
{
        struct raw_client c;
        struct scene s;
        struct peer p;

        scene_init(&s, "[bus old]\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                       "ENCRYPTIONKEY=(NOENCR,)\nPORT=47001\nDIALECT=UCL\nINTERFACE=lo\n"
                       "ROUTE=from=main\n");
        free(await_in_log(&s.broker, " are joined", 1));
        peer_init_at(&p, &s.broker, 47001);
        raw_open(&c, s.broker.socket);
        attach_many(&c, 0, MANY);
        free(await_in_log(&s.broker,
                          "bus old: no more entities of bus main can be seen there: 200 are all",
                          1));
        for (unsigned i = 0; i < 400; i++)
                peer_turn(&p);
        ck_assert_uint_gt(engine_n_peers(p.engine), ALL_HELLOS - 20);
        ck_assert_uint_le(engine_n_peers(p.engine), ALL_HELLOS);
        ck_assert_uint_eq(count_in_log(&s.broker, "cannot say hello every second"), 0);
        raw_close(&c);
        peer_deinit(&p);
        scene_deinit(&s);
}
END_TEST

/* Says @text, a whole message, on the bus as an old program would. */
static void say_old(struct peer *p, const char *text)
{
        struct sockaddr_in group = { .sin_family = AF_INET, .sin_port = htons(47000) };
        struct in_addr lo = { htonl(INADDR_LOOPBACK) };
        struct buffer datagram = BUFFER_INIT;
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        seal_message(p->crypto, DIALECT_UCL, span_of(text), &datagram);
        inet_pton(AF_INET, "239.255.255.247", &group.sin_addr);
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)), 0);
        ck_assert_int_eq(
                sendto(fd, datagram.at, datagram.n, 0, (struct sockaddr *)&group, sizeof(group)),
                (ssize_t)datagram.n);
        close(fd);
        buffer_deinit(&datagram);
}

static void expect_observed(struct peer *p, const char *text)
{
        for (;;) {
                struct event event = peer_expect(p, EVENT_OBSERVED);
                bool found = memmem(event.message->text.at, event.message->text.n, text,
                                    strlen(text)) != NULL;

                event_deinit(&event);
                if (found)
                        return;
        }
}

START_TEST(test_a_reliable_message_to_a_part_of_an_address_has_all_of_it_on_the_link)
{
        struct scene s;
        struct peer p;

        scene_init(&s, "DIALECT=UCL\nINTERFACE=lo\n");
        peer_init(&p, &s.broker);
        engine_observe(p.engine, true, true);
        say_old(&p, "mbus/1.0 7 1006271404123 R (app:rat-kill id:5) (app:b) ()\nmbus.quit ()\n");
        do
                ck_assert(raw_receive(&s.b));
        while (!strstr(s.b.text, "mbus.quit"));
        ck_assert_ptr_nonnull(
                strstr(s.b.text, "mbus/1.0 7 1006271404123 R (app:rat-kill id:5) " B " ()"));
        raw_acknowledge(&s.b, B, "(app:rat-kill id:5)", 7);
        expect_observed(&p, " (app:rat-kill id:5) (7 )");
        /* Of two that it matches it is neither's. */
        say_old(&p, "mbus/1.0 8 1006271404124 R (app:rat-kill id:5) () ()\nx ()\n");
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.b);
        peer_deinit(&p);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_more_than_200_entities_on_a_bus_of_old_programs_are_said_once,
                test_so_many_on_a_bus_of_the_rfc_are_nothing_to_speak_of,
                test_a_route_brings_no_more_than_200_to_a_bus_of_old_programs,
                test_a_reliable_message_to_a_part_of_an_address_has_all_of_it_on_the_link,
        };

        return run_tests("broker-old", tests, N(tests));
}
