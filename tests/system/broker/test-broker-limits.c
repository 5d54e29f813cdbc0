/*
 * test-broker-limits.c - clients that are slow, wrong or hostile cost themselves, and nobody else.
 */
#include <sys/resource.h>

#include "scene.h"

/* As in broker/base/limits.h, which the broker under test need not have been built with. */
#define QUEUE_MESSAGES_MAX 65536

/* The number that ends a payload "x(NUMBER)". */
static unsigned number_in(const struct raw_client *c)
{
        const char *at = strstr(c->text, "\r\nx(");
        unsigned number;

        ck_assert_msg(at && sscanf(at + 4, "%u", &number) == 1, "%s", c->text);
        return number;
}

/* Sends numbered messages from a to b, who does not read, until some must have been dropped. */
static unsigned overflow(struct scene *s)
{
        unsigned n = QUEUE_MESSAGES_MAX + 50000;
        char payload[512];

        for (unsigned i = 0; i < n; i++) {
                snprintf(payload, sizeof(payload), "x(%u \"%0*u\")", i, (int)(i % 200), i);
                raw_send(&s->a, 'U', A, B, payload);
        }
        raw_expect_nothing(&s->a);
        return n;
}

/* The numbers up to @n: where some are missing, it is said how many, and nowhere else. */
static void expect_rest(struct raw_client *c, unsigned n)
{
        unsigned next = 0, n_lost = 0;

        while (next < n) {
                const char *at;
                unsigned lost;

                ck_assert(raw_receive(c));
                at = strstr(c->text, "\r\nbroker.dropped(");
                if (at) {
                        ck_assert_int_eq(sscanf(at, "\r\nbroker.dropped(%u full)", &lost), 1);
                        next += lost;
                        n_lost += lost;
                } else {
                        ck_assert_uint_eq(number_in(c), next);
                        next++;
                }
        }
        ck_assert_uint_gt(n_lost, 0);
}

START_TEST(test_a_client_that_does_not_read_loses_the_oldest_messages_and_learns_how_many)
{
        struct scene s;
        unsigned n;

        scene_init(&s, "");
        n = overflow(&s);
        expect_rest(&s.b, n);
        raw_send(&s.a, 'U', A, B, "x(1)");
        raw_expect(&s.b, "x(1)");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_others_get_everything_while_one_does_not_read)
{
        struct raw_client c;
        struct scene s;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        raw_open(&c, s.broker.socket);
        free(raw_attach(&c, "(app:c)"));
        overflow(&s);
        for (unsigned i = 0; i < 1000; i++) {
                raw_send(&s.a, 'U', A, "()", "x(1)");
                raw_expect(&c, "x(1)");
        }
        raw_close(&c);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_reliable_message_to_a_client_that_does_not_read_fails_at_once)
{
        char payload[600];
        struct scene s;
        uint32_t seq;

        scene_init(&s, "");
        overflow(&s);
        /* Larger than any message that may just have been dropped. */
        snprintf(payload, sizeof(payload), "x(%0500u)", 1);
        seq = raw_send(&s.a, 'R', A, B, payload);
        raw_expect_about(&s.a, "broker.undelivered(%u full \"a queue on the way is full\")", seq);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_one_slow_client_holds_back_does_not_hold_on_to_what_others_got)
{
        enum { ROUNDS = 3000 };
        struct raw_client c;
        struct scene s;
        char *large = malloc(32001);
        size_t before;

        ck_assert_ptr_nonnull(large);
        scene_init(&s, "[broker]\nMULTICAST=never\n");
        raw_open(&c, s.broker.socket);
        free(raw_attach(&c, "(app:c)"));
        memset(large, 'x', 32000);
        memcpy(large, "x(\"", 3);
        memcpy(large + 31998, "\")", 3);
        /* Fill b's socket, so that what follows waits in the broker. */
        for (unsigned i = 0; i < 3000; i++)
                raw_send(&s.a, 'U', A, B, "x(1)");
        raw_expect_nothing(&s.a);
        before = daemon_memory(&s.broker);
        for (unsigned i = 0; i < ROUNDS; i++) {
                raw_send(&s.a, 'U', A, "(app:c)", large);
                raw_send(&s.a, 'U', A, B, "x(1)");
                ck_assert(raw_receive(&c));
        }
        /* Each of b's small messages would keep 256 KiB alive: 750 MiB. */
        ck_assert_uint_lt(daemon_memory(&s.broker), before + (8 << 20));
        for (unsigned i = 0; i < 3000 + ROUNDS; i++)
                raw_expect(&s.b, "x(1)");
        free(large);
        raw_close(&c);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_an_observer_that_does_not_read_loses_copies_but_no_message_of_its_own)
{
        unsigned n_copies = 0;
        struct scene s;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        raw_send(&s.b, 'R', "()", BROKER, "broker.observe(0)");
        ck_assert(raw_receive(&s.b));
        for (unsigned i = 0; i < 100; i++)
                raw_send(&s.a, 'U', A, B, "mine()");
        for (unsigned i = 0; i < QUEUE_MESSAGES_MAX + 20000; i++)
                raw_send(&s.a, 'U', A, "(app:else)", "not.mine()");
        for (unsigned i = 0; i < 100; i++)
                raw_send(&s.a, 'U', A, B, "mine()");
        raw_expect_nothing(&s.a);
        for (unsigned n_mine = 0; n_mine < 200;) {
                ck_assert(raw_receive(&s.b));
                n_mine += !s.b.observed;
                n_copies += s.b.observed;
        }
        ck_assert_uint_lt(n_copies, QUEUE_MESSAGES_MAX + 20000);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_frame_that_is_no_message_is_answered_and_the_link_goes_on)
{
        static const char *const texts[] = {
                "x",
                "mbus/2.0 1 1 U " A " () ()\r\nx()",
                "mbus/1.0 1 1 U " A " ()\r\nx()",
                "mbus/1.0 4294967296 1 U " A " " B " ()\r\nx()",
                "mbus/1.0 1 12345678901234 U " A " " B " ()\r\nx()",
                "mbus/1.0 1 1 X " A " " B " ()\r\nx()",
                "mbus/1.0 1 1 U " A " " B " (1 x)\r\nx()",
                "mbus/1.0 1 1 U " A " " B " (4294967296)\r\nx()",
                "mbus/1.0 1 1 U " A " " B " () x()",
                "mbus/1.0 1 1 U " A " (a:b a:c) ()\r\nx()",
                "mbus/1.0 1 1 U " A " (a:b",
                "mbus/1.0 1 1 U " A " (a b:c) ()\r\nx()",
                "mbus/1.0 1 1 U " A " (a:b)\r\nx()",
        };
        struct scene s;

        scene_init(&s, NULL);
        for (unsigned round = 0; round < 2; round++) {
                for (unsigned i = 0; i < N(texts); i++) {
                        raw_send_text(&s.a, texts[i]);
                        ck_assert(raw_receive(&s.a));
                        ck_assert_msg(strstr(s.a.text, "broker.undelivered(0 malformed \"") != NULL,
                                      "%s\nwas answered by %s", texts[i], s.a.text);
                }
                /* From now on the addresses are known; what is wrong must still be found. */
                raw_send(&s.a, 'U', A, B, "x()");
                raw_expect(&s.b, "x()");
        }
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_commands_that_are_malformed_do_not_get_to_the_bus)
{
        static const char *const payloads[] = { "mbus.ping(", "mbus.ping(+)", "mbus.ping(1 <_>)",
                                                "mbus.ping(-)", "mbus.ping(\"a\"1)" };
        struct scene s;
        char begin[64];
        uint32_t seq;

        scene_init(&s, NULL);
        raw_send(&s.a, 'U', A, "(module:engine)", "x(");
        raw_send(&s.a, 'U', A, "()", "\"x\"");
        for (unsigned i = 0; i < N(payloads); i++) {
                seq = raw_send(&s.a, 'R', A, B, payloads[i]);
                snprintf(begin, sizeof(begin), "\r\nbroker.undelivered(%u malformed ", seq);
                ck_assert(raw_receive(&s.a));
                ck_assert_msg(strstr(s.a.text, begin) != NULL, "%s", s.a.text);
        }
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

/* A link that sends @octets is closed; another is not. */
static void expect_cut(struct scene *s, const char *octets, size_t n)
{
        struct raw_client c;

        raw_open(&c, s->broker.socket);
        raw_send_octets(&c, octets, n);
        raw_expect_closed(&c);
        raw_close(&c);
        raw_expect_nothing(&s->a);
}

START_TEST(test_a_link_whose_framing_is_broken_is_closed)
{
        struct scene s;

        scene_init(&s, NULL);
        expect_cut(&s, "\0\0\0\0", 4);
        expect_cut(&s, "\0\1\0\1", 4);
        expect_cut(&s, "\377\377\377\377", 4);
        expect_cut(&s, "\200\0\0\1x", 5); /* only the broker marks copies */
        expect_cut(&s, "GET / HTTP/1.1\r\n\r\n", 18);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_client_speaks_for_its_own_entities_only)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        raw_send(&s.b, 'U', A, B, "forged()");
        raw_send(&s.b, 'U', "()", A, "forged()");
        raw_send(&s.b, 'U', A, BROKER, "broker.detach()");
        seq = raw_send(&s.b, 'R', A, B, "forged()");
        raw_expect_past_denials(&s.b,
                                "broker.undelivered(%u denied "
                                "\"SrcAddr is not attached to the link\")",
                                seq);
        raw_acknowledge(&s.b, A, B, 1);
        raw_send(&s.a, 'U', A, B, "genuine()");
        raw_expect(&s.b, "genuine()");
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_hello_and_bye_are_the_brokers_to_say)
{
        static const char *const payloads[] = {
                "mbus.hello()",
                "mbus.bye()",
                "x()\r\nmbus.bye()",
                "\n  mbus.hello ( )",
        };
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        for (unsigned i = 0; i < N(payloads); i++) {
                raw_send(&s.a, 'U', A, B, payloads[i]);
                raw_send(&s.a, 'U', A, "()", payloads[i]);
                seq = raw_send(&s.a, 'R', A, B, payloads[i]);
                raw_expect_past_denials(&s.a,
                                        "broker.undelivered(%u denied "
                                        "\"mbus.hello and mbus.bye are said by the broker\")",
                                        seq);
        }
        raw_send(&s.a, 'U', A, B, "x(\"\nmbus.bye()\")");
        raw_expect(&s.b, "x(\"\nmbus.bye()\")");
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_ten_thousand_entities_fit_into_a_hundred_megabytes)
{
        enum { CLIENTS = 500, EACH = 20 };
        struct raw_client *c = calloc(CLIENTS, sizeof(*c));
        struct scene s;
        char address[64];

        ck_assert_ptr_nonnull(c);
        scene_init(&s, NULL);
        for (unsigned i = 0; i < CLIENTS; i++) {
                raw_open(&c[i], s.broker.socket);
                for (unsigned j = 0; j < EACH; j++) {
                        snprintf(address, sizeof(address), "(app:many module:m%u)", j);
                        free(raw_attach(&c[i], address));
                }
                free(c[i].buffer);
                free(c[i].text);
        }
        ck_assert_uint_lt(daemon_memory(&s.broker), 100000000);
        for (unsigned i = 0; i < CLIENTS; i++)
                close(c[i].fd);
        free(c);
        scene_deinit(&s);
}
END_TEST

/* Thirty routes of 1.8 KByte, which take twice as much in an answer because they are full of quotes. */
static void configure_long_routes(const struct daemon *d)
{
        char *lines = malloc(65536), *at = lines;

        ck_assert_ptr_nonnull(lines);
        at += sprintf(at, "[bus studio]\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                          "ENCRYPTIONKEY=(NOENCR,)\nPORT=47001\n");
        for (unsigned i = 0; i < 30; i++) {
                at += sprintf(at, "ROUTE=to=main address=(");
                for (char tag = 'a'; tag <= 'z'; tag++) {
                        at += sprintf(at, "%c:", tag);
                        memset(at, '"', 64);
                        at += 64;
                        *at++ = tag < 'z' ? ' ' : ')';
                }
                *at++ = '\n';
        }
        *at = '\0';
        daemon_configure(d, lines);
        free(lines);
}

START_TEST(test_routes_that_do_not_fit_into_an_answer_are_counted_in_it)
{
        unsigned shown = 0, more;
        struct scene s;
        char *at;

        scene_prepare(&s);
        configure_long_routes(&s.broker);
        daemon_start(&s.broker);
        scene_open(&s);
        raw_send(&s.a, 'U', "()", BROKER, "broker.buses()");
        do
                ck_assert(raw_receive(&s.a));
        while (!strstr(s.a.text, "(bus \"studio\")"));
        for (at = s.a.text; (at = strstr(at, "\"to=main address=")); at++)
                shown++;
        at = strstr(s.a.text, "\"and ");
        ck_assert(at && sscanf(at, "\"and %u more\")))", &more) == 1);
        ck_assert_uint_gt(shown, 10);
        ck_assert_uint_eq(shown + more, 30);
        scene_deinit(&s);
}
END_TEST

/* It goes to "()", and is given to an entity under its full address, which is longer. */
START_TEST(test_a_last_value_that_fits_into_no_frame_any_more_is_told_as_lost)
{
        char *value = malloc(65391);
        struct scene s;
        char *log;

        ck_assert_ptr_nonnull(value);
        memset(value, 'x', 65390);
        memcpy(value, "v(\"", 3);
        memcpy(value + 65388, "\")", 3);
        scene_init(&s, "[broker]\nMULTICAST=never\n");
        raw_send(&s.a, 'U', A, BROKER, "broker.retain(\"v\")");
        raw_send(&s.a, 'U', A, "()", value);
        raw_expect_nothing(&s.a);
        raw_expect(&s.b, value);
        free(raw_attach(&s.b, "(app:late module:"
                              "engineengineengineengineengineengineengineengineengineengine "
                              "id:9-2@127.0.0.1)"));
        raw_expect(&s.b, "broker.dropped(1 full)");
        log = daemon_read_log(&s.broker);
        ck_assert_msg(strstr(log, " fits into no frame, and is lost (0 more before)") != NULL, "%s",
                      log);
        free(log);
        free(value);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_client_that_does_not_read_loses_the_oldest_messages_and_learns_how_many,
                test_others_get_everything_while_one_does_not_read,
                test_a_reliable_message_to_a_client_that_does_not_read_fails_at_once,
                test_what_one_slow_client_holds_back_does_not_hold_on_to_what_others_got,
                test_an_observer_that_does_not_read_loses_copies_but_no_message_of_its_own,
                test_a_frame_that_is_no_message_is_answered_and_the_link_goes_on,
                test_commands_that_are_malformed_do_not_get_to_the_bus,
                test_a_link_whose_framing_is_broken_is_closed,
                test_a_client_speaks_for_its_own_entities_only,
                test_hello_and_bye_are_the_brokers_to_say,
                test_ten_thousand_entities_fit_into_a_hundred_megabytes,
                test_routes_that_do_not_fit_into_an_answer_are_counted_in_it,
                test_a_last_value_that_fits_into_no_frame_any_more_is_told_as_lost,
        };
        struct rlimit files;

        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        return run_tests("broker-limits", tests, N(tests));
}
