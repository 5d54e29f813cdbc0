/*
 * test-engine-awareness.c - entities announce themselves, learn of each other, and notice who left
 * (RFC 3259, sections 8 and 9.1 to 9.3; spec/errata.md, 2 to 11, 27 and 28).
 */
#include <stdio.h>

#include "fake-bus.h"
#include "run.h"

#define ME   "(app:me id:1-0@127.0.0.1)"
#define YOU  "(app:you id:2-0@127.0.0.1)"
#define THEM "(app:them id:3-0@127.0.0.1)"

static const struct fake_peer you = { .address = YOU, .socket = 1, .unique = true };

/* A bus with one engine and one entity, and what to play another with. */
struct scene {
        struct fake_bus bus;
        struct engine *e;
        struct entity *me;
        struct fake_peer you;
};

static void scene_init(struct scene *s, const struct engine_options *options)
{
        fake_bus_init(&s->bus);
        s->e = fake_add(&s->bus, options);
        s->me = fake_entity(&s->bus, s->e, ME);
        s->you = you;
}

static void scene_deinit(struct scene *s)
{
        fake_bus_deinit(&s->bus);
}

/* Somebody who has said hello, which was noticed. */
static void scene_meet(struct scene *s)
{
        fake_hello(&s->bus, s->e, &s->you);
        fake_expect(s->e, EVENT_JOINED);
        fake_expect_nothing(s->e);
}

static void say(struct scene *s, const char *payload)
{
        fake_say(&s->bus, s->e, &s->you, 'U', "()", "()", payload);
}

/* Lets @ms pass while the other says hello every 900 ms. */
static void run_with_hellos(struct scene *s, uint64_t ms)
{
        for (uint64_t t = 0; t < ms; t += 900) {
                fake_run(&s->bus, 900);
                fake_hello(&s->bus, s->e, &s->you);
        }
}

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
                fake_inject(&s.bus, s.e, &you,
                            "mbus/1.0 0 1006271405000 U " YOU " () ()\r\nmbus.hello()");
        }
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_DUPLICATE), 5);
        fake_run(&s.bus, 500);
        fake_expect_left(s.e, YOU, MBUS_REASON_TIMEOUT);
        scene_deinit(&s);
}
END_TEST

/* AWR-07 */
START_TEST(test_who_says_bye_is_dropped_at_once)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        say(&s, "mbus.bye()");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        scene_deinit(&s);
}
END_TEST

/* AWR-07 */
START_TEST(test_bye_makes_nobody_known)
{
        struct scene s;

        scene_init(&s, NULL);
        say(&s, "mbus.bye()");
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        say(&s, "x.y()\r\nmbus.bye()");
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        scene_deinit(&s);
}
END_TEST

/* ADR-06 AWR-07: a bye that is not for us is none, whether or not we observe. */
START_TEST(test_bye_to_others_is_not_obeyed)
{
        static const struct {
                char type;
                const char *dest;
        } cases[] = {
                { 'U', "(app:other)" },
                { 'R', "(app:other id:4-0@::1)" },
                { 'R', "(app:me)" },
                { 'R', "()" },
        };

        for (size_t i = 0; i < 2 * N(cases); ++i) {
                struct scene s;

                scene_init(&s, NULL);
                scene_meet(&s);
                engine_observe(s.e, i % 2, false);
                fake_say(&s.bus, s.e, &s.you, cases[i / 2].type, cases[i / 2].dest, "()",
                         "mbus.bye()");
                ck_assert_msg(engine_n_peers(s.e) == 1, "case %zu", i);
                scene_deinit(&s);
        }
}
END_TEST

/* AWR-07 */
START_TEST(test_late_messages_do_not_bring_back_who_left)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        s.you.seq = 3;
        say(&s, "mbus.bye()");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        /* Overtaken, repeated, and the bye itself. */
        fake_inject(&s.bus, s.e, &you, "mbus/1.0 2 1006271405000 U " YOU " () ()\r\nmbus.hello()");
        fake_inject(&s.bus, s.e, &you, "mbus/1.0 0 1006271405000 U " YOU " () ()\r\nmbus.hello()");
        fake_inject(&s.bus, s.e, &you, "mbus/1.0 3 1006271405000 U " YOU " () ()\r\nmbus.bye()");
        fake_run(&s.bus, 9000);
        fake_inject(&s.bus, s.e, &you, "mbus/1.0 1 1006271405000 U " YOU " () ()\r\nmbus.hello()");
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_DEPARTED), 4);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_new_life_after_bye_is_known_at_once)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        s.you.seq = 500;
        say(&s, "mbus.bye()");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        fake_run(&s.bus, 100);
        s.you.seq = 0;
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        s.you.seq = 7;
        fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "x.y(1)");
        fake_expect_message(s.e, "x.y(1)");
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_DEPARTED), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_tombstone_ends_after_ten_seconds)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        say(&s, "mbus.bye()");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        fake_run(&s.bus, 10001);
        /* Even from a machine whose clock starts anew. */
        fake_inject(&s.bus, s.e, &you, "mbus/1.0 0 1000000000000 U " YOU " () ()\r\nmbus.hello()");
        fake_expect(s.e, EVENT_JOINED);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_who_was_silent_for_too_long_is_met_again)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        fake_run(&s.bus, 6000);
        fake_expect_left(s.e, YOU, MBUS_REASON_TIMEOUT);
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_DEPARTED), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_restart_of_a_peer_is_told_and_loses_nothing)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        for (unsigned i = 0; i < 20; ++i)
                fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "x.y(1)");
        fake_skip(s.e);
        fake_run(&s.bus, 1000);
        s.you.seq = 0;
        fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "x.y(2)");
        fake_expect_left(s.e, YOU, MBUS_REASON_RESTARTED);
        fake_expect(s.e, EVENT_JOINED);
        fake_expect_message(s.e, "x.y(2)");
        ck_assert_uint_eq(engine_n_peers(s.e), 1);
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

/* AWR-08 */
START_TEST(test_entity_that_leaves_says_bye_to_all)
{
        struct scene s;
        const struct fake_datagram *dg;

        scene_init(&s, NULL);
        fake_run(&s.bus, 3000);
        engine_remove_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me);
        fake_settle(&s.bus);
        dg = fake_find(&s.bus, "mbus.bye", 0);
        ck_assert_uint_eq(dg->to.n, 0);
        ck_assert_str_eq(dg->message->dest, "()");
        ck_assert_str_eq(dg->message->src, ME);
        ck_assert(!dg->message->header.reliable);
        ck_assert_uint_eq(dg->message->header.seq, s.bus.n_log - 1);
        fake_forget(&s.bus);
        fake_run(&s.bus, 10000);
        ck_assert_uint_eq(s.bus.n_log, 0);
        ck_assert_uint_eq(engine_n_entities(s.e), 0);
        ck_assert_uint_eq(engine_deadline(s.e), TIME_NEVER);
        scene_deinit(&s);
}
END_TEST

/* Not in the drafts' way, with parameters, nor alone in its message. */
START_TEST(test_commands_of_the_bus_are_found_among_others_and_with_parameters)
{
        struct scene s;

        scene_init(&s, NULL);
        say(&s, "mbus.hello(1 \"two\" (three))");
        fake_expect(s.e, EVENT_JOINED);
        say(&s, "x.y(1)\r\nmbus.hello()");
        fake_expect_message(s.e, "x.y(1)\r\nmbus.hello()");
        say(&s, "x.y(1)\r\nmbus.bye(0)");
        fake_expect_message(s.e, "x.y(1)\r\nmbus.bye(0)");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        scene_deinit(&s);
}
END_TEST

/* Hellos alone are none of the application's business. */
START_TEST(test_commands_of_the_bus_alone_are_no_message)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        say(&s, "mbus.hello()\r\nmbus.ping()");
        fake_expect_nothing(s.e);
        /* CTL-01: but whether to quit is its own decision; unknown ones are handed on as well. */
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
                fake_say(&s.bus, s.e, &s.you, 'U', i % 2 ? "()" : "(app:me)", "()",
                         "mbus.ping()");
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

/* ---- two of one name ---- */

START_TEST(test_our_own_datagrams_are_no_news)
{
        struct scene s;
        struct endpoint own = { .n = 2, .own = true };

        scene_init(&s, NULL);
        fake_run(&s.bus, 5000);
        for (size_t i = 0; i < s.bus.n_log; ++i)
                engine_receive(s.e, s.bus.now, fake_wall(&s.bus), &own, s.bus.log[i].bytes);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_OWN), s.bus.n_log);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        scene_deinit(&s);
}
END_TEST

/* A bridge, or a second interface, brings our datagrams back from somewhere else. */
START_TEST(test_echo_of_our_datagrams_is_no_conflict)
{
        struct endpoint bridge = { .n = 2, .unique = true, .bytes = { 9 } };
        struct scene s;

        scene_init(&s, NULL);
        fake_run(&s.bus, 60000);
        for (size_t i = 0; i < s.bus.n_log; ++i)
                engine_receive(s.e, s.bus.now, fake_wall(&s.bus), &bridge, s.bus.log[i].bytes);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_OWN), s.bus.n_log);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_our_address_from_somebody_else_is_a_conflict_told_once)
{
        struct fake_peer other = { .address = ME, .socket = 7 };
        struct address fresh = fake_address("(app:me id:99-0@127.0.0.1)");
        struct scene s;
        struct event event;

        scene_init(&s, NULL);
        fake_run(&s.bus, 5000);
        for (unsigned i = 0; i < 3; ++i) {
                fake_run(&s.bus, 500);
                fake_hello(&s.bus, s.e, &other);
        }
        event = fake_event(s.e, EVENT_CONFLICT);
        ck_assert_ptr_eq(event.entity, s.me);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        /* With another name there is room for both. */
        fake_forget(&s.bus);
        ck_assert_int_eq(engine_rename_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me, &fresh), 0);
        fake_settle(&s.bus);
        ck_assert_str_eq(fake_find(&s.bus, "mbus.hello", 0)->message->src,
                         "(app:me id:99-0@127.0.0.1)");
        ck_assert(address_equal(entity_address(s.me), &fresh));
        fake_hello(&s.bus, s.e, &other);
        fake_expect(s.e, EVENT_JOINED);
        fake_say(&s.bus, s.e, &other, 'U', "(id:99-0@127.0.0.1)", "()", "x.y()");
        fake_expect_message(s.e, "x.y()");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_address_in_use_is_taken)
{
        struct address me = fake_address(ME), other = fake_address(YOU);
        struct address shuffled = fake_address("(id:1-0@127.0.0.1 app:me)");
        struct entity *entity = NULL;
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        ck_assert_int_eq(engine_add_entity(s.e, s.bus.now, &me, NULL, &entity), MBUS_E_TAKEN);
        ck_assert_int_eq(engine_add_entity(s.e, s.bus.now, &shuffled, NULL, &entity), MBUS_E_TAKEN);
        ck_assert_int_eq(engine_add_entity(s.e, s.bus.now, &other, NULL, &entity), MBUS_E_TAKEN);
        ck_assert_int_eq(engine_rename_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me, &other),
                         MBUS_E_TAKEN);
        ck_assert(address_equal(entity_address(s.me), &me));
        ck_assert_ptr_null(entity);
        say(&s, "mbus.bye()");
        ck_assert_int_eq(engine_add_entity(s.e, s.bus.now, &other, &s, &entity), 0);
        ck_assert_ptr_eq(entity_data(entity), &s);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_peers_that_come_and_go_do_not_fill_the_memory)
{
        struct engine_options options = { .events_max = 50 };
        struct scene s;
        size_t memory = 0;

        scene_init(&s, &options);
        for (unsigned i = 0; i < 4000; ++i) {
                fake_run(&s.bus, 1);
                s.you.seq = 0;
                fake_hello(&s.bus, s.e, &s.you);
                if (i % 2)
                        say(&s, "mbus.bye()");
                if (i == 2000)
                        memory = engine_memory(s.e);
        }
        ck_assert_uint_le(engine_memory(s.e), memory);
        fake_skip(s.e);
        run_with_hellos(&s, 3000);
        ck_assert_uint_eq(engine_n_peers(s.e), 1);
        scene_deinit(&s);
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
                test_who_says_bye_is_dropped_at_once,
                test_bye_makes_nobody_known,
                test_bye_to_others_is_not_obeyed,
                test_late_messages_do_not_bring_back_who_left,
                test_new_life_after_bye_is_known_at_once,
                test_tombstone_ends_after_ten_seconds,
                test_who_was_silent_for_too_long_is_met_again,
                test_restart_of_a_peer_is_told_and_loses_nothing,
                test_newcomer_to_a_bus_of_a_hundred_drops_nobody,
                test_hellos_of_many_entities_are_as_frequent_as_those_of_few,
                test_hello_is_put_off_when_a_hundred_join_and_hurries_when_they_leave,
                test_entity_that_leaves_says_bye_to_all,
                test_commands_of_the_bus_are_found_among_others_and_with_parameters,
                test_commands_of_the_bus_alone_are_no_message,
                test_pings_are_answered_by_one_hello_within_a_second,
                test_pings_to_others_are_not_answered,
                test_ping_asks_everybody_who_matches,
                test_our_own_datagrams_are_no_news,
                test_echo_of_our_datagrams_is_no_conflict,
                test_our_address_from_somebody_else_is_a_conflict_told_once,
                test_address_in_use_is_taken,
                test_peers_that_come_and_go_do_not_fill_the_memory,
        };

        return run_tests("engine-awareness", tests, N(tests));
}
