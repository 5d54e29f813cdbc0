/*
 * test-engine-ucl.c - the habits of the old programs: DIALECT=UCL (spec/errata.md, 14, 32, 38, 39, 46 to
 * 48).
 */
#include "core/engine-state.h"
#include "core/seal.h"
#include "fake-scene.h"
#include "run.h"

static const struct engine_options ucl = { .dialect = DIALECT_UCL };

static uint64_t send_to(struct scene *s, const char *dest, const char *payload)
{
        uint64_t ticket = 0;

        ck_assert_int_eq(fake_send_reliable(&s->bus, s->e, s->me, dest, payload, &ticket), 0);
        return ticket;
}

static void scene_begin(struct scene *s)
{
        scene_init(s, &ucl);
        scene_meet(s);
        fake_settle(&s->bus);
        fake_forget(&s->bus);
}

START_TEST(test_lines_end_in_lf_and_commands_have_a_space)
{
        static const char payload[] = "x.y(1 (a \"b\"))\r\nz()";
        struct scene s;
        struct span bytes;

        scene_begin(&s);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", payload), 0);
        fake_settle(&s.bus);
        bytes = fake_find(&s.bus, "x.y", 0)->bytes;
        ck_assert_int_eq(bytes.at[16], '\n');
        ck_assert(span_equal_text(span_from(bytes, 17), "mbus/1.0 0 1006271405000 U " ME " () ()\n"
                                                        "x.y (1 (a \"b\"))\nz ()\n"));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_conditions_of_waiting_and_go_are_strings)
{
        struct scene s;

        scene_begin(&s);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "mbus.waiting(rat-ui)"), 0);
        send_to(&s, YOU, "mbus.go(rat-ui)");
        fake_settle(&s.bus);
        ck_assert_ptr_nonnull(strstr(fake_find(&s.bus, "mbus.waiting", 0)->message->bytes,
                                     "\nmbus.waiting (\"rat-ui\")\n"));
        ck_assert_ptr_nonnull(strstr(fake_find(&s.bus, "mbus.go", 0)->message->bytes,
                                     "\nmbus.go (\"rat-ui\")\n"));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_numbers_stay_below_a_million)
{
        struct scene s;

        scene_init(&s, &ucl);
        s.me->seq = RELIABLE_SEQ_MOD_UCL - 2;
        for (unsigned i = 0; i < 4; ++i)
                ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "x.y()"), 0);
        fake_settle(&s.bus);
        for (uint32_t i = 0; i < 4; ++i)
                ck_assert_uint_eq(fake_find(&s.bus, "x.y", i)->message->header.seq,
                                  (RELIABLE_SEQ_MOD_UCL - 2 + i) % RELIABLE_SEQ_MOD_UCL);
        scene_deinit(&s);
}
END_TEST

/* Of both dialects, since what is received may be either. */
START_TEST(test_that_wrap_is_no_restart_for_anybody)
{
        struct fake_bus bus;
        struct engine *e[3];
        struct entity *sender = NULL;
        const char *const addresses[] = { ME, YOU, THEM };

        fake_bus_init(&bus);
        for (size_t i = 0; i < 3; ++i) {
                struct entity *entity;

                e[i] = fake_add(&bus, i < 2 ? &ucl : NULL);
                entity = fake_entity(&bus, e[i], addresses[i]);
                entity->seq = RELIABLE_SEQ_MOD_UCL - 5;
                sender = i ? sender : entity;
        }
        fake_run(&bus, 1000);
        for (size_t i = 0; i < 3; ++i)
                fake_skip(e[i]);
        for (unsigned i = 0; i < 12; ++i) {
                uint64_t ticket;

                ck_assert_int_eq(fake_send_reliable(&bus, e[0], sender, i % 2 ? YOU : THEM,
                                                    "x.y(1)", &ticket),
                                 0);
                fake_settle(&bus);
                fake_expect_ticket(e[0], ticket, MBUS_REASON_NONE);
                fake_expect_message(e[i % 2 ? 1 : 2], "x.y (1)\n");
        }
        for (size_t i = 0; i < 3; ++i) {
                fake_expect_nothing(e[i]);
                ck_assert_uint_eq(fake_dropped(e[i]), 0);
        }
        ck_assert_uint_lt(sender->seq, 20);
        fake_bus_deinit(&bus);
}
END_TEST

/* REL-05: 5.25 s, in steps that grow by 250 ms. */
START_TEST(test_message_is_repeated_for_more_than_five_seconds)
{
        static const uint64_t times[] = { 0, 250, 750, 1500, 2500, 3750 };
        struct scene s;
        uint64_t ticket, start;

        scene_begin(&s);
        start = s.bus.now;
        ticket = send_to(&s, YOU, "x.y(1)");
        fake_run(&s.bus, 5249);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), N(times));
        for (size_t i = 0; i < N(times); ++i) {
                ck_assert_uint_eq(fake_find(&s.bus, "x.y", i)->at - start, times[i] * MS);
                ck_assert(span_equal(fake_find(&s.bus, "x.y", i)->bytes,
                                     fake_find(&s.bus, "x.y", 0)->bytes));
        }
        fake_run(&s.bus, 1);
        fake_expect_ticket(s.e, ticket, MBUS_REASON_TIMEOUT);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_one_message_at_a_time_goes_to_each_peer)
{
        struct fake_peer them = { .address = THEM, .socket = 3 };
        struct scene s;
        uint64_t tickets[3], other;

        scene_begin(&s);
        fake_hello(&s.bus, s.e, &them);
        fake_skip(s.e);
        for (size_t i = 0; i < N(tickets); ++i)
                tickets[i] = send_to(&s, YOU, "x.y(1)");
        other = send_to(&s, THEM, "x.y(2)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 2);
        fake_ack(&s.bus, s.e, &them, fake_find(&s.bus, "x.y", 1));
        fake_expect_ticket(s.e, other, MBUS_REASON_NONE);
        fake_forget(&s.bus);
        fake_run(&s.bus, 250);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 1);
        fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 0));
        fake_expect_ticket(s.e, tickets[0], MBUS_REASON_NONE);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 2);
        /* When one fails, the next has its turn. */
        for (unsigned i = 0; i < 6; ++i) {
                fake_run(&s.bus, 1000);
                fake_hello(&s.bus, s.e, &s.you);
                fake_hello(&s.bus, s.e, &them);
        }
        fake_expect_ticket(s.e, tickets[1], MBUS_REASON_TIMEOUT);
        fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "x.y", 7));
        fake_expect_ticket(s.e, tickets[2], MBUS_REASON_NONE);
        scene_deinit(&s);
}
END_TEST

/* REL-02: which the RFC forbids; the old programs know no other way. */
START_TEST(test_reliable_message_to_a_subset_that_is_ours_alone_is_accepted)
{
        struct scene s;

        scene_begin(&s);
        fake_say(&s.bus, s.e, &s.you, 'R', "(app:me)", "()", "x.y(1)");
        fake_expect_message(s.e, "x.y(1)");
        fake_settle(&s.bus);
        ck_assert(span_equal_text(fake_find(&s.bus, "", 0)->message->header.acks, "(1)"));
        /* And acknowledged again when it comes again. */
        --s.you.seq;
        fake_say(&s.bus, s.e, &s.you, 'R', "(app:me)", "()", "x.y(1)");
        fake_expect_nothing(s.e);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 2);
        /* For two it is for nobody. */
        fake_entity(&s.bus, s.e, "(app:me id:2-2@127.0.0.1)");
        fake_say(&s.bus, s.e, &s.you, 'R', "(app:me)", "()", "x.y(2)");
        fake_expect_nothing(s.e);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 2);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_SUBSET), 1);
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y(3)");
        fake_expect_message(s.e, "x.y(3)");
        scene_deinit(&s);
}
END_TEST

/* TRN-04 */
START_TEST(test_datagrams_have_1400_octets_at_most)
{
        static char payload[DATAGRAM_MAX_UCL + 1];
        size_t n = 1000;
        struct scene s;

        scene_begin(&s);
        for (;; ++n) {
                memset(payload, 'a', n);
                memcpy(payload, "x.y(", 4);
                payload[n - 1] = ')';
                payload[n] = 0;
                if (fake_send(&s.bus, s.e, s.me, "()", payload) != 0)
                        break;
                ck_assert_uint_lt(n, DATAGRAM_MAX_UCL);
        }
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", payload), MBUS_E_TOO_LARGE);
        fake_settle(&s.bus);
        ck_assert_uint_ge(s.bus.log[s.bus.n_log - 1].bytes.n, DATAGRAM_MAX_UCL - 2);
        ck_assert_uint_le(s.bus.log[s.bus.n_log - 1].bytes.n, DATAGRAM_MAX_UCL);
        scene_deinit(&s);
}
END_TEST

/* RAT's, that bears no proper id, counts from 1 and never answers a ping. */
START_TEST(test_old_program_is_understood)
{
        struct fake_peer rat = { .address = "(media:audio module:engine app:rat id:22285)",
                                 .seq = 1,
                                 .socket = 9 };
        struct scene s;
        uint64_t ticket;

        scene_begin(&s);
        fake_inject(&s.bus, s.e, &rat,
                    "mbus/1.0      1 1006271404123 U (media:audio module:engine app:rat id:22285) "
                    "() ()\nmbus.hello ()\n");
        fake_expect(s.e, EVENT_JOINED);
        ticket = send_to(&s, "(app:rat)", "audio.query()");
        fake_settle(&s.bus);
        ck_assert_str_eq(fake_find(&s.bus, "audio.query", 0)->message->dest, rat.address);
        fake_inject(&s.bus, s.e, &rat,
                    "mbus/1.0      2 1006271404124 U (media:audio module:engine app:rat id:22285) "
                    "(app:me id:1-0@127.0.0.1) (     0)\n");
        fake_expect_ticket(s.e, ticket, MBUS_REASON_NONE);
        fake_inject(&s.bus, s.e, &rat,
                    "mbus/1.0      3 1006271404125 R (media:audio module:engine app:rat id:22285) "
                    "(app:me) ()\nmbus.waiting (\"rat-token\")\n");
        fake_expect_message(s.e, "mbus.waiting (\"rat-token\")\n");
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_lines_end_in_lf_and_commands_have_a_space,
                test_conditions_of_waiting_and_go_are_strings,
                test_numbers_stay_below_a_million,
                test_that_wrap_is_no_restart_for_anybody,
                test_message_is_repeated_for_more_than_five_seconds,
                test_one_message_at_a_time_goes_to_each_peer,
                test_reliable_message_to_a_subset_that_is_ours_alone_is_accepted,
                test_datagrams_have_1400_octets_at_most,
                test_old_program_is_understood,
        };

        return run_tests("engine-ucl", tests, N(tests));
}
