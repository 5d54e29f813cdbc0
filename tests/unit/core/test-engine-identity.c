/*
 * test-engine-identity.c - who leaves, who comes back, and who has whose name (RFC 3259, sections 4.1,
 * 8 and 9.2; spec/errata.md, 8, 9, 27, 28 and 51).
 */
#include <stdio.h>

#include "fake-scene.h"
#include "run.h"

/* AWR-07 */
START_TEST(test_who_says_bye_is_dropped_at_once)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        scene_says(&s, "mbus.bye()");
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
        scene_says(&s, "mbus.bye()");
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        scene_says(&s, "x.y()\r\nmbus.bye()");
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
        scene_says(&s, "mbus.bye()");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        /* Overtaken, repeated, and the bye itself. */
        fake_inject(&s.bus, s.e, &s.you,
                    "mbus/1.0 2 1006271405000 U " YOU " () ()\r\nmbus.hello()");
        fake_inject(&s.bus, s.e, &s.you,
                    "mbus/1.0 0 1006271405000 U " YOU " () ()\r\nmbus.hello()");
        fake_inject(&s.bus, s.e, &s.you, "mbus/1.0 3 1006271405000 U " YOU " () ()\r\nmbus.bye()");
        fake_run(&s.bus, 9000);
        fake_inject(&s.bus, s.e, &s.you,
                    "mbus/1.0 1 1006271405000 U " YOU " () ()\r\nmbus.hello()");
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
        scene_says(&s, "mbus.bye()");
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
        scene_says(&s, "mbus.bye()");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        fake_run(&s.bus, 10001);
        /* Even from a machine whose clock starts anew. */
        fake_inject(&s.bus, s.e, &s.you,
                    "mbus/1.0 0 1000000000000 U " YOU " () ()\r\nmbus.hello()");
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
        /* Those of long ago may as well be replays. */
        ck_assert_uint_gt(engine_dropped(s.e, MBUS_DROP_OWN), 10);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_OWN) + engine_dropped(s.e, MBUS_DROP_STALE),
                          s.bus.n_log);
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

/* Somebody who uses every address that he hears, a thousand times a second, for half an hour. */
START_TEST(test_who_takes_each_address_of_ours_makes_us_rename_ever_more_seldom)
{
        struct fake_peer other = { .socket = 7 };
        unsigned n = 0, early = 0;
        struct address fresh;
        struct event event;
        char text[64] = ME;
        struct scene s;

        scene_init(&s, NULL);
        fake_run(&s.bus, 5000);
        for (unsigned ms = 0; ms < 1800 * 1000; ms += ms < 20000 ? 1 : 100) {
                fake_run(&s.bus, ms < 20000 ? 1 : 100);
                other.address = text;
                fake_hello(&s.bus, s.e, &other);
                while (engine_pop_event(s.e, &event)) {
                        ck_assert_int_eq(event.type, EVENT_CONFLICT);
                        event_deinit(&event);
                        snprintf(text, sizeof(text), "(app:me id:99-%u@127.0.0.1)", ++n);
                        fresh = fake_address(text);
                        ck_assert_int_eq(engine_rename_entity(s.e, s.bus.now, fake_wall(&s.bus),
                                                              s.me, &fresh),
                                         0);
                }
                fake_forget(&s.bus);
                if (ms < 10000)
                        early = n;
        }
        /* At once, then after 1, 2, 4 seconds; later once in 64. */
        ck_assert_uint_eq(early, 4);
        ck_assert_uint_ge(n, 30);
        ck_assert_uint_le(n, 36);
        /* Left alone for long enough, it changes at once again. */
        fake_run(&s.bus, 2 * RENAME_PAUSE_MAX_MS + 1000);
        fake_hello(&s.bus, s.e, &other);
        event = fake_event(s.e, EVENT_CONFLICT);
        snprintf(text, sizeof(text), "(app:me id:99-%u@127.0.0.1)", ++n);
        fresh = fake_address(text);
        ck_assert_int_eq(engine_rename_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me, &fresh), 0);
        fake_run(&s.bus, RENAME_PAUSE_MIN_MS + 1);
        fake_hello(&s.bus, s.e, &other);
        event = fake_event(s.e, EVENT_CONFLICT);
        ck_assert_ptr_eq(event.entity, s.me);
        scene_deinit(&s);
}
END_TEST

/* Both clocks and the age of the entity are cut to whole milliseconds. */
START_TEST(test_our_address_from_somebody_else_is_a_conflict_from_the_first_millisecond_on)
{
        struct fake_peer other = { .address = "(app:me id:98-0@127.0.0.1)", .socket = 7 };
        struct address fresh = fake_address(other.address);
        struct entity *entity;
        struct event event;
        char text[160];
        struct scene s;

        scene_init(&s, NULL);
        fake_run(&s.bus, 5000);
        s.bus.now += 900 * 1000;
        ck_assert_int_eq(engine_add_entity(s.e, s.bus.now, &fresh, NULL, &entity), 0);
        /* Made 50 us later, and here another 50 us later, in the next millisecond. */
        snprintf(text, sizeof(text), "mbus/1.0 0 %llu U %s () ()\r\nmbus.hello()",
                 (unsigned long long)fake_wall(&s.bus), other.address);
        s.bus.now += 100 * 1000;
        fake_inject(&s.bus, s.e, &other, text);
        event = fake_event(s.e, EVENT_CONFLICT);
        ck_assert_ptr_eq(event.entity, entity);
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
        scene_says(&s, "mbus.bye()");
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
                        scene_says(&s, "mbus.bye()");
                if (i == 2000)
                        memory = engine_memory(s.e);
        }
        ck_assert_uint_le(engine_memory(s.e), memory);
        fake_skip(s.e);
        fake_run(&s.bus, 1);
        s.you.seq = 0;
        fake_hello(&s.bus, s.e, &s.you);
        ck_assert_uint_eq(engine_n_peers(s.e), 1);
        scene_deinit(&s);
}
END_TEST

/* ADR-04: a given address is not changed; who came first keeps it. */
START_TEST(test_given_address_is_defended_by_who_has_had_it)
{
        struct fake_peer twin = { .address = ME, .socket = 3, .unique = true };
        struct scene s;
        size_t n;

        scene_init(&s, NULL);
        entity_keep_address(s.me);
        fake_run(&s.bus, 2001);
        n = fake_count(&s.bus, "mbus.hello");
        /* A burst of the newcomer is answered once. */
        twin.seq = 500;
        for (unsigned i = 0; i < 10; ++i)
                fake_hello(&s.bus, s.e, &twin);
        fake_expect_nothing(s.e);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.hello"), n + 1);
        /* It goes on: then it is not us who stay. */
        fake_run(&s.bus, 1000);
        fake_hello(&s.bus, s.e, &twin);
        fake_expect(s.e, EVENT_CONFLICT);
        fake_hello(&s.bus, s.e, &twin);
        fake_expect_nothing(s.e);
        scene_deinit(&s);

        scene_init(&s, NULL);
        entity_keep_address(s.me);
        for (unsigned i = 0; i < 3; ++i) {
                /* Each time after a long peace. */
                fake_run(&s.bus, 10001);
                fake_hello(&s.bus, s.e, &twin);
                fake_expect_nothing(s.e);
        }
        scene_deinit(&s);
}
END_TEST

START_TEST(test_newcomer_gives_a_given_address_up_and_its_tickets_with_it)
{
        struct fake_peer twin = { .address = ME, .socket = 3, .unique = true, .seq = 500 };
        struct scene s;
        uint64_t tickets[3];

        scene_init(&s, NULL);
        entity_keep_address(s.me);
        scene_meet(&s);
        for (unsigned i = 0; i < 2; ++i)
                ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, YOU, "x.y()", &tickets[i]),
                                 0);
        engine_set_patience(s.e, 1000 * MS);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, THEM, "x.y()", &tickets[2]), 0);
        fake_settle(&s.bus);
        fake_hello(&s.bus, s.e, &twin);
        fake_expect(s.e, EVENT_CONFLICT);
        engine_fail_tickets(s.e, s.me, MBUS_REASON_TAKEN);
        fake_expect_ticket(s.e, tickets[2], MBUS_REASON_TAKEN);
        fake_expect_ticket(s.e, tickets[0], MBUS_REASON_TAKEN);
        fake_expect_ticket(s.e, tickets[1], MBUS_REASON_TAKEN);
        engine_withdraw_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me);
        fake_forget(&s.bus);
        fake_run(&s.bus, 2000);
        ck_assert_uint_eq(s.bus.n_log, 0);
        fake_hello(&s.bus, s.e, &twin);
        fake_skip(s.e);
        ck_assert_uint_eq(engine_n_entities(s.e), 0);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_given_address_is_defended_by_who_has_had_it,
                test_newcomer_gives_a_given_address_up_and_its_tickets_with_it,
                test_who_says_bye_is_dropped_at_once,
                test_bye_makes_nobody_known,
                test_bye_to_others_is_not_obeyed,
                test_late_messages_do_not_bring_back_who_left,
                test_new_life_after_bye_is_known_at_once,
                test_tombstone_ends_after_ten_seconds,
                test_who_was_silent_for_too_long_is_met_again,
                test_restart_of_a_peer_is_told_and_loses_nothing,
                test_entity_that_leaves_says_bye_to_all,
                test_our_own_datagrams_are_no_news,
                test_echo_of_our_datagrams_is_no_conflict,
                test_our_address_from_somebody_else_is_a_conflict_told_once,
                test_our_address_from_somebody_else_is_a_conflict_from_the_first_millisecond_on,
                test_who_takes_each_address_of_ours_makes_us_rename_ever_more_seldom,
                test_address_in_use_is_taken,
                test_peers_that_come_and_go_do_not_fill_the_memory,
        };

        return run_tests("engine-identity", tests, N(tests));
}
