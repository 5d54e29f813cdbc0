/*
 * test-broker-quota.c - the limits of [limits]: what happens at each, who is hit, and what is said.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../../broker/base/limits.h"

#include "scene.h"
#include "stranger.h"

static void expect_refused(struct raw_client *c, const char *address, const char *why)
{
        uint32_t seq = raw_send(c, 'R', address, BROKER, "broker.attach(1)");
        char begin[128];

        snprintf(begin, sizeof(begin), "\r\nbroker.refused(%u %s", seq, why);
        ck_assert(raw_receive(c));
        ck_assert_msg(strstr(c->text, begin) != NULL, "%s: %s", address, c->text);
}

static double seconds(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

START_TEST(test_a_link_too_many_is_told_and_closed_and_a_place_that_is_free_is_given)
{
        struct raw_client c;
        struct scene s;

        scene_init(&s, "[limits]\nLINKS_PER_USER=2\n");
        for (unsigned i = 0; i < 3; i++) {
                raw_open(&c, s.broker.socket);
                raw_expect(&c,
                           "broker.refused(0 full \"too many links: see LINKS_PER_USER in [limits] "
                           "of the broker\")");
                raw_expect_closed(&c);
                raw_close(&c);
        }
        expect_in_log(&s.broker, "LINKS_PER_USER=2 is reached: it is closed; to change it write "
                                 "LINKS_PER_USER=NUMBER below [limits] in ");
        ck_assert_uint_eq(count_in_log(&s.broker, "LINKS_PER_USER=2"), 1);
        raw_send(&s.a, 'U', A, B, "x()");
        raw_expect(&s.b, "x()");
        raw_close(&s.b);
        /* When a's watch says that b left, its link is gone. */
        raw_send(&s.a, 'U', A, BROKER, "broker.watch(\"(app:b)\")");
        do
                ck_assert(raw_receive(&s.a));
        while (!strstr(s.a.text, "broker.watching") && !strstr(s.a.text, "broker.left"));
        for (;;) {
                raw_open(&s.b, s.broker.socket);
                raw_send(&s.b, 'R', B, BROKER, "broker.attach(1)");
                ck_assert(raw_receive(&s.b));
                if (strstr(s.b.text, "broker.attached"))
                        break;
                raw_close(&s.b);
        }
        scene_deinit(&s);
}
END_TEST

START_TEST(test_entities_of_a_link_and_of_a_user_are_bounded)
{
        struct scene s;

        scene_init(&s, "[limits]\nENTITIES_PER_LINK=2\nENTITIES_PER_USER=3\n");
        free(raw_attach(&s.a, "(app:x)"));
        expect_refused(&s.a, "(app:y)",
                       "full \"this link has too many entities: see ENTITIES_PER_LINK in [limits] "
                       "of the broker\")");
        expect_in_log(&s.broker, "ENTITIES_PER_LINK=2 is reached: no more entities are attached");
        expect_refused(&s.b, "(app:y)",
                       "full \"this user has too many entities: see ENTITIES_PER_USER in [limits] "
                       "of the broker\")");
        expect_in_log(&s.broker, "ENTITIES_PER_USER=3 is reached: no more entities are attached");
        raw_send(&s.a, 'U', A, BROKER, "broker.detach()");
        raw_expect_nothing(&s.a);
        free(raw_attach(&s.b, "(app:y)"));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_reliable_messages_beyond_the_limit_fail_at_once_and_ended_ones_make_room)
{
        struct scene s;
        uint32_t seqs[4];

        scene_init(&s, "[limits]\nTICKETS_PER_LINK=3\n");
        for (unsigned i = 0; i < 4; i++)
                seqs[i] = raw_send(&s.a, 'R', A, B, "x()");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u full \"too many reliable messages are under way\")",
                         seqs[3]);
        expect_in_log(&s.broker,
                      "TICKETS_PER_LINK=3 is reached: no more reliable messages are taken");
        for (unsigned i = 0; i < 3; i++)
                raw_expect(&s.b, "x()");
        raw_acknowledge(&s.b, B, A, seqs[1]);
        raw_expect_ack(&s.a, B, seqs[1]);
        seqs[3] = raw_send(&s.a, 'R', A, B, "y()");
        raw_expect(&s.b, "y()");
        raw_acknowledge(&s.b, B, A, seqs[3]);
        raw_expect_ack(&s.a, B, seqs[3]);
        /* Those of an entity that leaves end, too. */
        raw_send(&s.a, 'U', A, BROKER, "broker.detach()");
        free(raw_attach(&s.a, A));
        for (unsigned i = 0; i < 3; i++)
                raw_send(&s.a, 'R', A, B, "z()");
        raw_expect(&s.b, "z()");
        raw_expect(&s.b, "z()");
        raw_expect(&s.b, "z()");
        scene_deinit(&s);
}
END_TEST

/* Sends @n reliable messages from a to b with one call; returns the last one's SeqNum. */
static uint32_t send_at_once(struct raw_client *a, unsigned n)
{
        size_t size = 0;
        char *frames = malloc(n * 128);

        ck_assert_ptr_nonnull(frames);
        for (unsigned i = 0; i < n; i++) {
                int length = sprintf(frames + size + 4, "mbus/1.0 %u 1 R " A " " B " ()\r\nx()",
                                     a->seq++);

                memcpy(frames + size, (const char[4]){ 0, 0, 0, (char)length }, 4);
                size += 4 + (size_t)length;
        }
        raw_send_octets(a, frames, size);
        free(frames);
        return a->seq - 1;
}

/* The answer to what was sent last says so. Others come before. */
static bool is_refused(struct raw_client *c, uint32_t seq, const char *why)
{
        char begin[64];

        snprintf(begin, sizeof(begin), "broker.undelivered(%u ", seq);
        do
                ck_assert(raw_receive(c));
        while (!strstr(c->text, begin));
        return strstr(c->text, why);
}

START_TEST(test_reliable_messages_of_one_entity_are_bounded_whatever_the_link_may)
{
        enum { RELIABLE_OUTSTANDING_MAX = 16384 };
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        /* On a slow machine the first ones time out before the last is there. */
        do
                seq = send_at_once(&s.a, RELIABLE_OUTSTANDING_MAX + 1);
        while (!is_refused(&s.a, seq, " full \"too many reliable messages are under way\""));
        expect_in_log(&s.broker,
                      "RELIABLE_OUTSTANDING_MAX=16384 is reached: no more reliable messages of its "
                      "entity are taken; it cannot be changed (0 more before)");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_watches_of_a_link_are_bounded)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, "[limits]\nWATCHES_PER_LINK=1\n");
        raw_send(&s.a, 'R', A, BROKER, "broker.watch(\"(x:1)\")");
        ck_assert(raw_receive(&s.a));
        ck_assert(raw_receive(&s.a));
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.watch(\"(x:2)\")");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u full \"this link watches too much: see "
                         "WATCHES_PER_LINK in [limits] of the broker\")",
                         seq);
        expect_in_log(&s.broker, "WATCHES_PER_LINK=1 is reached: it watches no more");
        scene_deinit(&s);
}
END_TEST

/* What came too fast is not lost, it takes its time; it is the sender who waits. */
START_TEST(test_a_link_that_sends_too_fast_is_read_more_slowly)
{
        double begin = seconds();
        struct scene s;

        scene_init(&s, "[limits]\nSEND_RATE=200\n");
        for (unsigned i = 0; i < 500; i++)
                raw_send(&s.a, 'U', A, B, "x()");
        raw_send(&s.b, 'U', B, A, "meanwhile()");
        raw_expect(&s.a, "meanwhile()");
        /* The first answer may come with what was read last, the second must wait for that. */
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.a);
        /* 500 and a few, 200 of them at once. */
        ck_assert_msg(seconds() - begin > 1.4, "%f s", seconds() - begin);
        for (unsigned i = 0; i < 500; i++)
                raw_expect(&s.b, "x()");
        expect_in_log(&s.broker, "SEND_RATE=200 is reached: it is read more slowly");
        scene_deinit(&s);
}
END_TEST

/* A burst of 150, of which those of one second pass at once, and no more. */
static void expect_paced(const char *line)
{
        enum { RATE = 50, SENT = 3 * RATE };
        char lines[64], payload[1600];
        struct scene s;
        double begin;

        snprintf(lines, sizeof(lines), "[limits]\n%s=%d\n", line, RATE);
        scene_init(&s, lines);
        begin = seconds();
        for (unsigned i = 0; i < SENT; i++) {
                snprintf(payload, sizeof(payload), "x(%0*u)", 1 + (int)(i % 4) * 500, i);
                raw_send(&s.a, 'U', A, B, payload);
        }
        for (unsigned i = 0; i < SENT; i++) {
                double earliest = i > RATE ? (double)(i - RATE) / RATE : 0;

                ck_assert(raw_receive(&s.b));
                ck_assert_msg(seconds() - begin >= earliest, "message %u came after %f s", i,
                              seconds() - begin);
        }
        scene_deinit(&s);
}

START_TEST(test_those_of_one_second_may_come_at_once_and_no_more)
{
        expect_paced("SEND_RATE");
        expect_paced("SEND_RATE_PER_USER");
}
END_TEST

START_TEST(test_all_links_of_a_user_have_its_rate_together)
{
        double begin = seconds();
        struct scene s;

        scene_init(&s, "[limits]\nSEND_RATE_PER_USER=200\n");
        for (unsigned i = 0; i < 250; i++)
                raw_send(&s.a, 'U', A, "(app:nobody)", "x()");
        for (unsigned i = 0; i < 250; i++)
                raw_send(&s.b, 'U', B, "(app:nobody)", "x()");
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.b);
        raw_expect_nothing(&s.a);
        ck_assert(seconds() - begin > 1.4);
        expect_in_log(&s.broker, "SEND_RATE_PER_USER=200 is reached: it is read more slowly");
        scene_deinit(&s);
}
END_TEST

/* A pause is no reason not to notice that a client died. */
START_TEST(test_the_death_of_a_link_that_waits_is_noticed_at_once)
{
        double begin = seconds();
        struct scene s;

        scene_init(&s, "[limits]\nSEND_RATE=10\n");
        raw_send(&s.b, 'U', B, BROKER, "broker.watch(\"(app:a)\")");
        ck_assert(raw_receive(&s.b));
        ck_assert(raw_receive(&s.b));
        ck_assert_ptr_nonnull(strstr(s.b.text, "broker.watching("));
        /* So many fit into the socket, and take 18 seconds. */
        for (unsigned i = 0; i < 190; i++)
                raw_send(&s.a, 'U', A, "(app:nobody)", "x()");
        raw_close(&s.a);
        raw_expect(&s.b, "broker.left(\"" A "\" bye)");
        ck_assert(seconds() - begin < 9);
        raw_open(&s.a, s.broker.socket);
        scene_deinit(&s);
}
END_TEST

/* Attaches and detaches an entity 25000 times: more than the burst. */
START_TEST(test_who_attaches_and_detaches_without_end_has_to_wait_and_others_do_not)
{
        struct raw_client c;
        struct scene s;
        pid_t pid;

        if (!can_be_a_stranger())
                return;
        scene_init(&s, "[limits]\nCOMMAND_RATE_PER_USER=1\n[policy]\nallow user=65533 all\n"
                       "[broker]\nSOCKET_MODE=0666\nMULTICAST=never\n");
        ck_assert_int_eq(chmod(s.broker.directory, 0755), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (seteuid(65533) < 0)
                        _exit(77);
                raw_open(&c, s.broker.socket);
                for (unsigned i = 0; i < 25000; i++) {
                        raw_send(&c, 'U', "(app:flood id:9-9@127.0.0.1)", BROKER,
                                 "broker.attach(1)");
                        raw_send(&c, 'U', "(app:flood id:9-9@127.0.0.1)", BROKER,
                                 "broker.detach()");
                        if (i % 16 == 15)
                                for (unsigned j = 0; j < 16; j++)
                                        ck_assert(raw_receive(&c));
                }
                _exit(0);
        }
        /* The flood is over when it waits, which is said; all the time others are served. */
        while (count_in_log(&s.broker, "COMMAND_RATE_PER_USER=1 is reached") == 0) {
                raw_send(&s.a, 'U', A, B, "x()");
                raw_expect(&s.b, "x()");
                ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
        }
        free(raw_attach(&s.a, "(app:other)"));
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        raw_send(&s.a, 'U', A, B, "still()");
        raw_expect(&s.b, "still()");
        scene_deinit(&s);
}
END_TEST

static void overflow(struct raw_client *from, const char *src, const char *dest)
{
        char payload[1100];

        snprintf(payload, sizeof(payload), "x(\"%01000u\")", 1);
        for (unsigned i = 0; i < 3000; i++)
                raw_send(from, 'U', src, dest, payload);
        raw_expect_nothing(from);
}

START_TEST(test_links_that_do_not_read_take_only_their_users_share)
{
        struct raw_client c, d;
        struct scene s;

        if (!can_be_a_stranger())
                return;
        scene_init(&s, "[limits]\nBYTES=1M\n[policy]\nallow user=65533 all\n"
                       "[broker]\nSOCKET_MODE=0666\nMULTICAST=never\n");
        ck_assert_int_eq(chmod(s.broker.directory, 0755), 0);
        ck_assert_int_eq(seteuid(65533), 0);
        raw_open(&c, s.broker.socket);
        ck_assert_int_eq(seteuid(0), 0);
        free(raw_attach(&c, "(app:slow id:7-1@127.0.0.1)"));
        overflow(&s.a, A, "(app:slow)");
        expect_in_log(&s.broker, "uid 65533): BYTES=1048576 is for all users, and this one's share "
                                 "of it is used up: it does not read fast enough, messages for it "
                                 "are lost");
        /* Whoever reads loses nothing, of the same user, too. */
        ck_assert_int_eq(seteuid(65533), 0);
        raw_open(&d, s.broker.socket);
        ck_assert_int_eq(seteuid(0), 0);
        free(raw_attach(&d, "(app:quick id:7-2@127.0.0.1)"));
        for (unsigned i = 0; i < 3000; i++) {
                raw_send(&s.a, 'U', A, "(app:quick)", "y()");
                raw_send(&s.a, 'U', A, B, "y()");
                raw_expect(&d, "y()");
                raw_expect(&s.b, "y()");
        }
        raw_close(&c);
        raw_close(&d);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_answers_that_are_not_read_close_the_link_and_that_is_said)
{
        struct scene s;

        scene_init(&s, "[limits]\nBYTES_PER_LINK=128K\n");
        for (unsigned i = 0; i < 20000 && send(s.a.fd, "", 0, MSG_NOSIGNAL) == 0; i++) {
                char text[200];
                char frame[204];
                int n = snprintf(text, sizeof(text), "mbus/1.0 %u 1 R " A " (app:nobody) ()\r\nx()",
                                 i);

                for (unsigned j = 0; j < 4; j++)
                        frame[j] = (char)(n >> (24 - 8 * j));
                memcpy(frame + 4, text, (size_t)n);
                if (send(s.a.fd, frame, 4 + (size_t)n, MSG_NOSIGNAL) < 0)
                        break;
        }
        raw_send(&s.b, 'U', B, BROKER, "broker.watch(\"(app:a)\")");
        do
                ck_assert(raw_receive(&s.b));
        while (!strstr(s.b.text, "broker.left(\"" A "\"") &&
               !(strstr(s.b.text, "broker.watching") && count_in_log(&s.broker, "is closed") > 0));
        expect_in_log(&s.broker, "BYTES_PER_LINK=131072 is reached: it does not read its answers, "
                                 "and is closed");
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_without_descriptors_clients_wait_and_are_taken_when_there_are_some)
{
        enum { CLIENTS = 80 };
        struct raw_client c[CLIENTS];
        struct rlimit before, few;
        struct scene s;
        unsigned n;

        getrlimit(RLIMIT_NOFILE, &before);
        few = (struct rlimit){ 60, 60 };
        scene_prepare(&s);
        daemon_start(&s.broker);
        ck_assert_int_eq(prlimit(s.broker.pid, RLIMIT_NOFILE, &few, NULL), 0);
        for (n = 0; n < CLIENTS; n++)
                raw_open(&c[n], s.broker.socket);
        /* The first are served while the last wait. */
        while (count_in_log(&s.broker, "no more clients for now") == 0)
                raw_expect_nothing(&c[0]);
        for (unsigned ms = 0; ms < LOG_INTERVAL_MS + 500; ms += 10) {
                raw_expect_nothing(&c[1]);
                usleep(10000);
        }
        ck_assert_uint_eq(count_in_log(&s.broker, "no more clients for now"), 1);
        for (unsigned i = 0; i < 40; i++)
                raw_close(&c[i]);
        raw_expect_nothing(&c[CLIENTS - 1]);
        expect_in_log(&s.broker, "clients are taken again");
        for (unsigned i = 40; i < CLIENTS; i++)
                raw_close(&c[i]);
        daemon_free(&s.broker);
        close(s.host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_link_too_many_is_told_and_closed_and_a_place_that_is_free_is_given,
                test_entities_of_a_link_and_of_a_user_are_bounded,
                test_reliable_messages_beyond_the_limit_fail_at_once_and_ended_ones_make_room,
                test_reliable_messages_of_one_entity_are_bounded_whatever_the_link_may,
                test_watches_of_a_link_are_bounded,
                test_a_link_that_sends_too_fast_is_read_more_slowly,
                test_those_of_one_second_may_come_at_once_and_no_more,
                test_all_links_of_a_user_have_its_rate_together,
                test_the_death_of_a_link_that_waits_is_noticed_at_once,
                test_who_attaches_and_detaches_without_end_has_to_wait_and_others_do_not,
                test_links_that_do_not_read_take_only_their_users_share,
                test_answers_that_are_not_read_close_the_link_and_that_is_said,
                test_without_descriptors_clients_wait_and_are_taken_when_there_are_some,
        };

        return run_tests("broker-quota", tests, N(tests));
}
