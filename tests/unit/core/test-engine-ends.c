/*
 * test-engine-ends.c - both ends of the reliable exchange in engines: over a lossy wire, around the wrap
 * of SeqNums, within one engine, and with an owner that routes and acknowledges (RFC 3259, sections 3
 * and 7).
 */
#include "core/engine-state.h"
#include "core/engine.h"
#include "fake-scene.h"
#include "run.h"
#include "seed.h"

/* Two engines with an entity each, which know each other. */
struct pair {
        struct fake_bus bus;
        struct engine *e[2];
        struct entity *entities[2];
};

static void pair_init(struct pair *p, const struct engine_options *options, uint32_t seq)
{
        fake_bus_init(&p->bus);
        for (size_t i = 0; i < 2; ++i) {
                p->e[i] = fake_add(&p->bus, options);
                p->entities[i] = fake_entity(&p->bus, p->e[i], i ? YOU : ME);
                p->entities[i]->seq = seq;
        }
        fake_run(&p->bus, 1000);
        for (size_t i = 0; i < 2; ++i)
                fake_expect(p->e[i], EVENT_JOINED);
        fake_forget(&p->bus);
}

static uint64_t pair_send(struct pair *p, const char *payload)
{
        uint64_t ticket = 0;

        ck_assert_int_eq(
                fake_send_reliable(&p->bus, p->e[0], p->entities[0], "(app:you)", payload, &ticket),
                0);
        return ticket;
}

static uint64_t send_to(struct scene *s, const char *dest, const char *payload)
{
        uint64_t ticket = 0;

        ck_assert_int_eq(fake_send_reliable(&s->bus, s->e, s->me, dest, payload, &ticket), 0);
        return ticket;
}

/* REL-03 REL-07 REL-09 */
START_TEST(test_message_arrives_and_its_sender_learns_it_at_once)
{
        struct pair p;
        uint64_t ticket;

        pair_init(&p, NULL, 0);
        ticket = pair_send(&p, "x.y(1)");
        fake_settle(&p.bus);
        fake_expect_message(p.e[1], "x.y(1)");
        fake_expect_ticket(p.e[0], ticket, MBUS_REASON_NONE);
        ck_assert_uint_eq(p.bus.n_log, 2);
        fake_bus_deinit(&p.bus);
}
END_TEST

/* REL-05 REL-11: what gets lost, the message or its acknowledgement, is made good. */
START_TEST(test_losses_on_either_way_are_made_good)
{
        for (size_t i = 0; i < 4; ++i) {
                struct pair p;
                uint64_t ticket;

                pair_init(&p, NULL, 0);
                p.bus.muted[i % 2] = true;
                ticket = pair_send(&p, "x.y(1)");
                fake_run(&p.bus, i < 2 ? 50 : 250);
                p.bus.muted[i % 2] = false;
                fake_run(&p.bus, 100);
                fake_expect_ticket(p.e[0], ticket, MBUS_REASON_NONE);
                fake_expect_message(p.e[1], "x.y(1)");
                fake_expect_nothing(p.e[1]);
                fake_bus_deinit(&p.bus);
        }
}
END_TEST

/* MSG-04 MSG-03 */
START_TEST(test_numbers_wrap_in_their_stride)
{
        struct pair p;

        pair_init(&p, NULL, UINT32_MAX - 3);
        for (unsigned i = 0; i < 10; ++i) {
                uint64_t ticket = pair_send(&p, "x.y(1)");

                fake_settle(&p.bus);
                fake_expect_message(p.e[1], "x.y(1)");
                fake_expect_ticket(p.e[0], ticket, MBUS_REASON_NONE);
        }
        ck_assert_uint_eq(fake_find(&p.bus, "x.y", 9)->message->header.seq -
                                  fake_find(&p.bus, "x.y", 0)->message->header.seq,
                          9);
        ck_assert_uint_lt(fake_find(&p.bus, "x.y", 9)->message->header.seq, 10);
        ck_assert_uint_eq(fake_dropped(p.e[0]) + fake_dropped(p.e[1]), 0);
        fake_bus_deinit(&p.bus);
}
END_TEST

/* REL-05 REL-08 REL-11: each ticket ends once, nothing is delivered twice or lost without a word. */
START_TEST(test_every_ticket_ends_once_over_a_bad_wire)
{
        struct random r = seeded("wire");
        unsigned delivered = 0, failed = 0, received = 0;
        struct event event;
        struct pair p;

        pair_init(&p, NULL, UINT32_MAX - 50);
        for (unsigned i = 0; i < 3000; ++i) {
                if (i < 2500 && random_below(&r, 5) == 0)
                        pair_send(&p, "x.y(1)");
                for (size_t k = 0; k < 2; ++k)
                        p.bus.muted[k] = random_below(&r, 2) == 0;
                fake_run(&p.bus, random_below(&r, 60));
                while (engine_pop_event(p.e[0], &event)) {
                        delivered += event.type == EVENT_DELIVERED;
                        failed += event.type == EVENT_FAILED;
                        event_deinit(&event);
                }
                while (engine_pop_event(p.e[1], &event)) {
                        received += event.type == EVENT_MESSAGE;
                        event_deinit(&event);
                }
        }
        /* Whose last acknowledgement was lost failed, though it was received. */
        ck_assert_uint_eq(delivered + failed, p.e[0]->next_ticket - 1);
        ck_assert_uint_ge(received, delivered);
        ck_assert_uint_le(received, delivered + failed);
        ck_assert(delivered > 100 && failed > 20);
        fake_bus_deinit(&p.bus);
}
END_TEST

/* Sends a command of @n octets. */
static int send_large(struct scene *s, size_t n)
{
        static char payload[DATAGRAM_MAX + 1];

        memset(payload, 'a', n);
        memcpy(payload, "x.y(", 4);
        payload[n - 1] = ')';
        payload[n] = 0;
        return fake_send(&s->bus, s->e, s->me, YOU, payload);
}

/* REL-10 TRN-04: what fits, fits whether or not we owe acknowledgements. */
START_TEST(test_acknowledgements_do_not_make_a_message_too_large)
{
        struct scene s;
        size_t n = DATAGRAM_MAX - 200;

        scene_init(&s, NULL);
        s.me->seq = 1000;
        scene_meet(&s);
        while (send_large(&s, n + 1) == 0)
                ++n;
        ck_assert_uint_gt(n, DATAGRAM_MAX - 200);
        ck_assert_int_eq(send_large(&s, n + 1), MBUS_E_TOO_LARGE);
        fake_settle(&s.bus);
        fake_forget(&s.bus);
        for (unsigned i = 0; i < 50; ++i)
                fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y(1)");
        ck_assert_int_eq(send_large(&s, n), 0);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_find(&s.bus, "x.y", 0)->bytes.n, DATAGRAM_MAX);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 1);
        scene_deinit(&s);
}
END_TEST

/* REL-01: we count among those who match, and a message of ours to ours needs no wire. */
START_TEST(test_message_to_an_entity_of_the_same_engine_is_delivered_here)
{
        struct scene s;
        struct entity *other;
        struct event event;
        uint64_t ticket, next;

        scene_init(&s, NULL);
        other = fake_entity(&s.bus, s.e, THEM);
        ticket = send_to(&s, "(app:them)", "x.y(1)");
        event = fake_event(s.e, EVENT_MESSAGE);
        ck_assert_uint_eq(event.n_recipients, 1);
        ck_assert_ptr_eq(event.recipients[0], other);
        ck_assert_str_eq(event.message->dest, THEM);
        event_deinit(&event);
        fake_expect_ticket(s.e, ticket, MBUS_REASON_NONE);
        next = send_to(&s, ME, "x.y(2)");
        fake_expect_message(s.e, "x.y(2)");
        fake_expect_ticket(s.e, next, MBUS_REASON_NONE);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 0);
        scene_deinit(&s);
}
END_TEST

/* ---- an owner that does it itself ---- */

START_TEST(test_owner_that_routes_gets_no_message_between_its_own)
{
        struct engine_options options = { .owner_routes = true };
        struct entity *them;
        struct scene s;

        scene_init(&s, &options);
        them = fake_entity(&s.bus, s.e, THEM);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, "()", "x.y(1)"), 0);
        ck_assert_int_eq(fake_send(&s.bus, s.e, s.me, THEM, "x.y(2)"), 0);
        fake_expect_nothing(s.e);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "x.y"), 2);
        /* What comes from the bus names all that it is for. */
        fake_hello(&s.bus, s.e, &s.you);
        fake_expect(s.e, EVENT_JOINED);
        fake_say(&s.bus, s.e, &s.you, 'U', "()", "()", "x.y(3)");
        fake_expect_message(s.e, "x.y(3)");
        ck_assert_ptr_nonnull(them);
        scene_deinit(&s);
}
END_TEST

/* REL-03 REL-11: never before it has really arrived, and then every time. */
START_TEST(test_owner_that_acknowledges_is_waited_for)
{
        struct engine_options options = { .owner_routes = true, .owner_acknowledges = true };
        struct address source = fake_address(YOU), stranger = fake_address(THEM);
        struct scene s;
        uint32_t seq;

        scene_init(&s, &options);
        scene_meet(&s);
        fake_forget(&s.bus);
        seq = s.you.seq;
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y(1)");
        fake_expect_message(s.e, "x.y(1)");
        for (unsigned i = 0; i < 3; ++i) {
                fake_run(&s.bus, 1);
                fake_inject(&s.bus, s.e, &s.you,
                            "mbus/1.0 1 1006271405000 R " YOU " " ME " ()\r\nx.y(1)");
        }
        fake_expect_nothing(s.e);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 0);
        /* What is not waited for changes nothing. */
        engine_acknowledge(s.e, s.bus.now, s.me, &source, seq + 1);
        engine_acknowledge(s.e, s.bus.now, s.me, &stranger, seq);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 0);
        for (unsigned i = 0; i < 2; ++i)
                engine_acknowledge(s.e, s.bus.now, s.me, &source, seq);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 1);
        ck_assert(span_equal_text(fake_find(&s.bus, "", 0)->message->header.acks, "(1)"));
        fake_inject(&s.bus, s.e, &s.you, "mbus/1.0 1 1006271405000 R " YOU " " ME " ()\r\nx.y(1)");
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, ""), 2);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

/* REL-03: there is nothing in it that the owner could get. */
START_TEST(test_reliable_message_without_commands_for_the_owner_is_acknowledged_here)
{
        static const char *const payloads[] = { "", "mbus.hello()", "mbus.ping()" };
        struct engine_options options = { .owner_routes = true, .owner_acknowledges = true };
        struct scene s;

        scene_init(&s, &options);
        scene_meet(&s);
        for (size_t i = 0; i < N(payloads); ++i) {
                fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", payloads[i]);
                fake_settle(&s.bus);
                ck_assert_uint_eq(fake_count(&s.bus, ""), i + 1);
        }
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

/* The owner is as slow as it likes; what it leaves lying is bounded, and refused beyond. */
START_TEST(test_messages_that_the_owner_leaves_lying_are_bounded)
{
        struct engine_options options = { .owner_routes = true, .owner_acknowledges = true };
        struct address source = fake_address(YOU);
        struct scene s;

        scene_init(&s, &options);
        scene_meet(&s);
        for (unsigned i = 0; i <= WITHHELD_MAX; ++i)
                fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y(1)");
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_EVENTS), 1);
        for (unsigned i = 0; i < WITHHELD_MAX; ++i)
                fake_expect_message(s.e, "x.y(1)");
        fake_expect_nothing(s.e);
        engine_acknowledge(s.e, s.bus.now, s.me, &source, 1);
        --s.you.seq;
        fake_say(&s.bus, s.e, &s.you, 'R', ME, "()", "x.y(1)");
        fake_expect_message(s.e, "x.y(1)");
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_message_arrives_and_its_sender_learns_it_at_once,
                test_losses_on_either_way_are_made_good,
                test_numbers_wrap_in_their_stride,
                test_every_ticket_ends_once_over_a_bad_wire,
                test_acknowledgements_do_not_make_a_message_too_large,
                test_message_to_an_entity_of_the_same_engine_is_delivered_here,
                test_owner_that_routes_gets_no_message_between_its_own,
                test_owner_that_acknowledges_is_waited_for,
                test_reliable_message_without_commands_for_the_owner_is_acknowledged_here,
                test_messages_that_the_owner_leaves_lying_are_bounded,
        };

        return run_tests("engine-ends", tests, N(tests));
}
