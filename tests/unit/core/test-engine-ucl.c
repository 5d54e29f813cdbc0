/*
 * test-engine-ucl.c - the habits of the old programs: DIALECT=UCL (spec/errata.md, 14, 32, 38, 39, 46 to
 * 48).
 */
#include <stdio.h>

#include "core/engine-state.h"
#include "core/engine.h"
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
        s.me->seq = 0;
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", payload), 0);
        fake_settle(&s.bus);
        bytes = fake_find(&s.bus, "x.y", 0)->bytes;
        ck_assert_int_eq(bytes.at[16], '\n');
        ck_assert(span_equal_text(span_from(bytes, 17), "mbus/1.0 0 1006271405000 U " ME " () ()\n"
                                                        "x.y (1 (a \"b\" ) )\nz ()\n"));
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
                                     "\nmbus.waiting (\"rat-ui\" )\n"));
        ck_assert_ptr_nonnull(strstr(fake_find(&s.bus, "mbus.go", 0)->message->bytes,
                                     "\nmbus.go (\"rat-ui\" )\n"));
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
                fake_expect_message(e[i % 2 ? 1 : 2], "x.y (1 )\n");
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
        ck_assert(span_equal_text(fake_find(&s.bus, "", 0)->message->header.acks, "(1 )"));
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
        s.me->seq = 0;
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

/* ---- lives ---- */

START_TEST(test_a_life_begins_at_a_number_that_none_before_it_had)
{
        struct address address = fake_address(ME);
        uint32_t first[20];
        struct scene s;

        scene_init(&s, &ucl);
        for (size_t i = 0; i < N(first); ++i) {
                first[i] = s.me->seq;
                ck_assert_uint_ge(first[i], 1);
                ck_assert_uint_le(first[i], SEQ_FIRST_MAX_UCL);
                for (size_t k = 0; k < i; ++k)
                        ck_assert_uint_ne(first[k], first[i]);
                engine_remove_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me);
                ck_assert_int_eq(engine_add_entity(s.e, s.bus.now, &address, NULL, &s.me), 0);
        }
        scene_deinit(&s);
        /* In the RFC's dialect it is 0 (MSG-04). */
        scene_init(&s, NULL);
        ck_assert_uint_eq(s.me->seq, 0);
        scene_deinit(&s);
}
END_TEST

/* Of an engine of either dialect, since what is received may be either. */
static void expect_restart(const struct engine_options *options, uint32_t from, uint32_t to)
{
        struct scene s;

        scene_init(&s, options);
        s.you.old = true;
        s.you.seq = from;
        scene_meet(&s);
        for (unsigned i = 0; i < 5; ++i)
                fake_hello(&s.bus, s.e, &s.you);
        fake_run(&s.bus, 10);
        s.you.seq = to;
        scene_says(&s, "x.y(1)");
        fake_expect_left(s.e, YOU, MBUS_REASON_RESTARTED);
        fake_expect(s.e, EVENT_JOINED);
        fake_expect_message(s.e, "x.y(1)");
        ck_assert(!s.e->peers.lossy);
        /* What the former life said last may come only now. */
        s.you.seq = from + 6;
        s.bus.now -= 10 * MS;
        scene_says(&s, "x.y(2)");
        fake_expect_nothing(s.e);
        s.bus.now += 10 * MS;
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_STALE), 1);
        scene_deinit(&s);
}

START_TEST(test_a_leap_forward_is_a_new_life)
{
        const struct engine_options *const either[] = { &ucl, NULL };

        for (size_t i = 0; i < N(either); ++i) {
                expect_restart(either[i], 5000, 5007 + WINDOW_BITS);
                expect_restart(either[i], 1, 900000);
                expect_restart(either[i], 900000, 1);
                expect_restart(either[i], 700000, 699000);
        }
}
END_TEST

/* Messages that others got by unicast, or that were lost: up to the window there is no telling. */
START_TEST(test_a_shorter_one_is_none_nor_is_any_of_a_program_of_the_rfc)
{
        struct scene s;

        for (unsigned old = 0; old < 2; ++old) {
                scene_init(&s, &ucl);
                s.you.old = old;
                s.you.seq = 100;
                scene_meet(&s);
                s.you.seq += old ? WINDOW_BITS - 1 : 400000;
                scene_says(&s, "x.y(1)");
                fake_expect_message(s.e, "x.y(1)");
                fake_expect_nothing(s.e);
                /* Only of the latter a gap is a loss. */
                ck_assert_int_eq(s.e->peers.lossy, !old);
                scene_deinit(&s);
        }
}
END_TEST

/* Seen live: 262, 263, 100. What stands in a queue is numbered and stamped when it is put there. */
START_TEST(test_messages_that_waited_in_a_queue_of_their_sender_are_no_loss)
{
        struct scene s;

        scene_init(&s, NULL);
        s.you.old = true;
        s.you.seq = 99;
        scene_meet(&s);
        fake_run(&s.bus, 1000);
        s.you.seq = 262;
        fake_hello(&s.bus, s.e, &s.you);
        scene_says(&s, "x.y(263)");
        fake_expect_message(s.e, "x.y(263)");
        fake_inject(&s.bus, s.e, &s.you, "mbus/1.0 100 1006271405100 U " YOU " () ()\nx.y(100)");
        fake_expect_message(s.e, "x.y(100)");
        fake_run(&s.bus, 5499);
        fake_expect_nothing(s.e);
        fake_run(&s.bus, 1);
        fake_expect_left(s.e, YOU, MBUS_REASON_TIMEOUT);
        scene_deinit(&s);
}
END_TEST

/* Directed unicast: not all of its messages are for all. */
START_TEST(test_gaps_are_no_loss_where_unicast_is_used)
{
        const struct engine_options options = { .send_unicast = true };
        struct scene s;

        scene_init(&s, &options);
        scene_meet(&s);
        s.you.seq = 50;
        fake_hello(&s.bus, s.e, &s.you);
        ck_assert(!s.e->peers.lossy);
        fake_run(&s.bus, 5500);
        fake_expect_left(s.e, YOU, MBUS_REASON_TIMEOUT);
        scene_deinit(&s);
}
END_TEST

/* ---- hellos ---- */

/* Adds local entities until there are @n, lets them start, and returns how many hellos they say in ten
 * seconds. */
static size_t count_hellos(struct scene *s, size_t n)
{
        char address[64];

        for (size_t i = engine_n_entities(s->e); i < n; ++i) {
                snprintf(address, sizeof(address), "(app:more id:%zu-9@127.0.0.1)", i);
                fake_entity(&s->bus, s->e, address);
        }
        fake_run(&s->bus, 3000);
        fake_forget(&s->bus);
        fake_run(&s->bus, 10000);
        return fake_count(&s->bus, "mbus.hello");
}

/* AWR-05, but for how many others there are. */
START_TEST(test_hellos_are_said_every_second_whoever_else_there_is)
{
        struct fake_peer other = { .socket = 3, .old = true };
        uint64_t last = 0;
        char address[64];
        struct scene s;

        scene_init(&s, &ucl);
        for (unsigned i = 0; i < 60; ++i) {
                snprintf(address, sizeof(address), "(app:other id:%u)", i);
                other.address = address;
                other.seq = 1;
                fake_hello(&s.bus, s.e, &other);
        }
        fake_run(&s.bus, 3000);
        fake_forget(&s.bus);
        fake_run(&s.bus, 60000);
        for (size_t i = 0; i < fake_count(&s.bus, "mbus.hello"); ++i) {
                uint64_t at = fake_find(&s.bus, "mbus.hello", i)->at;

                ck_assert_uint_le(at - last, last ? 1100 * MS : UINT64_MAX);
                ck_assert_uint_ge(at - last, 900 * MS);
                last = at;
        }
        ck_assert_uint_ge(fake_count(&s.bus, "mbus.hello"), 54);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_one_process_says_no_more_than_200_hellos_a_second)
{
        struct scene s;

        scene_init(&s, &ucl);
        s.bus.muted[0] = true;
        ck_assert_uint_ge(count_hellos(&s, 200), 1800);
        ck_assert(!engine_hellos_are_slow(s.e, 0));
        ck_assert(engine_hellos_are_slow(s.e, 1));
        ck_assert_uint_le(count_hellos(&s, 201), 2000);
        ck_assert(engine_hellos_are_slow(s.e, 0));
        ck_assert_uint_le(count_hellos(&s, 500), 2000);
        ck_assert_uint_ge(count_hellos(&s, 500), 1400);
        scene_deinit(&s);
        /* Those on its other buses count. */
        scene_init(&s, &ucl);
        engine_share_hellos(s.e, 199);
        ck_assert(!engine_hellos_are_slow(s.e, 0));
        engine_share_hellos(s.e, 599);
        ck_assert(engine_hellos_are_slow(s.e, 0));
        ck_assert_uint_le(count_hellos(&s, 1), 4);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_nobody_is_pinged_but_our_own_who_say_hello)
{
        struct scene s;
        struct address all = fake_address("()");

        scene_begin(&s);
        ck_assert_int_eq(engine_ping(s.e, s.bus.now, fake_wall(&s.bus), s.me, &all), 0);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "mbus.ping()\r\nx.y()"), 0);
        fake_run(&s.bus, 1100);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.ping"), 0);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 1);
        ck_assert_uint_ge(fake_count(&s.bus, "mbus.hello"), 1);
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
                test_a_life_begins_at_a_number_that_none_before_it_had,
                test_a_leap_forward_is_a_new_life,
                test_a_shorter_one_is_none_nor_is_any_of_a_program_of_the_rfc,
                test_messages_that_waited_in_a_queue_of_their_sender_are_no_loss,
                test_gaps_are_no_loss_where_unicast_is_used,
                test_hellos_are_said_every_second_whoever_else_there_is,
                test_one_process_says_no_more_than_200_hellos_a_second,
                test_nobody_is_pinged_but_our_own_who_say_hello,
        };

        return run_tests("engine-ucl", tests, N(tests));
}
