/*
 * test-engine-owner.c - what only an owner like the broker asks of an engine: to carry messages to
 * other buses, to refuse what it lost, and to give way to another bearer of an address.
 */
#include "fake-scene.h"
#include "run.h"

static const struct engine_options relaying = { .owner_routes = true,
                                                .owner_acknowledges = true,
                                                .owner_relays = true };

/* A message to @dest with @n recipients comes out. */
static void expect_for(struct engine *e, size_t n, const char *payload)
{
        struct event event = fake_event(e, EVENT_MESSAGE);
        struct span text = span_from(event.message->text, event.message->header.payload);

        ck_assert_uint_eq(event.n_recipients, n);
        ck_assert_msg(span_equal_text(text, payload), "%.*s", (int)text.n, text.at);
        event_deinit(&event);
}

START_TEST(test_relaying_owner_gets_what_is_for_nobody_here)
{
        struct scene s;

        scene_init(&s, &relaying);
        scene_meet(&s);
        fake_say(&s.bus, s.e, &s.you, 'U', "(app:nobody)", "()", "x.y()");
        expect_for(s.e, 0, "x.y()");
        fake_say(&s.bus, s.e, &s.you, 'U', "(app:me)", "()", "x.z()");
        expect_for(s.e, 1, "x.z()");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_relaying_owner_gets_no_hellos_and_nothing_reliable_for_others)
{
        struct scene s;

        scene_init(&s, &relaying);
        scene_meet(&s);
        fake_say(&s.bus, s.e, &s.you, 'U', "()", "()", "mbus.hello()");
        fake_say(&s.bus, s.e, &s.you, 'U', "(app:nobody)", "()", "mbus.ping()");
        fake_say(&s.bus, s.e, &s.you, 'R', "(app:nobody id:9-9@::1)", "()", "x.y()");
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

/* ADR-06 AWR-07 */
START_TEST(test_bye_to_others_is_not_obeyed_by_who_relays_it)
{
        struct scene s;

        scene_init(&s, &relaying);
        scene_meet(&s);
        fake_say(&s.bus, s.e, &s.you, 'U', "(app:nobody)", "()", "mbus.bye()");
        ck_assert_uint_eq(engine_n_peers(s.e), 1);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_refused_message_is_new_when_it_comes_again)
{
        struct address you = fake_address(YOU);
        struct scene s;

        scene_init(&s, &relaying);
        scene_meet(&s);
        s.you.seq = 7;
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y()");
        expect_for(s.e, 1, "x.y()");
        s.you.seq = 7;
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y()");
        fake_expect_nothing(s.e);
        engine_refuse(s.e, s.me, &you, 7);
        s.you.seq = 7;
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y()");
        expect_for(s.e, 1, "x.y()");
        engine_acknowledge(s.e, s.bus.now, s.me, &you, 7);
        fake_forget(&s.bus);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 1);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_refusing_what_is_not_withheld_changes_nothing)
{
        struct address you = fake_address(YOU), nobody = fake_address("(app:nobody)");
        struct scene s;

        scene_init(&s, &relaying);
        scene_meet(&s);
        s.you.seq = 7;
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y()");
        expect_for(s.e, 1, "x.y()");
        engine_acknowledge(s.e, s.bus.now, s.me, &you, 7);
        engine_refuse(s.e, s.me, &you, 7);
        engine_refuse(s.e, s.me, &nobody, 7);
        s.you.seq = 7;
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y()");
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_entity_that_is_withdrawn_says_no_bye)
{
        struct scene s;

        scene_init(&s, &relaying);
        fake_run(&s.bus, 2000);
        fake_forget(&s.bus);
        engine_withdraw_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me);
        fake_run(&s.bus, 5000);
        ck_assert_uint_eq(s.bus.n_log, 0);
        ck_assert_uint_eq(engine_n_entities(s.e), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_announced_entity_says_hello_at_once_and_the_next_one_in_its_time)
{
        struct scene s;

        scene_init(&s, &relaying);
        engine_announce_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.hello"), 1);
        fake_run(&s.bus, 899);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.hello"), 1);
        fake_run(&s.bus, 210);
        ck_assert_uint_eq(fake_count(&s.bus, "mbus.hello"), 2);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_conflict_is_told_again_after_an_announcement)
{
        struct fake_peer other = { .address = ME, .seq = 500, .socket = 9 };
        struct scene s;

        scene_init(&s, &relaying);
        fake_run(&s.bus, 2000);
        fake_hello(&s.bus, s.e, &other);
        fake_expect(s.e, EVENT_CONFLICT);
        fake_hello(&s.bus, s.e, &other);
        fake_expect_nothing(s.e);
        engine_announce_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me);
        fake_hello(&s.bus, s.e, &other);
        fake_expect(s.e, EVENT_CONFLICT);
        scene_deinit(&s);
}
END_TEST

/* What others of the engine have under way stays. */
START_TEST(test_entity_that_leaves_takes_its_acknowledgements_and_tickets_along)
{
        struct entity *other;
        uint64_t ticket;
        struct scene s;

        scene_init(&s, &relaying);
        scene_meet(&s);
        other = fake_entity(&s.bus, s.e, "(app:other id:1-2@::1)");
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y()");
        expect_for(s.e, 1, "x.y()");
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, YOU, "a.b()", &ticket), 0);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, other, YOU, "c.d()", &ticket), 0);
        engine_remove_entity(s.e, s.bus.now, fake_wall(&s.bus), s.me);
        fake_run(&s.bus, 1000);
        fake_expect_ticket(s.e, ticket, MBUS_REASON_TIMEOUT);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_peer_is_known_by_its_whole_address_only)
{
        struct address you = fake_address(YOU), part = fake_address("(app:you)");
        struct scene s;

        scene_init(&s, &relaying);
        ck_assert(!engine_has_peer(s.e, &you));
        scene_meet(&s);
        ck_assert(engine_has_peer(s.e, &you));
        ck_assert(!engine_has_peer(s.e, &part));
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_relaying_owner_gets_what_is_for_nobody_here,
                test_relaying_owner_gets_no_hellos_and_nothing_reliable_for_others,
                test_bye_to_others_is_not_obeyed_by_who_relays_it,
                test_refused_message_is_new_when_it_comes_again,
                test_refusing_what_is_not_withheld_changes_nothing,
                test_entity_that_is_withdrawn_says_no_bye,
                test_announced_entity_says_hello_at_once_and_the_next_one_in_its_time,
                test_conflict_is_told_again_after_an_announcement,
                test_entity_that_leaves_takes_its_acknowledgements_and_tickets_along,
                test_peer_is_known_by_its_whole_address_only,
        };

        return run_tests("engine-owner", tests, N(tests));
}
