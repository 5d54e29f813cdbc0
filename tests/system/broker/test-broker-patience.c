/*
 * test-broker-patience.c - reliable messages of clients wait until their destination is known
 * (spec/attach.md; spec/errata.md, 48).
 */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"
#include "stranger.h"

#define LATE "(app:late id:1-7@127.0.0.1)"
#define PATIENT "(app:patient id:1-8@127.0.0.1)"

struct waiting {
        struct scene s;
        struct raw_client c; /* PATIENT is its entity */
};

static uint64_t now_ms(void)
{
        return clock_now() / NSEC_PER_MSEC;
}

static void sleep_ms(long ms)
{
        struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

        nanosleep(&time, NULL);
}

static void waiting_init(struct waiting *w, const char *lines, const char *attach)
{
        scene_init(&w->s, lines);
        raw_open(&w->c, w->s.broker.socket);
        free(raw_attach_with(&w->c, PATIENT, attach));
        /* The broker then knows who is on the bus. */
        sleep_ms(1300);
}

static void waiting_deinit(struct waiting *w)
{
        raw_close(&w->c);
        scene_deinit(&w->s);
}

static uint32_t send_from_patient(struct waiting *w, const char *dest, const char *payload)
{
        return raw_send(&w->c, 'R', PATIENT, dest, payload);
}

/* REL-01 */
START_TEST(test_whole_address_is_sent_to_when_it_attaches)
{
        struct raw_client late;
        struct waiting w;
        uint32_t first, second, third;

        waiting_init(&w, "[broker]\nMULTICAST=never\n", "broker.attach(1 (patience 8000))");
        first = send_from_patient(&w, LATE, "x.one()");
        second = send_from_patient(&w, LATE, "x.two()");
        third = send_from_patient(&w, B, "x.three()");
        /* Who is known does not wait for others. */
        raw_expect(&w.s.b, "x.three()");
        raw_acknowledge(&w.s.b, B, PATIENT, third);
        raw_expect_ack(&w.c, B, third);
        raw_open(&late, w.s.broker.socket);
        free(raw_attach(&late, LATE));
        raw_expect(&late, "x.one()");
        ck_assert_ptr_nonnull(strstr(late.text, " R " PATIENT " " LATE " ()"));
        raw_expect(&late, "x.two()");
        raw_acknowledge(&late, LATE, PATIENT, first);
        raw_expect_ack(&w.c, LATE, first);
        raw_acknowledge(&late, LATE, PATIENT, second);
        raw_expect_ack(&w.c, LATE, second);
        raw_acknowledge(&late, LATE, PATIENT, second);
        raw_expect_nothing(&late);
        raw_expect_nothing(&w.c);
        raw_close(&late);
        waiting_deinit(&w);
}
END_TEST

/* SeqNums that waited are in no order with the others; each ends by itself. */
START_TEST(test_tickets_that_waited_end_like_others)
{
        struct raw_client late;
        struct waiting w;
        uint32_t first, second, third;

        waiting_init(&w, "[broker]\nMULTICAST=never\n", "broker.attach(1 (patience 8000))");
        first = send_from_patient(&w, LATE, "x.one()");
        second = send_from_patient(&w, LATE, "x.two()");
        third = send_from_patient(&w, B, "x.three()");
        raw_open(&late, w.s.broker.socket);
        free(raw_attach(&late, LATE));
        raw_expect(&late, "x.one()");
        raw_expect_about(&w.c,
                         "broker.undelivered(%u timeout \"it was not acknowledged within 600 ms\")",
                         third);
        raw_expect_about(&w.c,
                         "broker.undelivered(%u timeout \"it was not acknowledged within 600 ms\")",
                         first);
        raw_expect_about(&w.c,
                         "broker.undelivered(%u timeout \"it was not acknowledged within 600 ms\")",
                         second);
        first = send_from_patient(&w, "(app:later id:1-9@127.0.0.1)", "x.four()");
        raw_expect_nothing(&w.c);
        raw_send(&late, 'U', LATE, BROKER, "broker.detach()");
        raw_expect(&late, "x.two()");
        free(raw_attach(&late, "(app:later id:1-9@127.0.0.1)"));
        raw_expect(&late, "x.four()");
        raw_close(&late);
        raw_expect_about(&w.c,
                         "broker.undelivered(%u bye \"the entity left before it acknowledged\")",
                         first);
        waiting_deinit(&w);
}
END_TEST

/* REL-01 */
START_TEST(test_part_of_an_address_waits_for_all_who_match)
{
        struct raw_client late, twin;
        struct waiting w;
        uint64_t start;
        uint32_t seq;

        waiting_init(&w, "[broker]\nMULTICAST=never\n", "broker.attach(1 (patience 8000))");
        start = now_ms();
        seq = send_from_patient(&w, "(app:late)", "x.one()");
        raw_expect_nothing(&w.c);
        raw_open(&late, w.s.broker.socket);
        free(raw_attach(&late, LATE));
        raw_expect(&late, "x.one()");
        ck_assert_uint_ge(now_ms() - start, 1050);
        ck_assert_ptr_nonnull(strstr(late.text, " R " PATIENT " " LATE " ()"));
        raw_acknowledge(&late, LATE, PATIENT, seq);
        raw_expect_ack(&w.c, LATE, seq);

        /* Never to the first of several. */
        seq = send_from_patient(&w, "(app:twin)", "x.two()");
        raw_expect_nothing(&w.c);
        raw_open(&twin, w.s.broker.socket);
        free(raw_attach(&twin, "(app:twin)"));
        free(raw_attach(&twin, "(app:twin)"));
        raw_expect_about(&w.c, "broker.undelivered(%u not-unique \"several known entities match\")",
                         seq);
        raw_expect_nothing(&twin);
        raw_close(&twin);
        raw_close(&late);
        waiting_deinit(&w);
}
END_TEST

START_TEST(test_patience_ends_as_the_client_or_the_owner_says)
{
        static const struct {
                const char *lines, *attach;
                uint64_t least, most;
        } cases[] = {
                { "", "broker.attach(1 (patience 600))", 600, 5000 },
                { "[limits]\nPATIENCE=600\n", "broker.attach(1 (patience 50000))", 600, 5000 },
                { "", "broker.attach(1)", 0, 500 },
                { "", "broker.attach((something else) 1 (patience 0))", 0, 500 },
                { "", "broker.attach(1 (patience \"8\") (patience -8))", 0, 500 },
                { "[limits]\nPATIENCE=0\n", "broker.attach(1 (patience 50000))", 0, 500 },
        };

        for (size_t i = 0; i < N(cases); i++) {
                uint64_t start, time;
                struct waiting w;
                uint32_t seq;

                waiting_init(&w, cases[i].lines, cases[i].attach);
                start = now_ms();
                seq = send_from_patient(&w, "(app:nobody)", "x.y()");
                raw_expect_about(&w.c, "broker.undelivered(%u unknown \"no known entity matches\")",
                                 seq);
                time = now_ms() - start;
                ck_assert_msg(cases[i].least <= time && time < cases[i].most,
                              "case %zu: after %d ms", i, (int)time);
                waiting_deinit(&w);
        }
}
END_TEST

/* How many copies of a ping to @dest the observer has got so far. */
static unsigned count_pings(struct raw_client *o, const char *dest)
{
        uint32_t seq = raw_send(o, 'R', "()", BROKER, "mbus.waiting(nothing)");
        char end[32];
        unsigned n = 0;

        snprintf(end, sizeof(end), "(%u)", seq);
        for (;;) {
                ck_assert(raw_receive(o));
                if (!o->observed && strstr(o->text, end))
                        return n;
                n += o->observed && strstr(o->text, dest) && strstr(o->text, "mbus.ping");
        }
}

START_TEST(test_destination_is_asked_for_once_a_second)
{
        struct raw_client o;
        struct waiting w;
        struct peer p;

        waiting_init(&w, "", "broker.attach(1 (patience 3000))");
        raw_open(&o, w.s.broker.socket);
        raw_send(&o, 'R', "()", BROKER, "broker.observe(0)");
        ck_assert(raw_receive(&o));
        for (unsigned i = 0; i < 50; i++)
                send_from_patient(&w, P, "x.y()");
        send_from_patient(&w, "(app:q)", "x.y()");
        raw_expect_nothing(&w.c);
        ck_assert_uint_eq(count_pings(&o, P), 1);
        sleep_ms(1500);
        ck_assert_uint_le(count_pings(&o, P), 1);
        /* Who was silent so far, because it is new, gets what waits. */
        peer_init(&p, &w.s.broker);
        for (unsigned i = 0; i < 50; i++)
                peer_expect_message(&p, "x.y()");
        raw_close(&o);
        peer_deinit(&p);
        waiting_deinit(&w);
}
END_TEST

START_TEST(test_what_waits_counts_as_under_way)
{
        struct waiting w;
        uint32_t seq;
        char *log;

        waiting_init(&w, "[limits]\nTICKETS_PER_LINK=3\n", "broker.attach(1 (patience 1500))");
        for (unsigned i = 0; i < 3; i++)
                send_from_patient(&w, i == 1 ? LATE : "(app:nobody)", "x.y()");
        seq = send_from_patient(&w, LATE, "x.y()");
        raw_expect_about(&w.c,
                         "broker.undelivered(%u full \"too many reliable messages are under way\")",
                         seq);
        log = daemon_read_log(&w.s.broker);
        ck_assert_msg(strstr(log, "TICKETS_PER_LINK=3 is reached") != NULL, "%s", log);
        free(log);
        for (unsigned i = 0; i < 3; i++)
                raw_expect_about(&w.c, "broker.undelivered(%u unknown \"no known entity matches\")",
                                 seq - 3 + i);
        seq = send_from_patient(&w, B, "x.y()");
        raw_expect(&w.s.b, "x.y()");
        raw_acknowledge(&w.s.b, B, PATIENT, seq);
        raw_expect_ack(&w.c, B, seq);
        waiting_deinit(&w);
}
END_TEST

/* What may not be sent is not waited for, and nobody is asked. */
START_TEST(test_policy_comes_first)
{
        struct raw_client c, o;
        struct scene s;

        scene_init(&s, "[broker]\nSOCKET_MODE=0666\n[policy]\n"
                       "allow user=65533 attach=(app:c *) send=(app:late *) commands=x.\n");
        ck_assert_int_eq(chmod(s.broker.directory, 0755), 0);
        raw_open(&o, s.broker.socket);
        raw_send(&o, 'R', "()", BROKER, "broker.observe(0)");
        ck_assert(raw_receive(&o));
        ck_assert_int_eq(seteuid(STRANGER), 0);
        raw_open(&c, s.broker.socket);
        ck_assert_int_eq(seteuid(0), 0);
        free(raw_attach_with(&c, "(app:c id:1-9@127.0.0.1)", "broker.attach(1 (patience 9000))"));
        raw_send(&c, 'R', "(app:c id:1-9@127.0.0.1)", "(app:other)", "x.y()");
        ck_assert(raw_receive(&c));
        ck_assert_ptr_nonnull(strstr(c.text, " denied "));
        raw_send(&c, 'R', "(app:c id:1-9@127.0.0.1)", "(app:late)", "y.y()");
        ck_assert(raw_receive(&c));
        ck_assert_ptr_nonnull(strstr(c.text, " denied "));
        ck_assert_uint_eq(count_pings(&o, "(app:"), 0);
        raw_send(&c, 'R', "(app:c id:1-9@127.0.0.1)", "(app:late)", "x.y()");
        raw_expect_nothing(&c);
        ck_assert_uint_eq(count_pings(&o, "(app:late)"), 1);
        /* It leaves with what waits. */
        raw_close(&c);
        raw_expect_nothing(&s.a);
        raw_close(&o);
        scene_deinit(&s);
}
END_TEST

/* Whoever is read slowly knows that somebody is there. */
START_TEST(test_link_that_is_paused_hears_a_sign_of_life)
{
        struct scene s;
        uint64_t start;

        scene_init(&s, "[limits]\nSEND_RATE=1\n");
        start = now_ms();
        for (unsigned i = 0; i < 8; i++)
                raw_send(&s.a, 'U', A, B, "x.y()");
        ck_assert(raw_receive(&s.a));
        ck_assert_msg(strstr(s.a.text, " U (app:mbus-broker ") && strstr(s.a.text, " () ()") &&
                              !strchr(s.a.text, '\n'),
                      "%s", s.a.text);
        ck_assert_uint_ge(now_ms() - start, 2500);
        ck_assert_uint_lt(now_ms() - start, 12000);
        for (unsigned i = 0; i < 8; i++)
                raw_expect(&s.b, "x.y()");
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_whole_address_is_sent_to_when_it_attaches,
                test_tickets_that_waited_end_like_others,
                test_part_of_an_address_waits_for_all_who_match,
                test_patience_ends_as_the_client_or_the_owner_says,
                test_destination_is_asked_for_once_a_second,
                test_what_waits_counts_as_under_way,
                test_policy_comes_first,
                test_link_that_is_paused_hears_a_sign_of_life,
        };

        return run_tests("broker-patience", tests, N(tests));
}
