/*
 * test-engine-drops.c - what is wrong, forged, replayed or too much is counted for the right reason and
 * has no effect (RFC 3259, sections 3, 5, 7 and 11; spec/errata.md, 28, 51, 52 and 60).
 */
#include <stdio.h>

#include "core/engine-state.h"
#include "core/engine.h"
#include "core/seal.h"
#include "damage.h"
#include "fake-scene.h"
#include "run.h"
#include "seed.h"

#define FROM_YOU "mbus/1.0 0 1006271405000 U " YOU

static const struct endpoint somewhere = { .n = 2, .bytes = { 9, 9 } };

/* Gives @bytes as they are to the engine, from memory that ends where they end. */
static void give(struct scene *s, const char *bytes, size_t n)
{
        char *copy = copy_exactly(bytes, n);

        engine_receive(s->e, s->bus.now, fake_wall(&s->bus), &somewhere, (struct span){ copy, n });
        free(copy);
}

static struct buffer sealed(struct scene *s, struct span text)
{
        struct buffer out = BUFFER_INIT;

        seal_message(s->bus.crypto, DIALECT_RFC3259, text, &out);
        ck_assert(!out.failed);
        return out;
}

static void give_text(struct scene *s, const char *text)
{
        struct buffer out = sealed(s, span_of(text));

        give(s, out.at, out.n);
        buffer_deinit(&out);
}

/* Of all reasons, only @reason has been counted, @n times, and nothing else happened. */
static void check_only(struct scene *s, enum mbus_drop reason, uint64_t n)
{
        ck_assert_msg(engine_dropped(s->e, reason) == n, "%d: %llu, not %llu", (int)reason,
                      (unsigned long long)engine_dropped(s->e, reason), (unsigned long long)n);
        ck_assert_uint_eq(fake_dropped(s->e), n);
        fake_expect_nothing(s->e);
        ck_assert_uint_eq(engine_n_datagrams(s->e), 0);
}

static void check_text(const char *text, enum mbus_drop reason)
{
        struct scene s;

        scene_init(&s, NULL);
        give_text(&s, text);
        check_only(&s, reason, 1);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        scene_deinit(&s);
}

START_TEST(test_datagrams_that_cannot_hold_a_message_are_short)
{
        struct scene s;

        scene_init(&s, NULL);
        give(&s, "", 0);
        give(&s, "x", 1);
        give(&s, "WX6VeFYxFXhqBPtv", 16);
        give(&s, "WX6VeFYxFXhqBPtv\r\n", 18);
        check_only(&s, MBUS_DROP_SHORT, 4);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_datagrams_without_a_digest_have_no_format)
{
        static const char *const texts[] = {
                FROM_YOU " () ()\r\nmbus.hello()",
                "WX6VeFYxFXhqBPtv " FROM_YOU " () ()\r\nmbus.hello()",
                "WX6VeFYxFXhqBPtv\r" FROM_YOU " () ()\r\nmbus.hello()",
        };
        struct scene s;

        scene_init(&s, NULL);
        for (size_t i = 0; i < N(texts); ++i)
                give(&s, texts[i], strlen(texts[i]));
        check_only(&s, MBUS_DROP_FORMAT, N(texts));
        scene_deinit(&s);
}
END_TEST

/* SEC-01 SEC-09: a single bit anywhere is enough. */
START_TEST(test_changed_datagrams_have_a_wrong_digest_or_no_format)
{
        struct scene s;
        struct buffer out;

        scene_init(&s, NULL);
        out = sealed(&s, span_of(FROM_YOU " () ()\r\nmbus.hello()"));
        for (size_t i = 0; i < out.n; ++i) {
                for (unsigned bit = 0; bit < 8; ++bit) {
                        out.at[i] ^= (char)(1 << bit);
                        give(&s, out.at, out.n);
                        out.at[i] ^= (char)(1 << bit);
                }
        }
        for (size_t n = 20; n < out.n; ++n)
                give(&s, out.at, n);
        ck_assert_uint_ge(engine_dropped(s.e, MBUS_DROP_DIGEST), 8 * (out.n - 18));
        ck_assert_uint_eq(fake_dropped(s.e), 8 * out.n + out.n - 20);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        /* The right one is still as good as ever. */
        give(&s, out.at, out.n);
        fake_expect(s.e, EVENT_JOINED);
        buffer_deinit(&out);
        scene_deinit(&s);
}
END_TEST

/* SEC-01: another key is another bus. */
START_TEST(test_datagrams_of_another_bus_have_a_wrong_digest)
{
        struct config config = CONFIG_INIT;
        struct crypto *crypto = NULL;
        struct buffer out = BUFFER_INIT;
        struct scene s;

        config.hash_key.n = 20;
        ck_assert_int_eq(crypto_new(&config, &crypto), 0);
        scene_init(&s, NULL);
        seal_message(crypto, DIALECT_RFC3259, span_of(FROM_YOU " () ()\r\nmbus.hello()"), &out);
        give(&s, out.at, out.n);
        check_only(&s, MBUS_DROP_DIGEST, 1);
        buffer_deinit(&out);
        crypto_free(crypto);
        scene_deinit(&s);
}
END_TEST

/* MSG-01 SEC-06 */
START_TEST(test_other_protocols_and_versions_are_told_apart)
{
        check_text("MBUS/1.0 0 1006271405000 U " YOU " () ()\r\nmbus.hello()", MBUS_DROP_PROTOCOL);
        check_text("http/1.0 0 1006271405000 U " YOU " () ()\r\nmbus.hello()", MBUS_DROP_PROTOCOL);
        check_text("mbus/1.1 0 1006271405000 U " YOU " () ()\r\nmbus.hello()", MBUS_DROP_VERSION);
        check_text("mbus/2.0 0 1006271405000 U " YOU " () ()\r\nmbus.hello()", MBUS_DROP_VERSION);
        check_text("mbus/1.01 0 1006271405000 U " YOU " () ()\r\nmbus.hello()", MBUS_DROP_VERSION);
}
END_TEST

/* MSG-05 MSG-07 ADR-04 */
START_TEST(test_messages_that_break_the_grammar_are_malformed)
{
        static const char *const texts[] = {
                "mbus/1.0 x 1006271405000 U " YOU " () ()\r\nmbus.hello()",
                "mbus/1.0 4294967296 1006271405000 U " YOU " () ()\r\nmbus.hello()",
                "mbus/1.0 0 1006271405000 X " YOU " () ()\r\nmbus.hello()",
                "mbus/1.0 0 1006271405000 U (a:b a:c) () ()\r\nmbus.hello()",
                FROM_YOU " (app:me app:you) ()\r\nmbus.hello()",
                FROM_YOU " () (x)\r\nmbus.hello()",
                FROM_YOU " ()\r\nmbus.hello()",
                FROM_YOU " () () mbus.hello()",
                FROM_YOU " () ()\r\nmbus.hello(",
                FROM_YOU " () ()\r\nmbus.hello()mbus.hello()",
                FROM_YOU " " ME " ()\r\nx.y(\"\xff\")",
                FROM_YOU " " ME " ()\r\n1(2)",
                "mbus/1.0 0 1006271405000 R " YOU " " ME " ()\r\nx.y(",
        };

        for (size_t i = 0; i < N(texts); ++i)
                check_text(texts[i], MBUS_DROP_MALFORMED);
}
END_TEST

/* Nobody reads what is for others; that somebody sent it is known all the same. */
START_TEST(test_payload_for_others_is_not_judged)
{
        struct scene s;

        scene_init(&s, NULL);
        give_text(&s, FROM_YOU " " THEM " ()\r\nx.y((((");
        fake_expect(s.e, EVENT_JOINED);
        ck_assert_uint_eq(fake_dropped(s.e), 0);
        scene_deinit(&s);
}
END_TEST

/* SEC-01 REL-11: everything that was ever sent, again. */
START_TEST(test_replayed_datagrams_have_no_effect)
{
        struct fake_bus bus;
        struct engine *e[2];
        struct entity *me;
        struct address source = fake_address(ME);
        uint64_t ticket;
        size_t n, received = 0;

        fake_bus_init(&bus);
        for (size_t i = 0; i < 2; ++i)
                e[i] = fake_add(&bus, NULL);
        me = fake_entity(&bus, e[0], ME);
        fake_entity(&bus, e[1], YOU);
        fake_run(&bus, 1000);
        for (unsigned i = 0; i < 100; ++i) {
                ck_assert_int_eq(fake_send(&bus, e[0], me, "(app:you)", "x.y(1)"), 0);
                ck_assert_int_eq(fake_send_reliable(&bus, e[0], me, YOU, "x.y(2)", &ticket), 0);
                fake_run(&bus, 50);
        }
        engine_remove_entity(e[0], bus.now, fake_wall(&bus), me);
        fake_run(&bus, 100);
        fake_skip(e[1]);
        n = bus.n_log;
        for (size_t i = 0; i < n; ++i) {
                if (!address_equal(&bus.log[i].message->header.src, &source))
                        continue;
                engine_receive(e[1], bus.now, fake_wall(&bus), &somewhere, bus.log[i].bytes);
                ++received;
        }
        fake_expect_nothing(e[1]);
        ck_assert_uint_eq(engine_n_peers(e[1]), 0);
        ck_assert_uint_eq(engine_dropped(e[1], MBUS_DROP_DEPARTED), received);
        ck_assert_uint_eq(fake_dropped(e[1]), received);
        fake_bus_deinit(&bus);
}
END_TEST

START_TEST(test_repetitions_and_messages_of_an_earlier_life_are_told_apart)
{
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        s.you.seq = 40;
        scene_says(&s, "x.y(40)");
        fake_expect_message(s.e, "x.y(40)");
        --s.you.seq;
        scene_says(&s, "x.y(40)");
        check_only(&s, MBUS_DROP_DUPLICATE, 1);
        fake_run(&s.bus, 1);
        fake_settle(&s.bus);
        s.you.seq = 0;
        scene_says(&s, "x.y(0)");
        fake_skip(s.e);
        give_text(&s, "mbus/1.0 20 1006271405000 U " YOU " () ()\r\nx.y(20)");
        give_text(&s, "mbus/1.0 0 1006271405000 U " YOU " () ()\r\nx.y(20)");
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_STALE), 2);
        ck_assert_uint_eq(fake_dropped(s.e), 3);
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_old_messages_are_stale_where_an_age_is_set)
{
        struct engine_options options = { .max_age_ms = 30000 };
        struct scene s;

        scene_init(&s, &options);
        s.bus.now += 60000 * MS;
        /* Wall clock: 1006271465000. */
        give_text(&s, "mbus/1.0 0 1006271434999 U " YOU " () ()\r\nmbus.hello()");
        check_only(&s, MBUS_DROP_STALE, 1);
        give_text(&s, "mbus/1.0 0 1006271435000 U " YOU " () ()\r\nmbus.hello()");
        fake_expect(s.e, EVENT_JOINED);
        /* A clock that is ahead, and one that counts seconds. */
        give_text(&s, "mbus/1.0 1 1006271999999 U " YOU " () ()\r\nx.y(1)");
        fake_expect_message(s.e, "x.y(1)");
        give_text(&s, "mbus/1.0 0 1006271000 U " THEM " () ()\r\nx.y(2)");
        fake_expect(s.e, EVENT_JOINED);
        fake_expect_message(s.e, "x.y(2)");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_sources_beyond_the_table_are_not_taken_in)
{
        struct fake_peer peers[5] = { 0 };
        char texts[5][64];
        struct scene s;

        scene_init(&s, NULL);
        s.e->peers.max = 3;
        for (unsigned i = 0; i < 5; ++i) {
                snprintf(texts[i], sizeof(texts[i]), "(app:p id:%u-0@::1)", i);
                peers[i].address = texts[i];
                fake_say(&s.bus, s.e, peers + i, 'U', ME, "()", "x.y(1)");
        }
        ck_assert_uint_eq(engine_n_peers(s.e), 3);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_PEERS), 2);
        fake_skip(s.e);
        fake_say(&s.bus, s.e, peers, 'U', "()", "()", "mbus.bye()");
        fake_expect_left(s.e, texts[0], MBUS_REASON_BYE);
        fake_hello(&s.bus, s.e, peers + 4);
        fake_expect(s.e, EVENT_JOINED);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_messages_that_nobody_pops_are_dropped_and_told)
{
        struct engine_options options = { .events_max = 10 };
        struct event event;
        struct scene s;

        scene_init(&s, &options);
        scene_meet(&s);
        for (unsigned i = 0; i < 25; ++i)
                fake_say(&s.bus, s.e, &s.you, 'U', ME, "()", "x.y(1)");
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_EVENTS), 15);
        event = fake_event(s.e, EVENT_DROPPED);
        ck_assert_int_eq(event.drop, MBUS_DROP_EVENTS);
        ck_assert_uint_eq(event.count, 15);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_EVENTS), 15);
        for (unsigned i = 0; i < 10; ++i)
                fake_expect_message(s.e, "x.y(1)");
        fake_expect_nothing(s.e);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_losses_of_the_owner_are_counted_too)
{
        struct scene s;
        struct event event;

        scene_init(&s, NULL);
        engine_count_drop(s.e, MBUS_DROP_SENT, 3);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_SENT), 3);
        fake_expect_nothing(s.e);
        engine_count_drop(s.e, MBUS_DROP_SOCKET, 7);
        event = fake_event(s.e, EVENT_DROPPED);
        ck_assert_int_eq(event.drop, MBUS_DROP_SOCKET);
        ck_assert_uint_eq(event.count, 7);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_SOCKET), 7);
        scene_deinit(&s);
}
END_TEST

/* Lengths that mean something, then any. */
static size_t garbage_size(unsigned round, struct random *r)
{
        static const size_t edges[] = { 65507, 65534, 65535, 65536, 65537, 70000 };

        if (round < 300)
                return round;
        if (round < 300 + N(edges))
                return edges[round - 300];
        return (size_t)random_below(r, round % 10 ? 2000 : 65536);
}

START_TEST(test_garbage_of_any_length_is_dropped)
{
        struct random r = seeded("garbage");
        static char garbage[70000];
        const unsigned rounds = 3000;
        struct scene s;

        scene_init(&s, NULL);
        for (size_t i = 0; i < sizeof(garbage); ++i)
                garbage[i] = (char)random_u32(&r);
        for (unsigned i = 0; i < rounds; ++i) {
                size_t n = garbage_size(i, &r);

                give(&s, garbage + random_below(&r, sizeof(garbage) - n + 1), n);
        }
        ck_assert_uint_eq(fake_dropped(s.e), rounds);
        fake_expect_nothing(s.e);
        ck_assert_uint_eq(engine_n_peers(s.e), 0);
        scene_deinit(&s);
}
END_TEST

/* From somebody who has the key, with and without encryption. */
START_TEST(test_authentic_garbage_is_read_within_bounds)
{
        static const char *const samples[] = {
                FROM_YOU " () ()\r\nmbus.hello()",
                "mbus/1.0 1 1006271405000 R " YOU " " ME " (1 2 3)\r\nx.y(1 (a \"b\") <aGk=> 2.5)",
                "mbus/1.0 2 1006271405001 U " YOU " (app:me) ()\r\nmbus.ping()\r\nmbus.bye()",
        };
        uint64_t state = DAMAGE_SEED;
        struct scene s;

        scene_init(&s, NULL);
        engine_observe(s.e, true, true);
        for (unsigned i = 0; i < 20000; ++i) {
                struct buffer text = BUFFER_INIT, out;

                buffer_add_text(&text, samples[i % N(samples)]);
                damage(text.at, text.n, &state);
                out = sealed(&s, (struct span){ text.at, text.n });
                give(&s, out.at, out.n);
                buffer_deinit(&out);
                buffer_deinit(&text);
                s.bus.now += MS / 10;
                if (engine_deadline(s.e) <= s.bus.now)
                        engine_tick(s.e, s.bus.now, fake_wall(&s.bus));
                engine_pop_datagrams(s.e, engine_n_datagrams(s.e));
                fake_skip(s.e);
        }
        ck_assert_uint_gt(engine_dropped(s.e, MBUS_DROP_MALFORMED), 5000);
        ck_assert_uint_gt(engine_n_peers(s.e), 10);
        scene_deinit(&s);
}
END_TEST

/* SEC-05 SEC-06 */
START_TEST(test_ciphertext_of_an_odd_length_or_another_key_is_dropped)
{
        struct config config = CONFIG_INIT;
        struct engine_options options = { .seed = 1 };
        struct crypto *right = NULL, *wrong = NULL, *plain = NULL;
        struct buffer out = BUFFER_INIT;
        struct engine *e = NULL;
        struct span text = span_of(FROM_YOU " () ()\r\nmbus.hello()");

        config.hash_key.n = 20;
        ck_assert_int_eq(crypto_new(&config, &plain), 0);
        config.cipher = CIPHER_AES;
        config.cipher_key.n = 16;
        ck_assert_int_eq(crypto_new(&config, &right), 0);
        config.cipher_key.bytes[0] = 1;
        ck_assert_int_eq(crypto_new(&config, &wrong), 0);
        options.crypto = right;
        ck_assert_int_eq(engine_new(&options, &e), 0);
        seal_message(plain, DIALECT_RFC3259, text, &out);
        ck_assert_uint_ne((out.n - 18) % 16, 0);
        engine_receive(e, MS, FAKE_WALL, &somewhere, buffer_span(&out));
        ck_assert_uint_eq(engine_dropped(e, MBUS_DROP_CIPHERTEXT), 1);
        buffer_clear(&out);
        seal_message(wrong, DIALECT_RFC3259, text, &out);
        engine_receive(e, MS, FAKE_WALL, &somewhere, buffer_span(&out));
        ck_assert_uint_eq(engine_dropped(e, MBUS_DROP_PROTOCOL), 1);
        fake_expect_nothing(e);
        buffer_clear(&out);
        seal_message(right, DIALECT_RFC3259, text, &out);
        engine_receive(e, MS, FAKE_WALL, &somewhere, buffer_span(&out));
        fake_expect(e, EVENT_JOINED);
        ck_assert_uint_eq(fake_dropped(e), 2);
        buffer_deinit(&out);
        engine_free(e);
        crypto_free(right);
        crypto_free(wrong);
        crypto_free(plain);
}
END_TEST

/* Nothing more fits into the queue to the sockets, not even @payload. */
static void fill_queue(struct scene *s, const char *payload)
{
        static char large[32768];

        if (!large[0])
                snprintf(large, sizeof(large), "x.y(\"%032000d\")", 0);
        while (fake_send(&s->bus, s->e, s->me, YOU, large) == 0)
                ;
        while (fake_send(&s->bus, s->e, s->me, YOU, payload) == 0)
                ;
        ck_assert_int_eq(fake_send(&s->bus, s->e, s->me, YOU, payload), MBUS_E_FULL);
}

START_TEST(test_transmission_that_finds_the_queue_full_is_lost_and_the_next_one_serves)
{
        uint64_t lost, ticket = 0;
        struct scene s;

        scene_init(&s, NULL);
        scene_meet(&s);
        fake_settle(&s.bus);
        fill_queue(&s, "a.b()");
        lost = engine_dropped(s.e, MBUS_DROP_SENT);
        ck_assert_int_eq(fake_send_reliable(&s.bus, s.e, s.me, YOU, "a.c()", &ticket), 0);
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_SENT), lost + 1);
        /* The first repetition is lost, too. */
        s.bus.now += 100 * NSEC_PER_MSEC;
        engine_tick(s.e, s.bus.now, fake_wall(&s.bus));
        ck_assert_uint_eq(engine_dropped(s.e, MBUS_DROP_SENT), lost + 2);
        fake_settle(&s.bus);
        ck_assert_uint_eq(fake_count(&s.bus, "a.c"), 0);
        fake_run(&s.bus, 200);
        ck_assert_uint_eq(fake_count(&s.bus, "a.c"), 1);
        fake_ack(&s.bus, s.e, &s.you, fake_find(&s.bus, "a.c", 0));
        fake_expect_ticket(s.e, ticket, MBUS_REASON_NONE);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_datagrams_that_cannot_hold_a_message_are_short,
                test_datagrams_without_a_digest_have_no_format,
                test_changed_datagrams_have_a_wrong_digest_or_no_format,
                test_datagrams_of_another_bus_have_a_wrong_digest,
                test_other_protocols_and_versions_are_told_apart,
                test_messages_that_break_the_grammar_are_malformed,
                test_payload_for_others_is_not_judged,
                test_replayed_datagrams_have_no_effect,
                test_repetitions_and_messages_of_an_earlier_life_are_told_apart,
                test_old_messages_are_stale_where_an_age_is_set,
                test_sources_beyond_the_table_are_not_taken_in,
                test_messages_that_nobody_pops_are_dropped_and_told,
                test_losses_of_the_owner_are_counted_too,
                test_garbage_of_any_length_is_dropped,
                test_authentic_garbage_is_read_within_bounds,
                test_ciphertext_of_an_odd_length_or_another_key_is_dropped,
                test_transmission_that_finds_the_queue_full_is_lost_and_the_next_one_serves,
        };

        return run_tests("engine-drops", tests, N(tests));
}
