/*
 * test-broker-figures.c - what the owner is told of clients, entities and losses is so.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "peer.h"
#include "stranger.h"

/* Asks a's broker, and waits for the answer, which fits into one message. */
static const char *ask(struct scene *s, const char *command)
{
        char begin[64];

        raw_send(&s->a, 'U', "()", BROKER, command);
        snprintf(begin, sizeof(begin), "\r\n%.*s(0 ", (int)strcspn(command, "("), command);
        do
                ck_assert(raw_receive(&s->a));
        while (!strstr(s->a.text, begin));
        return s->a.text;
}

/* The number behind "(NAME " in the item of @text that begins so. */
static double figure(const char *text, const char *item, const char *name)
{
        const char *at = strstr(text, item), *end = at ? strstr(at, "))") : NULL;
        const char *found = at ? strstr(at, name) : NULL;
        double number;

        ck_assert_msg(found && found < end, "no %s of %s in: %s", name, item, text);
        ck_assert_int_eq(sscanf(found + strlen(name), "%lf", &number), 1);
        return number;
}

START_TEST(test_a_client_is_listed_with_its_process_and_its_user)
{
        struct raw_client c;
        struct scene s;
        char text[96];

        scene_init(&s, "[broker]\nMULTICAST=never\nSOCKET_MODE=0666\n");
        snprintf(text, sizeof(text), "((link 1) (pid %d) (uid %u) (entities 1) ", (int)getpid(),
                 (unsigned)getuid());
        ck_assert_ptr_nonnull(strstr(ask(&s, "broker.clients()"), text));
        if (can_be_a_stranger()) {
                ck_assert_int_eq(chmod(s.broker.directory, 0755), 0);
                ck_assert_int_eq(seteuid(STRANGER), 0);
                raw_open(&c, s.broker.socket);
                ck_assert_int_eq(seteuid(0), 0);
                raw_expect_nothing(&c);
                snprintf(text, sizeof(text), "((link 3) (pid %d) (uid %d) (entities 0) ",
                         (int)getpid(), STRANGER);
                ck_assert_ptr_nonnull(strstr(ask(&s, "broker.clients()"), text));
                raw_close(&c);
        }
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_waits_for_a_client_is_told_in_messages_and_octets)
{
        enum { SENT = 1000 };
        char payload[1100];
        double messages, bytes;
        struct scene s;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        ck_assert_double_eq(figure(ask(&s, "broker.clients()"), "((link 2)", "(queued-messages "),
                            0);
        ck_assert_double_eq(figure(s.a.text, "((link 2)", "(queued-bytes "), 0);
        snprintf(payload, sizeof(payload), "x(\"%01000u\")", 1);
        for (unsigned i = 0; i < SENT; i++)
                raw_send(&s.a, 'U', A, B, payload);
        messages = figure(ask(&s, "broker.clients()"), "((link 2)", "(queued-messages ");
        bytes = figure(s.a.text, "((link 2)", "(queued-bytes ");
        ck_assert_double_gt(messages, 0);
        ck_assert_double_lt(messages, SENT);
        /* Of each, 1006 octets are the payload; of the first, some may have been written. */
        ck_assert_double_gt(bytes, 1006 * (messages - 1));
        ck_assert_double_lt(bytes, 1200 * messages);
        for (unsigned i = 0; i < SENT; i++)
                raw_expect(&s.b, payload);
        raw_expect_nothing(&s.b);
        ck_assert_double_eq(figure(ask(&s, "broker.clients()"), "((link 2)", "(queued-bytes "), 0);
        scene_deinit(&s);
}
END_TEST

/* Sends a datagram that nobody has sealed to the bus. */
static void send_to_bus(const char *datagram)
{
        struct sockaddr_in group = { .sin_family = AF_INET, .sin_port = htons(47000) };
        struct in_addr lo = { htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        group.sin_addr.s_addr = htonl(0xeffffff7);
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)), 0);
        ck_assert_int_eq(
                sendto(fd, datagram, strlen(datagram), 0, (struct sockaddr *)&group, sizeof(group)),
                (ssize_t)strlen(datagram));
        close(fd);
}

/* Datagrams that were dropped for a reason are counted, in the end; so long they are asked for. */
static void expect_dropped(struct scene *s, const char *text)
{
        for (unsigned i = 0; i < 1000; i++) {
                if (strstr(ask(s, "broker.stats()"), text))
                        return;
                poll(NULL, 0, 10);
        }
        ck_abort_msg("no %s in: %s", text, s->a.text);
}

START_TEST(test_datagrams_of_the_bus_that_are_dropped_are_counted_by_cause)
{
        struct scene s;

        scene_init(&s, NULL);
        ck_assert_ptr_nonnull(strstr(ask(&s, "broker.stats()"), "(bus-dropped-short 0)"));
        send_to_bus("x");
        send_to_bus("y");
        send_to_bus("AAAAAAAAAAAAAAAA\r\nwhoever wrote this does not know the key of the bus");
        expect_dropped(&s, "(bus-dropped-short 2)");
        expect_dropped(&s, "(bus-dropped-digest 1)");
        scene_deinit(&s);
}
END_TEST

static double seconds(void)
{
        return (double)clock_now() / NSEC_PER_SEC;
}

/* Times are told in ms, and each clock is read within a turn. */
#define TOLERANCE 0.01

START_TEST(test_of_a_remote_entity_is_told_since_when_it_is_there_and_since_when_it_is_silent)
{
        double before_joined, joined, before_heard, heard, before_answer, answer, age, silent;
        struct scene s;
        struct peer p;

        scene_init(&s, NULL);
        before_joined = seconds();
        peer_init(&p, &s.broker);
        while (!strstr(ask(&s, "broker.entities()"), "\"" P "\""))
                peer_turn(&p);
        joined = seconds();
        poll(NULL, 0, 300);
        before_heard = seconds();
        peer_say(&p, A, "x()");
        raw_expect(&s.a, "x()");
        raw_expect_nothing(&s.a);
        heard = seconds();
        poll(NULL, 0, 300);
        before_answer = seconds();
        age = figure(ask(&s, "broker.entities()"), "((address \"" P "\")", "(age ");
        silent = figure(s.a.text, "((address \"" P "\")", "(silent ");
        answer = seconds();
        ck_assert_double_ge(age, before_answer - joined - TOLERANCE);
        ck_assert_double_le(age, answer - before_joined + TOLERANCE);
        ck_assert_double_ge(silent, before_answer - heard - TOLERANCE);
        ck_assert_double_le(silent, answer - before_heard + TOLERANCE);
        peer_deinit(&p);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_client_is_listed_with_its_process_and_its_user,
                test_what_waits_for_a_client_is_told_in_messages_and_octets,
                test_datagrams_of_the_bus_that_are_dropped_are_counted_by_cause,
                test_of_a_remote_entity_is_told_since_when_it_is_there_and_since_when_it_is_silent,
        };

        return run_tests("broker-figures", tests, N(tests));
}
