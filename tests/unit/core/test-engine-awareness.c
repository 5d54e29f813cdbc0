/*
 * test-engine-awareness.c - entities announce themselves, learn of each other, and answer pings (RFC
 * 3259, sections 8, 9.1 and 9.3; spec/errata.md, 2 to 8 and 10).
 */
#include <stdio.h>

#include "fake-scene.h"
#include "run.h"

/* AWR-01 AWR-02 AWR-03 AWR-09 MSG-02 MSG-03 TRN-03 */
START_TEST(test_entity_announces_itself_to_all_from_within_a_second_for_ever)
{
        struct scene s;
        uint64_t last = 0;

        scene_init(&s, NULL);
        fake_run(&s.bus, 120000);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.hello"), s.bus.n_log);
        ck_assert_uint_le(s.bus.log[0].at, 2000 * MS);
        ck_assert_uint_ge(s.bus.log[s.bus.n_log - 1].at, s.bus.now - 1100 * MS);
        for (size_t i = 0; i < s.bus.n_log; ++i) {
                const struct fake_datagram *dg = s.bus.log + i;

                ck_assert_uint_eq(dg->to.n, 0);
                ck_assert_str_eq(dg->message->dest, "()");
                ck_assert_str_eq(dg->message->src, ME);
                ck_assert(!dg->message->header.reliable);
                ck_assert_uint_eq(dg->message->header.seq, i);
                if (i > 0) {
                        ck_assert_uint_ge(dg->at - last, 899 * MS);
                        ck_assert_uint_le(dg->at - last, 1101 * MS);
                }
                last = dg->at;
        }
        scene_deinit(&s);
}
END_TEST

/* AWR-01: what is said to others does not put the hello off. */
START_TEST(test_hellos_go_on_beside_other_traffic)
{
        struct scene s;

        scene_init(&s, NULL);
        for (unsigned i = 0; i < 300; ++i) {
                ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "(app:x)", "x.y()"), 0);
                fake_run(&s.bus, 100);
        }
        ck_assert_uint_ge(fake_count(&s.bus, "mbus.hello"), 26);
        scene_deinit(&s);
}
END_TEST

/* AWR-01 */
START_TEST(test_engines_learn_of_each_other)
{
        struct fake_bus bus;
        struct engine *e[3];
        const char *const addresses[] = { ME, YOU, THEM };

        fake_bus_init(&bus);
        for (size_t i = 0; i < 3; ++i) {
                e[i] = fake_add(&bus, NULL);
                fake_entity(&bus, e[i], addresses[i]);
        }
        fake_run(&bus, 1000);
        for (size_t i = 0; i < 3; ++i) {
                ck_assert_uint_eq(engine_n_peers(e[i]), 2);
                ck_assert_uint_eq(engine_n_entities(e[i]), 1);
                fake_expect(e[i], EVENT_JOINED);
                fake_expect(e[i], EVENT_JOINED);
        }
        /* And nobody forgets anybody. */
        fake_run(&bus, 600000);
        for (size_t i = 0; i < 3; ++i) {
                fake_expect_nothing(e[i]);
                ck_assert_uint_eq(fake_dropped(e[i]), 0);
        }
        fake_bus_deinit(&bus);
}
END_TEST

/* MSG-08 */
START_TEST(test_known_peers_are_told_with_what_is_known_of_them)
{
        struct scene s;
        struct fake_peer old = { .address = "(app:rat)", .socket = 2 };
        struct address all = ADDRESS_ALL, rat = fake_address("(app:rat)");
        struct peer_info info;
        size_t cursor = 0, n = 0;

        scene_init(&s, NULL);
        scene_meet(&s);
        fake_run(&s.bus, 10);
        fake_hello(&s.bus, s.e, &old);
        while (engine_next_peer(s.e, &all, &cursor, &info))
                ++n;
        ck_assert_uint_eq(n, 2);
        cursor = 0;
        ck_assert(engine_next_peer(s.e, &rat, &cursor, &info));
        ck_assert(info.legacy);
        ck_assert(address_equal(info.address, &rat));
        ck_assert_uint_eq(info.joined, s.bus.now);
        ck_assert_uint_eq(info.heard, s.bus.now);
        ck_assert_uint_eq(info.deadline, s.bus.now + 5500 * MS);
        ck_assert_uint_eq(info.endpoint->bytes[1], 2);
        ck_assert(!engine_next_peer(s.e, &rat, &cursor, &info));
        scene_deinit(&s);
}
END_TEST

/* AWR-06: with a bus of two, 5.5 s. */
START_TEST(test_silent_peer_is_taken_for_dead)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        fake_run(&s.bus, 5499);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 1);
        fake_run(&s.bus, 1);
        fake_expect_left(s.e, YOU, MBUS_REASON_TIMEOUT);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        fake_run(&s.bus, 60000);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

/* AWR-06 */
START_TEST(test_any_message_of_a_peer_keeps_it_alive_and_makes_it_known)
{
        static const struct {
                char type;
                const char *dest, *acks, *payload;
        } cases[] = {
                { 'U', "(app:other)", "()", "x.y(1)" },
                { 'U', ME, "()", "" },
                { 'R', "(app:other id:4-0@::1)", "()", "x.y(1)" },
                { 'U', "()", "()", "x.y(1)" },
                { 'R', ME, "(1)", "x.y(1)" },
        };

        for (size_t i = 0; i < N(cases); ++i) {
                struct scene s;

                scene_init(&s, NULL);
                for (unsigned k = 0; k < 4; ++k) {
                        fake_say(&s.bus, s.e, &s.you, cases[i].type, cases[i].dest, cases[i].acks,
                                 cases[i].payload);
                        ck_assert_uint_eq(engine_n_peers(s.e), 1);
                        fake_run(&s.bus, 5499);
                        ck_assert_uint_eq(engine_n_peers(s.e), 1);
                }
                scene_deinit(&s);
        }
}
END_TEST

/* SEC-01: what a stranger sends, and what is received again, keeps nobody alive. */
START_TEST(test_replays_keep_nobody_alive)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        for (unsigned i = 0; i < 5; ++i) {
                fake_run(&s.bus, 1000);
                fake_inject(&s.bus, s.e, &s.you,
                            "mbus/1.0 0 1006271405000 U " YOU " () ()\r\nmbus.hello()");
        }
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_DUPLICATE), 5);
        fake_run(&s.bus, 500);
        fake_expect_left(s.e, YOU, MBUS_REASON_TIMEOUT);
        scene_deinit(&s);
}
END_TEST

/* AWR-06: and a newcomer that knows few of them drops none. */
START_TEST(test_newcomer_to_a_bus_of_a_hundred_drops_nobody)
{
        struct fake_bus bus;
        struct engine *crowd, *newcomer;

        fake_bus_init(&bus);
        crowd = fake_add(&bus, NULL);
        for (unsigned i = 0; i < 99; ++i) {
                char text[64];

                snprintf(text, sizeof(text), "(app:crowd id:%u-0@127.0.0.1)", i);
                fake_entity(&bus, crowd, text);
        }
        fake_run(&bus, 100000);
        newcomer = fake_add(&bus, NULL);
        fake_entity(&bus, newcomer, ME);
        fake_run(&bus, 100000);
        ck_assert_uint_eq(engine_n_peers(newcomer), 99);
        for (unsigned i = 0; i < 99; ++i)
                fake_expect(newcomer, EVENT_JOINED);
        fake_expect_nothing(newcomer);
        fake_expect(crowd, EVENT_JOINED);
        fake_expect_nothing(crowd);
        fake_bus_deinit(&bus);
}
END_TEST

/* AWR-03 AWR-11: a few hundred entities make five hellos a second, as five do. */
START_TEST(test_hellos_of_many_entities_are_as_frequent_as_those_of_few)
{
        struct fake_bus bus;
        struct engine *e;
        size_t n;

        fake_bus_init(&bus);
        e = fake_add(&bus, NULL);
        for (unsigned i = 0; i < 300; ++i) {
                char text[64];

                snprintf(text, sizeof(text), "(app:crowd id:%u-0@127.0.0.1)", i);
                fake_entity(&bus, e, text);
        }
        fake_run(&bus, 120000);
        fake_forget(&bus);
        fake_run(&bus, 300000);
        n = fake_count(&bus, "mbus.hello");
        ck_assert_msg(n > 300 * 4 && n < 300 * 6, "%zu hellos in 300 s", n);
        fake_bus_deinit(&bus);
}
END_TEST

/* Ninety-nine others, all at once. */
static void crowd_says(struct scene *s, struct fake_peer *crowd, const char *payload)
{
        static char texts[99][64];

        for (unsigned i = 0; i < 99; ++i) {
                snprintf(texts[i], sizeof(texts[i]), "(app:crowd id:%u-0@127.0.0.1)", i);
                crowd[i].address = texts[i];
                fake_say(&s->bus, s->e, crowd + i, 'U', "()", "()", payload);
        }
        fake_skip(s->e);
}

/* AWR-04 AWR-05 */
START_TEST(test_hello_is_put_off_when_a_hundred_join_and_hurries_when_they_leave)
{
        struct fake_peer crowd[99] = { 0 };
        struct scene s;

        scene_init(&s, NULL);
        fake_run(&s.bus, 5000);
        crowd_says(&s, crowd, "mbus.hello()");
        fake_forget(&s.bus);
        fake_run(&s.bus, 16000);
        ck_assert_uint_eq(s.bus.n_log, 0);
        fake_run(&s.bus, 6000);
        ck_assert_uint_eq(s.bus.n_log, 1);
        /* The next would come in 18 to 22 seconds. */
        fake_run(&s.bus, 8000);
        crowd_says(&s, crowd, "mbus.bye()");
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        fake_forget(&s.bus);
        fake_run(&s.bus, 1101);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.hello"), 1);
        fake_run(&s.bus, 10000);
        ck_assert_uint_ge(fake_count(&s.bus, "mbus.hello"), 9);
        scene_deinit(&s);
}
END_TEST

/* Not in the drafts' way, with parameters, nor alone in its message. */
START_TEST(test_commands_of_the_bus_are_found_among_others_and_with_parameters)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_says(&s, "mbus.hello(1 \"two\" (three))");
        fake_expect(s.e, EVENT_JOINED);
        scene_says(&s, "x.y(1)\r\nmbus.hello()");
        fake_expect_message(s.e, "x.y(1)\r\nmbus.hello()");
        scene_says(&s, "x.y(1)\r\nmbus.bye(0)");
        fake_expect_message(s.e, "x.y(1)\r\nmbus.bye(0)");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        scene_deinit(&s);
}
END_TEST

/* CTL-01: hellos alone are none of the application's business; whether to quit is its decision. */
START_TEST(test_commands_of_the_bus_alone_are_no_message)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        scene_says(&s, "mbus.hello()\r\nmbus.ping()");
        fake_expect_nothing(s.e);
        fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "mbus.quit()");
        fake_expect_message(s.e, "mbus.quit()");
        fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "mbus.other()");
        fake_expect_message(s.e, "mbus.other()");
        scene_deinit(&s);
}
END_TEST

/* AWR-10 */
START_TEST(test_pings_are_answered_by_one_hello_within_a_second)
{
        struct fake_peer crowd[99] = { 0 };
        struct scene s;

        scene_init(&s, NULL);
        crowd_says(&s, crowd, "mbus.hello()");
        fake_run(&s.bus, 1500);
        fake_forget(&s.bus);
        for (unsigned i = 0; i < 5; ++i)
                fake_say(&s.bus, s.e, &s.you, 'U', i % 2 ? "()" : "(app:me)", "()", "mbus.ping()");
        fake_run(&s.bus, 1000);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.hello"), 1);
        ck_assert_str_eq(fake_find(&s.bus, "mbus.hello", 0)->message->dest, "()");
        ck_assert_uint_eq(fake_find(&s.bus, "mbus.hello", 0)->to.n, 0);
        /* It counts as the regular one. */
        fake_forget(&s.bus);
        fake_run(&s.bus, 16500);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.hello"), 0);
        scene_deinit(&s);
}
END_TEST

/* AWR-10 REL-02 */
START_TEST(test_pings_to_others_are_not_answered)
{
        static const struct {
                char type;
                const char *dest;
        } cases[] = {
                { 'U', "(app:other)" },
                { 'U', "(app:me foo:bar)" },
                { 'R', "(app:me)" },
                { 'R', "()" },
        };

        for (size_t i = 0; i < 2 * N(cases); ++i) {
                struct fake_peer crowd[99] = { 0 };
                struct scene s;

                scene_init(&s, NULL);
                engine_observe(s.e, i % 2, false);
                crowd_says(&s, crowd, "mbus.hello()");
                fake_run(&s.bus, 1500);
                fake_forget(&s.bus);
                fake_say(&s.bus, s.e, &s.you, cases[i / 2].type, cases[i / 2].dest, "()",
                         "mbus.ping()");
                fake_run(&s.bus, 1500);
                ck_assert_msg(fake_count(&s.bus, "mbus.hello") == 0, "case %zu", i);
                scene_deinit(&s);
        }
}
END_TEST

/* AWR-10 */
START_TEST(test_ping_asks_everybody_who_matches)
{
        struct fake_bus bus;
        struct engine *a, *b;
        struct entity *entity;
        struct address all = ADDRESS_ALL;

        fake_bus_init(&bus);
        a = fake_add(&bus, NULL);
        b = fake_add(&bus, NULL);
        entity = fake_entity(&bus, a, ME);
        fake_entity(&bus, b, YOU);
        fake_entity(&bus, b, THEM);
        fake_run(&bus, 1100);
        fake_forget(&bus);
        ck_assert_int_eq(engine_ping(a, bus.now, fake_wall(&bus), entity, &all), 0);
        fake_run(&bus, 1000);
        ck_assert_uint_eq(fake_count(&bus, "mbus.ping"), 1);
        ck_assert_uint_ge(fake_count(&bus, "mbus.hello"), 3);
        fake_bus_deinit(&bus);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_entity_announces_itself_to_all_from_within_a_second_for_ever,
                test_hellos_go_on_beside_other_traffic,
                test_engines_learn_of_each_other,
                test_known_peers_are_told_with_what_is_known_of_them,
                test_silent_peer_is_taken_for_dead,
                test_any_message_of_a_peer_keeps_it_alive_and_makes_it_known,
                test_replays_keep_nobody_alive,
                test_newcomer_to_a_bus_of_a_hundred_drops_nobody,
                test_hellos_of_many_entities_are_as_frequent_as_those_of_few,
                test_hello_is_put_off_when_a_hundred_join_and_hurries_when_they_leave,
                test_commands_of_the_bus_are_found_among_others_and_with_parameters,
                test_commands_of_the_bus_alone_are_no_message,
                test_pings_are_answered_by_one_hello_within_a_second,
                test_pings_to_others_are_not_answered,
                test_ping_asks_everybody_who_matches,
        };

        return run_tests("engine-awareness", tests, N(tests));
}
