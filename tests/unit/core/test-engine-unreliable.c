/*
 * test-engine-unreliable.c - unreliable messages: whom they reach, how they go, and who looks on (RFC
 * 3259, sections 3, 4, 6 and 6.2).
 */
#include "core/engine-state.h"
#include "core/engine.h"
#include "fake-scene.h"
#include "run.h"

/* ADR-06 ADR-07 TRN-01 TRN-03 */
START_TEST(test_message_reaches_all_that_it_is_addressed_to_and_nobody_else)
{
        static const char *const addresses[] = {
                "(conf:test media:audio module:engine app:rat id:4711-0@127.0.0.1)",
                "(conf:test media:audio module:ui app:rat id:4712-0@127.0.0.1)",
                "(conf:test media:video module:engine app:vic id:4713-0@127.0.0.1)",
        };
        /* Bit i stands for addresses[i]; the first one sends. */
        static const struct {
                const char *dest;
                unsigned reached;
        } cases[] = {
                { "()", 6 },
                { "(conf:test)", 6 },
                { "(media:audio)", 2 },
                { "(app:vic)", 4 },
                { "(module:engine)", 4 },
                { "(id:4713-0@127.0.0.1)", 4 },
                { "(conf:test media:video module:engine app:vic id:4713-0@127.0.0.1)", 4 },
                { "(conf:test media:video module:engine app:vic id:4713-0@127.0.0.1 x:y)", 0 },
                { "(media:Audio)", 0 },
                { "(app:nobody)", 0 },
        };
        struct fake_bus bus;
        struct engine *e[3];
        struct entity *sender = NULL;

        fake_bus_init(&bus);
        for (size_t i = 0; i < 3; ++i) {
                struct entity *entity;

                e[i] = fake_add(&bus, NULL);
                entity = fake_entity(&bus, e[i], addresses[i]);
                sender = i ? sender : entity;
        }
        fake_run(&bus, 1000);
        for (size_t k = 0; k < N(cases); ++k) {
                for (size_t i = 0; i < 3; ++i)
                        fake_skip(e[i]);
                fake_forget(&bus);
                ck_assert_int_eq(fake_send(&bus, e[0], sender, cases[k].dest, "x.y(1)"), 0);
                fake_settle(&bus);
                for (size_t i = 0; i < 3; ++i) {
                        if (cases[k].reached >> i & 1)
                                fake_expect_message(e[i], "x.y(1)");
                        fake_expect_nothing(e[i]);
                }
                ck_assert_uint_eq(fake_count(&bus, "x.y"), 1);
                ck_assert_uint_eq(fake_find(&bus, "x.y", 0)->to.n, 0);
                ck_assert_str_eq(fake_find(&bus, "x.y", 0)->message->dest, cases[k].dest);
        }
        fake_bus_deinit(&bus);
}
END_TEST

/* TRN-11 */
START_TEST(test_one_event_names_all_local_entities_that_match)
{
        struct entity *ui, *engine;
        struct scene s;
        struct event event;

        scene_init(&s, NULL);
        ui = fake_entity(&s.bus, s.e, "(app:a module:ui id:2-0@::1)");
        engine = fake_entity(&s.bus, s.e, "(app:a module:engine id:3-0@::1)");
        s.you.address = "(app:you id:9-0@::1)";
        scene_meet(&s);
        scene_says(&s, "x.y(1)");
        event = fake_event(s.e, EVENT_MESSAGE);
        ck_assert_uint_eq(event.n_recipients, 3);
        event_deinit(&event);
        fake_say(&s.bus, s.e, &s.you, 'U', "(app:a)", "()", "x.y(2)");
        event = fake_event(s.e, EVENT_MESSAGE);
        ck_assert_uint_eq(event.n_recipients, 2);
        ck_assert(event.recipients[0] != event.recipients[1]);
        ck_assert(event.recipients[0] == ui || event.recipients[0] == engine);
        ck_assert(event.recipients[1] == ui || event.recipients[1] == engine);
        event_deinit(&event);
        fake_say(&s.bus, s.e, &s.you, 'U', "(module:ui)", "()", "x.y(3)");
        event = fake_event(s.e, EVENT_MESSAGE);
        ck_assert_uint_eq(event.n_recipients, 1);
        ck_assert_ptr_eq(event.recipients[0], ui);
        event_deinit(&event);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

/* TRN-11 TRN-03: and the bus has it, too. */
START_TEST(test_local_entities_hear_each_other_but_not_themselves)
{
        struct entity *them;
        struct scene s;
        struct event event;

        scene_init(&s, NULL);
        them = fake_entity(&s.bus, s.e, THEM);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "x.y(1)"), 0);
        event = fake_event(s.e, EVENT_MESSAGE);
        ck_assert_uint_eq(event.n_recipients, 1);
        ck_assert_ptr_eq(event.recipients[0], them);
        ck_assert_str_eq(event.message->src, ME);
        event_deinit(&event);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, ME, "x.y(2)"), 0);
        fake_expect_nothing(s.e);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 2);
        scene_deinit(&s);
}
END_TEST

/* ADR-06 MSG-08: an old peer may have an address that others have more of. */
START_TEST(test_address_of_an_old_peer_reaches_all_that_match_it)
{
        struct engine_options options = { .send_unicast = true };
        struct fake_peer old = { .address = "(app:you)", .socket = 5, .unique = true };
        struct scene s;

        scene_init(&s, &options);
        scene_meet(&s);
        fake_entity(&s.bus, s.e, "(app:you id:8-0@127.0.0.1)");
        fake_hello(&s.bus, s.e, &old);
        fake_skip(s.e);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "(app:you)", "x.y(1)"), 0);
        fake_expect_message(s.e, "x.y(1)");
        fake_settle(&s.bus);
        /* TRN-02: it is the full address of one, but not for one alone. */
        ck_assert_uint_eq(fake_find(&s.bus, "x.y", 0)->to.n, 0);
        scene_deinit(&s);
}
END_TEST

/* MSG-02 MSG-03 */
START_TEST(test_every_message_takes_the_next_number_of_its_entity)
{
        struct entity *them;
        struct scene s;
        uint64_t ticket;
        uint32_t next[2] = { 0, 0 };

        scene_init(&s, NULL);
        them = fake_entity(&s.bus, s.e, THEM);
        scene_meet(&s);
        for (unsigned i = 0; i < 50; ++i) {
                fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y(1)");
                ck_assert_int_eq(fake_send(&s.bus, s.e, i % 3 ? s.me : them, "()", "a.b()"), 0);
                ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "(app:none)", "a.b()"), 0);
                ck_assert_int_eq(
                        fake_send_reliable(&s.bus, s.e, i % 2 ? s.me : them, YOU, "c.d()", &ticket),
                        0);
                fake_settle(&s.bus);
                fake_ack(&s.bus, s.e, &s.you, s.bus.log + s.bus.n_log - 1);
                fake_run(&s.bus, 90);
        }
        for (size_t i = 0; i < s.bus.n_log; ++i) {
                const struct message *m = s.bus.log[i].message;
                uint32_t *seq = next + (strcmp(m->src, ME) == 0);

                /* A repetition has the number that it had. */
                if (m->header.seq < *seq && m->header.reliable)
                        continue;
                ck_assert_uint_eq(m->header.seq, (*seq)++);
        }
        ck_assert(next[0] > 40 && next[1] > 100);
        scene_deinit(&s);
}
END_TEST

/* MSG-06 */
START_TEST(test_time_stamp_is_that_of_the_wall_clock)
{
        struct scene s;

        scene_init(&s, NULL);
        fake_run(&s.bus, 12345);
        fake_forget(&s.bus);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "x.y()"), 0);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_find(&s.bus, "x.y", 0)->message->header.timestamp,
                          FAKE_WALL + 1000 + 12345);
        scene_deinit(&s);
}
END_TEST

static uint64_t stamp_at(struct scene *s, uint64_t wall_ms)
{
        struct address all = ADDRESS_ALL;

        fake_forget(&s->bus);
        ck_assert_int_eq(engine_send(s->e, s->bus.now, wall_ms, s->me, &all, span_of("x.y()")), 0);
        fake_settle(&s->bus);
        return fake_find(&s->bus, "x.y", 0)->message->header.timestamp;
}

/* Of two messages of which the second overtakes the first, the source would look as if it had started
 * again. */
START_TEST(test_time_stamps_do_not_fall_unless_the_clock_was_set_back)
{
        struct scene s;
        uint64_t wall;

        scene_init(&s, NULL);
        wall = fake_wall(&s.bus) + 100000;
        ck_assert_uint_eq(stamp_at(&s, wall), wall);
        ck_assert_uint_eq(stamp_at(&s, wall - 3), wall);
        ck_assert_uint_eq(stamp_at(&s, wall - TOMBSTONE_MS + 1), wall);
        ck_assert_uint_eq(stamp_at(&s, wall + 1), wall + 1);
        ck_assert_uint_eq(stamp_at(&s, wall - TOMBSTONE_MS), wall - TOMBSTONE_MS);
        scene_deinit(&s);
}
END_TEST

/* TRN-01 TRN-02 TRN-03 */
START_TEST(test_directed_unicast_goes_to_a_full_address_on_a_port_of_its_own)
{
        static const struct {
                const char *dest;
                bool wanted, unique, unicast;
        } cases[] = {
                { YOU, true, true, true },
                { "(id:2-0@127.0.0.1 app:you)", true, true, true },
                { YOU, false, true, false },
                { YOU, true, false, false },
                { "(app:you)", true, true, false },
                { "()", true, true, false },
                { THEM, true, true, false },
        };

        for (size_t i = 0; i < N(cases); ++i) {
                struct engine_options options = { .send_unicast = cases[i].wanted };
                const struct fake_datagram *dg;
                struct scene s;

                scene_init(&s, &options);
                s.you.unique = cases[i].unique;
                scene_meet(&s);
                ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, cases[i].dest, "x.y()"), 0);
                fake_settle(&s.bus);
                dg = fake_find(&s.bus, "x.y", 0);
                ck_assert_int_eq(dg->to.n != 0, cases[i].unicast);
                if (cases[i].unicast)
                        ck_assert_uint_eq(dg->to.bytes[1], s.you.socket);
                ck_assert_str_eq(dg->message->dest, cases[i].dest);
                scene_deinit(&s);
        }
}
END_TEST

/* TRN-02 REL-05: repetitions and acknowledgements go the same way, hellos to all. */
START_TEST(test_reliable_messages_and_acknowledgements_go_by_unicast_where_it_is_wanted)
{
        struct engine_options options = { .send_unicast = true };
        struct scene s;
        uint64_t ticket;

        scene_init(&s, &options);
        scene_meet(&s);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, "(app:you)", "x.y()", &ticket), 0);
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "a.b()");
        fake_run(&s.bus, 1000);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 3);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 1);
        for (size_t i = 0; i < s.bus.n_log; ++i) {
                const struct fake_datagram *dg = s.bus.log + i;

                ck_assert_int_eq(dg->to.n != 0, dg->message->header.dest.n != 0);
        }
        scene_deinit(&s);
}
END_TEST

/* TRN-04 */
START_TEST(test_message_that_fits_no_datagram_is_refused_and_takes_no_number)
{
        struct address all = ADDRESS_ALL, you = fake_address(YOU);
        char *text = malloc(DATAGRAM_BUFFER_SIZE);
        struct span payload = { text, DATAGRAM_MAX - 50 };
        struct scene s;
        uint64_t ticket;

        ck_assert_ptr_nonnull(text);
        memset(text, 'a', DATAGRAM_BUFFER_SIZE);
        memcpy(text, "x.y(", 4);
        text[payload.n - 1] = ')';
        scene_init(&s, NULL);
        scene_meet(&s);
        ck_assert_int_eq(engine_send(s.e, s.bus.now, fake_wall(&s.bus), s.me, &all, payload),
                         MBUS_E_TOO_LARGE);
        ck_assert_int_eq(engine_send_reliable(s.e, s.bus.now, fake_wall(&s.bus), s.me, &you,
                                              payload, &ticket),
                         MBUS_E_TOO_LARGE);
        ck_assert_uint_eq(engine_n_datagrams(s.e), 0);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "x.y()"), 0);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_find(&s.bus, "x.y", 0)->message->header.seq, 0);
        fake_run(&s.bus, 1000);
        fake_expect_nothing(s.e);
        free(text);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_full_queue_to_the_socket_is_told)
{
        struct address all = ADDRESS_ALL;
        char *text = malloc(60000);
        struct scene s;
        unsigned n = 0;
        int r;

        ck_assert_ptr_nonnull(text);
        memset(text, 'a', 60000);
        memcpy(text, "x.y(", 4);
        text[59999] = ')';
        scene_init(&s, NULL);
        do {
                r = engine_send(s.e, s.bus.now, fake_wall(&s.bus), s.me, &all,
                                (struct span){ text, 60000 });
                ck_assert_uint_lt(++n, 1000);
        } while (r == 0);
        ck_assert_int_eq(r, MBUS_E_FULL);
        ck_assert_uint_eq(s.me->seq, n - 1);
        fake_settle(&s.bus);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "x.y()"), 0);
        free(text);
        scene_deinit(&s);
}
END_TEST

/* ADR-10 */
START_TEST(test_addresses_are_resolved_among_ours_and_others)
{
        const struct address *address = NULL;
        struct entity *entity = NULL, *found[4];
        struct address all = ADDRESS_ALL, me = fake_address("(app:me)");
        struct address you = fake_address("(app:you)"), none = fake_address("(app:x)");
        struct scene s;

        scene_init(&s, NULL);
        ck_assert_uint_eq(engine_resolve(s.e, &all, &entity, &address), 1);
        ck_assert_ptr_eq(entity, s.me);
        scene_meet(&s);
        ck_assert_uint_eq(engine_resolve(s.e, &you, &entity, &address), 1);
        ck_assert_ptr_null(entity);
        ck_assert(span_equal_text(address->text, YOU));
        ck_assert_uint_eq(engine_resolve(s.e, &me, &entity, &address), 1);
        ck_assert_ptr_eq(entity, s.me);
        ck_assert_uint_eq(engine_resolve(s.e, &none, &entity, &address), 0);
        ck_assert_uint_eq(engine_resolve(s.e, &all, &entity, &address), 2);
        fake_entity(&s.bus, s.e, THEM);
        ck_assert_uint_eq(engine_match(s.e, &all, found, 4), 2);
        ck_assert_uint_eq(engine_match(s.e, &you, found, 4), 0);
        ck_assert_uint_eq(engine_match(s.e, &all, found, 1), 2);
        scene_deinit(&s);
}
END_TEST

/* ---- observers ---- */

static void expect_observed(struct scene *s, const char *src, const char *payload)
{
        struct event event = fake_event(s->e, EVENT_OBSERVED);
        const struct message *m = event.message;

        ck_assert_str_eq(m->src, src);
        ck_assert(span_equal_text(span_from(m->text, m->header.payload), payload));
        event_deinit(&event);
}

START_TEST(test_observer_sees_all_that_passes_but_hellos)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        engine_observe(s.e, true, false);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "(app:x)", "x.y(1)"), 0);
        expect_observed(&s, ME, "x.y(1)");
        fake_say(&s.bus, s.e, &s.you, 'U', THEM, "()", "x.y(2)");
        expect_observed(&s, YOU, "x.y(2)");
        fake_say(&s.bus, s.e, &s.you, 'R', "(app:x id:1-0@::1)", "()", "x.y(3)");
        expect_observed(&s, YOU, "x.y(3)");
        fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "x.y(4)");
        expect_observed(&s, YOU, "x.y(4)");
        fake_expect_message(s.e, "x.y(4)");
        /* Not again when it is received again, nor what is no news. */
        --s.you.seq;
        fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "x.y(4)");
        scene_says(&s, "mbus.hello()");
        fake_say(&s.bus, s.e, &s.you, 'U', THEM, "(1)", "");
        fake_run(&s.bus, 2000);
        fake_expect_nothing(s.e);
        scene_says(&s, "mbus.bye()");
        expect_observed(&s, YOU, "mbus.bye()");
        fake_expect_left(s.e, YOU, MBUS_REASON_BYE);
        engine_observe(s.e, false, false);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "(app:x)", "x.y(5)"), 0);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_observer_may_see_hellos_and_acknowledgements_too)
{
        struct scene s;

        scene_init(&s, NULL);
        engine_observe(s.e, true, true);
        scene_says(&s, "mbus.hello()");
        fake_expect(s.e, EVENT_JOINED);
        expect_observed(&s, YOU, "mbus.hello()");
        fake_say(&s.bus, s.e, &s.you, 'U', THEM, "(1 2)", "");
        expect_observed(&s, YOU, "");
        fake_run(&s.bus, 1000);
        expect_observed(&s, ME, "mbus.hello()");
        scene_deinit(&s);
}
END_TEST

/* An engine without an entity only listens. */
START_TEST(test_engine_without_entity_learns_and_says_nothing)
{
        struct fake_bus bus;
        struct engine *e;
        struct fake_peer peer = { .address = YOU, .socket = 1 };

        fake_bus_init(&bus);
        e = fake_add(&bus, NULL);
        engine_observe(e, true, false);
        ck_assert_uint_eq(engine_deadline(e), TIME_NEVER);
        fake_hello(&bus, e, &peer);
        fake_expect(e, EVENT_JOINED);
        fake_say(&bus, e, &peer, 'U', THEM, "()", "x.y(1)");
        fake_expect(e, EVENT_OBSERVED);
        fake_say(&bus, e, &peer, 'U', "()", "()", "mbus.bye()");
        fake_expect(e, EVENT_OBSERVED);
        fake_expect_left(e, YOU, MBUS_REASON_BYE);
        fake_run(&bus, 10000);
        ck_assert_uint_eq(bus.n_log, 0);
        fake_bus_deinit(&bus);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_message_reaches_all_that_it_is_addressed_to_and_nobody_else,
                test_one_event_names_all_local_entities_that_match,
                test_local_entities_hear_each_other_but_not_themselves,
                test_address_of_an_old_peer_reaches_all_that_match_it,
                test_every_message_takes_the_next_number_of_its_entity,
                test_time_stamp_is_that_of_the_wall_clock,
                test_time_stamps_do_not_fall_unless_the_clock_was_set_back,
                test_directed_unicast_goes_to_a_full_address_on_a_port_of_its_own,
                test_reliable_messages_and_acknowledgements_go_by_unicast_where_it_is_wanted,
                test_message_that_fits_no_datagram_is_refused_and_takes_no_number,
                test_full_queue_to_the_socket_is_told,
                test_addresses_are_resolved_among_ours_and_others,
                test_observer_sees_all_that_passes_but_hellos,
                test_observer_may_see_hellos_and_acknowledgements_too,
                test_engine_without_entity_learns_and_says_nothing,
        };

        return run_tests("engine-unreliable", tests, N(tests));
}
