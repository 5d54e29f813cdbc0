/*
 * test-engine-search.c - reliable messages to entities that were not heard yet (RFC 3259, sections 7 and
 * 9.3; spec/errata.md, 48).
 */
#include <stdio.h>

#include "fake-scene.h"
#include "run.h"

#define PATIENCE (2500 * MS)
#define YOU_TOO "(app:you id:4-0@127.0.0.1)"

/* An entity that is new on the bus, and has patience. */
static void scene_begin(struct scene *s, const struct engine_options *options)
{
        scene_init(s, options);
        engine_set_patience(s->e, PATIENCE);
}

static uint64_t send_to(struct scene *s, const char *dest, const char *payload)
{
        uint64_t ticket = 0;

        ck_assert_int_eq(fake_send_reliable(&s->bus, s->e, s->me, dest, payload, &ticket), 0);
        ck_assert_uint_ne(ticket, 0);
        return ticket;
}

static int try_to(struct scene *s, const char *dest)
{
        uint64_t ticket;

        return fake_send_reliable(&s->bus, s->e, s->me, dest, "x.y()", &ticket);
}

/* How many reliable messages went out, repetitions not counted. */
static size_t n_sent(const struct scene *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->bus.n_log; ++i) {
                const struct header *h = &s->bus.log[i].message->header;
                bool again = false;

                for (size_t k = 0; k < i && h->reliable; ++k)
                        again = again || (s->bus.log[k].message->header.reliable &&
                                          s->bus.log[k].message->header.seq == h->seq);
                n += h->reliable && !again;
        }
        return n;
}

/* SeqNum and TimeStamp are those of when it leaves. REL-01 */
START_TEST(test_whole_address_is_asked_and_goes_when_it_is_heard)
{
        const struct fake_datagram *dg;
        struct scene s;
        uint64_t ticket, start;

        scene_begin(&s, NULL);
        start = s.bus.now;
        ticket = send_to(&s, YOU, "x.y(1)");
        fake_settle(&s.bus);
        dg = fake_find(&s.bus, "mbus.ping", 0);
        ck_assert_str_eq(dg->message->dest, YOU);
        ck_assert_str_eq(dg->message->src, ME);
        fake_run(&s.bus, 700);
        ck_assert_uint_eq(n_sent(&s), 0);
        fake_expect_nothing(s.e);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "a.b()"), 0);
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        fake_settle(&s.bus);
        dg = fake_find(&s.bus, "x.y", 0);
        ck_assert_uint_eq(dg->at, start + 700 * MS);
        ck_assert_uint_eq(dg->message->header.timestamp, FAKE_WALL + start / MS + 700);
        ck_assert_uint_gt(dg->message->header.seq,
                          fake_find(&s.bus, "a.b", 0)->message->header.seq);
        fake_ack(&s.bus, s.e, &s.you, dg);
        fake_expect_ticket(s.e, ticket, MBUS_REASON_NONE);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_part_of_an_address_goes_when_the_survey_is_over)
{
        struct scene s;
        uint64_t ticket;

        scene_begin(&s, NULL);
        ticket = send_to(&s, "(app:you)", "x.y(1)");
        fake_run(&s.bus, 200);
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        fake_run(&s.bus, 849);
        ck_assert_uint_eq(n_sent(&s), 0);
        fake_run(&s.bus, 1);
        ck_assert_uint_eq(n_sent(&s), 1);
        ck_assert_str_eq(fake_find(&s.bus, "x.y", 0)->message->dest, YOU);
        fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 0));
        fake_expect_ticket(s.e, ticket, MBUS_REASON_NONE);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 1);
        scene_deinit(&s);
}
END_TEST

/* Nor to the first of several that answer; one with the same id is one more. REL-01 */
START_TEST(test_it_never_goes_to_the_first_of_several)
{
        static const struct {
                const char *dest;
                const char *other;
        } cases[] = {
                { "(app:you)", YOU_TOO },
                { "(id:2-0@127.0.0.1)", "(app:someone id:2-0@127.0.0.1)" },
                { "(app:you id:2-0@127.0.0.1)", NULL },
        };

        for (size_t i = 0; i < N(cases); ++i) {
                struct fake_peer other = { .address = cases[i].other, .socket = 2 };
                struct scene s;
                uint64_t ticket;

                scene_begin(&s, NULL);
                ticket = send_to(&s, cases[i].dest, "x.y(1)");
                fake_run(&s.bus, 100);
                fake_hello(&s.bus, s.e, &s.you);
                fake_run(&s.bus, 800);
                ck_assert_uint_eq(n_sent(&s), other.address ? 0 : 1);
                if (other.address) {
                        fake_hello(&s.bus, s.e, &other);
                        fake_skip(s.e);
                        fake_run(&s.bus, 149);
                        fake_expect_nothing(s.e);
                        fake_run(&s.bus, 1);
                        fake_expect_ticket(s.e, ticket, MBUS_REASON_NOT_UNIQUE);
                        ck_assert_uint_eq(n_sent(&s), 0);
                        ck_assert_int_eq(try_to(&s, cases[i].dest), MBUS_E_NOT_UNIQUE);
                }
                scene_deinit(&s);
        }
}
END_TEST

/* An old address without an id may be a part of others'. */
START_TEST(test_address_without_an_id_is_surveyed)
{
        struct fake_peer old = { .address = "(app:old)", .socket = 2 };
        struct scene s;

        scene_begin(&s, NULL);
        send_to(&s, "(app:old)", "x.y(1)");
        fake_run(&s.bus, 100);
        fake_hello(&s.bus, s.e, &old);
        fake_run(&s.bus, 949);
        ck_assert_uint_eq(n_sent(&s), 0);
        fake_run(&s.bus, 1);
        ck_assert_uint_eq(n_sent(&s), 1);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_patience_ends_as_unknown)
{
        struct scene s;
        uint64_t ticket;

        scene_begin(&s, NULL);
        fake_run(&s.bus, 5000);
        ticket = send_to(&s, YOU, "x.y(1)");
        fake_run(&s.bus, 2499);
        fake_expect_nothing(s.e);
        fake_run(&s.bus, 1);
        fake_expect_ticket(s.e, ticket, MBUS_REASON_UNKNOWN);
        ck_assert_uint_eq(n_sent(&s), 0);
        /* It comes too late now. */
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        fake_run(&s.bus, 3000);
        ck_assert_uint_eq(n_sent(&s), 0);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_no_patience_is_an_answer_at_once)
{
        struct scene s;

        scene_init(&s, NULL);
        ck_assert_int_eq(try_to(&s, YOU), MBUS_E_UNKNOWN);
        engine_set_patience(s.e, PATIENCE);
        engine_set_patience(s.e, 0);
        ck_assert_int_eq(try_to(&s, YOU), MBUS_E_UNKNOWN);
        scene_meet(&s);
        ck_assert_int_eq(try_to(&s, "(app:you)"), 0);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 0);
        scene_deinit(&s);
}
END_TEST

/* Whoever has little patience gets the answer of that moment, as without any. */
START_TEST(test_patience_shorter_than_a_survey)
{
        struct scene s;
        uint64_t ticket;

        scene_begin(&s, NULL);
        engine_set_patience(s.e, 500 * MS);
        ticket = send_to(&s, "(app:you)", "x.y(1)");
        fake_run(&s.bus, 500);
        fake_expect_ticket(s.e, ticket, MBUS_REASON_UNKNOWN);
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        send_to(&s, "(app:you)", "x.y(2)");
        fake_run(&s.bus, 499);
        ck_assert_uint_eq(n_sent(&s), 0);
        fake_run(&s.bus, 1);
        ck_assert_uint_eq(n_sent(&s), 1);
        scene_deinit(&s);
}
END_TEST

/* Two were lost on the way, or nobody was there: it is asked again as long as the answer comes in time. */
START_TEST(test_it_is_asked_again_once_a_second_at_most)
{
        struct scene s;

        scene_begin(&s, NULL);
        engine_set_patience(s.e, 10000 * MS);
        send_to(&s, "(app:you)", "x.y(1)");
        fake_run(&s.bus, 9999);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 9);
        for (size_t i = 1; i < 9; ++i)
                ck_assert_uint_ge(fake_find(&s.bus, "mbus.ping", i)->at -
                                          fake_find(&s.bus, "mbus.ping", i - 1)->at,
                                  1000 * MS);
        scene_deinit(&s);
}
END_TEST

/* In the order of the calls, whatever the heap of deadlines makes of them. */
START_TEST(test_what_is_given_up_keeps_its_order)
{
        struct scene s;
        uint64_t tickets[200];

        scene_begin(&s, NULL);
        for (unsigned i = 0; i < N(tickets); ++i) {
                if (i == 100)
                        engine_set_patience(s.e, PATIENCE / 2);
                tickets[i] = send_to(&s, i % 3 ? YOU : THEM, "x.y()");
        }
        fake_run(&s.bus, 2501);
        for (unsigned i = 0; i < N(tickets); ++i)
                fake_expect_ticket(s.e, tickets[i], MBUS_REASON_UNKNOWN);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_thousand_messages_ask_once_and_keep_their_order)
{
        struct scene s;
        char payload[32];

        scene_begin(&s, NULL);
        for (unsigned i = 0; i < 200; ++i) {
                snprintf(payload, sizeof(payload), "x.y(%u)", i);
                send_to(&s, i < 100 ? YOU : "(id:2-0@127.0.0.1 app:you)", payload);
                if (i == 100)
                        fake_run(&s.bus, 300);
        }
        fake_hello(&s.bus, s.e, &s.you);
        /* It is known, but whoever waits goes first. */
        send_to(&s, YOU, "x.y(200)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 1);
        ck_assert_uint_eq(n_sent(&s), 201);
        for (unsigned i = 0; i <= 200; ++i) {
                const struct message *m = fake_find(&s.bus, "x.y", i)->message;

                snprintf(payload, sizeof(payload), "x.y(%u)", i);
                ck_assert(span_equal_text(span_from(m->text, m->header.payload), payload));
        }
        scene_deinit(&s);
}
END_TEST

/* Who has listened for as long as anybody is silent knows who matches. */
START_TEST(test_who_has_been_there_for_long_need_not_ask)
{
        struct scene s;

        scene_begin(&s, NULL);
        fake_run(&s.bus, 500);
        scene_meet(&s);
        fake_run(&s.bus, 500);
        fake_hello(&s.bus, s.e, &s.you);
        send_to(&s, "(app:you)", "x.y(1)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(n_sent(&s), 0);
        fake_run(&s.bus, 149);
        fake_hello(&s.bus, s.e, &s.you);
        fake_run(&s.bus, 2);
        send_to(&s, "(app:you)", "x.y(2)");
        ck_assert_uint_eq(n_sent(&s), 0);
        fake_run(&s.bus, 1000);
        fake_hello(&s.bus, s.e, &s.you);
        ck_assert_uint_eq(n_sent(&s), 2);
        send_to(&s, "(app:you)", "x.y(3)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(n_sent(&s), 3);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 1);
        scene_deinit(&s);
}
END_TEST

/* On a large bus that takes minutes; what a survey has found is not surveyed again meanwhile. */
START_TEST(test_survey_is_remembered_on_a_large_bus)
{
        struct scene s;

        scene_begin(&s, NULL);
        for (unsigned i = 0; i < 100; ++i) {
                char address[64];
                struct fake_peer peer = { .address = address, .socket = 3 };

                snprintf(address, sizeof(address), "(app:crowd id:77-%u@127.0.0.1)", i);
                fake_hello(&s.bus, s.e, &peer);
        }
        fake_hello(&s.bus, s.e, &s.you);
        send_to(&s, "(app:you)", "x.y(1)");
        fake_run(&s.bus, 1050);
        ck_assert_uint_eq(n_sent(&s), 1);
        fake_run(&s.bus, 3000);
        send_to(&s, "(app:you)", "x.y(2)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(n_sent(&s), 2);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 1);
        scene_deinit(&s);
}
END_TEST

/* Between entities of one engine it is the same. */
START_TEST(test_local_entities_are_looked_for_alike)
{
        struct entity *other;
        struct scene s;
        uint64_t ticket, second;

        scene_begin(&s, NULL);
        ticket = send_to(&s, YOU, "x.y(1)");
        second = send_to(&s, "(app:you)", "x.y(2)");
        fake_run(&s.bus, 100);
        other = fake_entity(&s.bus, s.e, YOU);
        fake_settle(&s.bus);
        fake_expect_message(s.e, "x.y(1)");
        fake_expect_ticket(s.e, ticket, MBUS_REASON_NONE);
        fake_expect_nothing(s.e);
        fake_run(&s.bus, 950);
        fake_expect_message(s.e, "x.y(2)");
        fake_expect_ticket(s.e, second, MBUS_REASON_NONE);
        engine_remove_entity(s.e, s.bus.now, fake_wall(&s.bus), other);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_entity_that_leaves_takes_what_waits_along)
{
        struct entity *other;
        struct scene s;
        uint64_t ticket;

        scene_begin(&s, NULL);
        other = fake_entity(&s.bus, s.e, THEM);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, other, YOU, "x.y(1)", &ticket), 0);
        ticket = send_to(&s, YOU, "x.y(2)");
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, other, "(app:z)", "x.y(3)", &ticket), 0);
        engine_remove_entity(s.e, s.bus.now, fake_wall(&s.bus), other);
        fake_hello(&s.bus, s.e, &s.you);
        fake_run(&s.bus, 3000);
        ck_assert_uint_eq(n_sent(&s), 1);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 3);
        scene_deinit(&s);
        /* And an engine with something that waits can go. */
        scene_begin(&s, NULL);
        send_to(&s, YOU, "x.y(2)");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_waits_is_bounded)
{
        struct scene s;
        char dest[64];

        scene_begin(&s, &(struct engine_options){ .reliable_bytes_max = 100 });
        for (unsigned i = 0; i < 20; ++i)
                send_to(&s, YOU, "x.y()");
        ck_assert_int_eq(try_to(&s, YOU), MBUS_E_FULL);
        scene_deinit(&s);

        scene_begin(&s, NULL);
        for (unsigned i = 0; i < SEARCHES_MAX; ++i) {
                snprintf(dest, sizeof(dest), "(number:%u)", i);
                send_to(&s, dest, "x.y()");
        }
        ck_assert_int_eq(try_to(&s, YOU), MBUS_E_FULL);
        for (unsigned i = SEARCHES_MAX; i < RELIABLE_OUTSTANDING_MAX; ++i)
                send_to(&s, "(number:7)", "x.y()");
        ck_assert_int_eq(try_to(&s, "(number:7)"), MBUS_E_FULL);
        fake_run(&s.bus, 2501);
        for (unsigned i = 0; i < RELIABLE_OUTSTANDING_MAX; ++i)
                fake_expect(s.e, EVENT_FAILED);
        fake_expect_nothing(s.e);
        fake_run(&s.bus, 1100);
        ck_assert_uint_lt(engine_memory(s.e), 1 << 20);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_too_large_is_told_at_once)
{
        static char payload[70000];
        struct scene s;
        uint64_t ticket;

        scene_begin(&s, NULL);
        memset(payload, 'x', sizeof(payload) - 1);
        memcpy(payload, "x.y(\"", 5);
        memcpy(payload + sizeof(payload) - 3, "\")", 2);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, YOU, payload, &ticket),
                         MBUS_E_TOO_LARGE);
        fake_run(&s.bus, 3000);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

/* Nobody is pinged there, for a ping ends old programs. */
START_TEST(test_ucl_waits_for_hellos)
{
        struct scene s;
        uint64_t ticket;

        scene_begin(&s, &(struct engine_options){ .dialect = DIALECT_UCL });
        fake_run(&s.bus, 5000);
        ticket = send_to(&s, "(app:you)", "x.y(1)");
        send_to(&s, YOU, "x.y(0)");
        fake_run(&s.bus, 1000);
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        fake_settle(&s.bus);
        ck_assert_uint_eq(n_sent(&s), 1);
        fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 0));
        fake_expect(s.e, EVENT_DELIVERED);
        fake_run(&s.bus, 199);
        ck_assert_uint_eq(n_sent(&s), 1);
        fake_run(&s.bus, 1);
        ck_assert_uint_eq(n_sent(&s), 2);
        fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 1));
        fake_expect_ticket(s.e, ticket, MBUS_REASON_NONE);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 0);
        scene_deinit(&s);
}
END_TEST

/* As inside a process, where one round of introductions tells. */
START_TEST(test_owner_says_when_all_are_known)
{
        struct fake_peer other = { .address = YOU_TOO, .socket = 2 };
        struct scene s;
        uint64_t tickets[3];

        scene_begin(&s, &(struct engine_options){ .owner_surveys = true });
        tickets[0] = send_to(&s, "(app:nobody)", "x.y(1)");
        tickets[1] = send_to(&s, "(app:you)", "x.y(2)");
        fake_run(&s.bus, 1500);
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        tickets[2] = send_to(&s, YOU, "x.y(3)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(n_sent(&s), 1);
        fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 0));
        fake_expect_ticket(s.e, tickets[2], MBUS_REASON_NONE);
        fake_hello(&s.bus, s.e, &other);
        fake_expect(s.e, EVENT_JOINED);
        engine_surveyed(s.e, s.bus.now, fake_wall(&s.bus), true);
        fake_expect_ticket(s.e, tickets[0], MBUS_REASON_UNKNOWN);
        fake_expect_ticket(s.e, tickets[1], MBUS_REASON_NOT_UNIQUE);
        fake_expect_nothing(s.e);
        ck_assert_int_eq(try_to(&s, "(app:nobody)"), MBUS_E_UNKNOWN);
        engine_surveyed(s.e, s.bus.now, fake_wall(&s.bus), false);
        tickets[0] = send_to(&s, "(app:nobody)", "x.y(1)");
        fake_run(&s.bus, 2500);
        fake_expect_ticket(s.e, tickets[0], MBUS_REASON_UNKNOWN);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 0);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_whole_address_is_asked_and_goes_when_it_is_heard,
                test_part_of_an_address_goes_when_the_survey_is_over,
                test_it_never_goes_to_the_first_of_several,
                test_address_without_an_id_is_surveyed,
                test_patience_ends_as_unknown,
                test_no_patience_is_an_answer_at_once,
                test_patience_shorter_than_a_survey,
                test_it_is_asked_again_once_a_second_at_most,
                test_what_is_given_up_keeps_its_order,
                test_a_thousand_messages_ask_once_and_keep_their_order,
                test_who_has_been_there_for_long_need_not_ask,
                test_survey_is_remembered_on_a_large_bus,
                test_local_entities_are_looked_for_alike,
                test_entity_that_leaves_takes_what_waits_along,
                test_what_waits_is_bounded,
                test_too_large_is_told_at_once,
                test_ucl_waits_for_hellos,
                test_owner_says_when_all_are_known,
        };

        return run_tests("engine-search", tests, N(tests));
}
