/*
 * test-regressions.c - what once went wrong, a test for each, named after what must hold.
 */
#include <gcrypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/engine-state.h"
#include "core/engine.h"
#include "core/seal.h"
#include "run.h"

/* ---- memory ---- */

static size_t n_allocations;

static void *count_malloc(size_t n)
{
        ++n_allocations;
        return malloc(n);
}

static void *count_realloc(void *at, size_t n)
{
        ++n_allocations;
        return realloc(at, n);
}

static int is_secure(const void *at)
{
        (void)at;
        return 0;
}

/* libgcrypt's HMAC allocated for each digest, and ended the process when it got nothing. */
START_TEST(test_digest_of_a_message_takes_no_memory)
{
        struct config c = CONFIG_INIT;
        struct crypto *crypto;
        uint8_t mac[MAC_SIZE];

        c.hash_key.n = 100;
        c.cipher = CIPHER_AES;
        c.cipher_key.n = cipher_key_size(CIPHER_AES);
        for (c.hash = 0; c.hash < HASH_MAX; ++c.hash) {
                char block[16] = "sixteen octets.";

                ck_assert_int_eq(crypto_new(&c, &crypto), 0);
                n_allocations = 0;
                for (unsigned i = 0; i < 10; ++i) {
                        crypto_mac(crypto, span_of("a message"), mac);
                        crypto_encrypt(crypto, block, sizeof(block));
                        crypto_decrypt(crypto, block, sizeof(block), block);
                }
                ck_assert_uint_eq(n_allocations, 0);
                ck_assert_str_eq(block, "sixteen octets.");
                crypto_free(crypto);
        }
}
END_TEST

/* ---- entities that leave and come back; found by the simulator ---- */

#define T0 NSEC_PER_SEC
#define WALL UINT64_C(1600000000000)

struct bus {
        struct crypto *crypto;
        struct engine *engine;
};

static struct address parse(const char *text)
{
        struct address address;

        ck_assert_int_eq(address_parse(span_of(text), STRICT, &address, NULL, NULL), 0);
        return address;
}

static struct entity *add_entity(struct bus *bus, const char *text)
{
        struct address address = parse(text);
        struct entity *entity;

        ck_assert_int_eq(engine_add_entity(bus->engine, T0, &address, NULL, &entity), 0);
        return entity;
}

static void bus_init(struct bus *bus)
{
        struct config config = CONFIG_INIT;
        struct engine_options options = { .seed = 1 };

        config.hash_key.n = 20;
        ck_assert_int_eq(crypto_new(&config, &bus->crypto), 0);
        options.crypto = bus->crypto;
        ck_assert_int_eq(engine_new(&options, &bus->engine), 0);
        add_entity(bus, "(app:test id:1-1@127.0.0.1)");
}

static void bus_deinit(struct bus *bus)
{
        engine_free(bus->engine);
        crypto_free(bus->crypto);
}

/* The peer says something. */
static void receive(struct bus *bus, uint64_t now, const struct header_spec *spec,
                    const char *payload)
{
        struct endpoint from = { .n = 1 };
        struct buffer text = BUFFER_INIT, datagram = BUFFER_INIT;

        message_format(spec, span_of(payload), DIALECT_RFC3259, &text);
        seal_message(bus->crypto, DIALECT_RFC3259, buffer_span(&text), &datagram);
        engine_receive(bus->engine, now, WALL, &from, buffer_span(&datagram));
        engine_tick(bus->engine, now, WALL);
        buffer_deinit(&text);
        buffer_deinit(&datagram);
}

/* The peer says hello with this SeqNum and TimeStamp. */
static void hear(struct bus *bus, uint64_t now, uint32_t seq, uint64_t timestamp)
{
        struct header_spec spec = { .seq = seq,
                                    .timestamp = timestamp,
                                    .src = span_of("(app:peer id:2-1@127.0.0.1)"),
                                    .dest = span_of("()") };

        receive(bus, now, &spec, "mbus.hello()");
}

static unsigned count_messages(struct bus *bus)
{
        struct event event;
        unsigned n = 0;

        while (engine_pop_event(bus->engine, &event)) {
                n += event.type == EVENT_MESSAGE;
                event_deinit(&event);
        }
        return n;
}

/* A message to an entity that had just left was remembered as received. When it came again after the
 * entity was back, it was acknowledged and not delivered. To deliver it then could be twice. */
START_TEST(test_repetition_for_an_entity_that_is_new_here_is_not_acknowledged)
{
        struct header_spec spec = { .seq = 1,
                                    .timestamp = WALL,
                                    .reliable = true,
                                    .src = span_of("(app:peer id:2-1@127.0.0.1)"),
                                    .dest = span_of("(app:late id:5-1@127.0.0.1)") };
        struct bus bus;

        bus_init(&bus);
        receive(&bus, T0, &spec, "a()");
        ck_assert_uint_eq(count_messages(&bus), 0);
        add_entity(&bus, "(app:late id:5-1@127.0.0.1)");
        receive(&bus, T0 + 1, &spec, "a()");
        ck_assert_uint_eq(count_messages(&bus), 0);
        ck_assert_uint_eq(engine_n_datagrams(bus.engine), 0);
        spec.seq = 2;
        receive(&bus, T0 + 2, &spec, "a()");
        ck_assert_uint_eq(count_messages(&bus), 1);
        ck_assert_uint_eq(engine_n_datagrams(bus.engine), 1);
        receive(&bus, T0 + 3, &spec, "a()");
        ck_assert_uint_eq(count_messages(&bus), 0);
        ck_assert_uint_eq(engine_n_datagrams(bus.engine), 2);
        bus_deinit(&bus);
}
END_TEST

/* The peer's reliable messages from SeqNum @first up or down to @last, one each ms from @stamp on for
 * SeqNum 0. How many were delivered; the others must not be acknowledged. */
static unsigned receive_life(struct bus *bus, uint64_t now, uint64_t stamp, uint32_t first,
                             uint32_t last)
{
        struct header_spec spec = { .reliable = true,
                                    .src = span_of("(app:peer id:2-1@127.0.0.1)"),
                                    .dest = span_of("(app:test id:1-1@127.0.0.1)") };
        unsigned n_delivered = 0;
        uint32_t seq = first;

        for (;;) {
                size_t acks = engine_n_datagrams(bus->engine);
                unsigned n;

                spec.seq = seq;
                spec.timestamp = stamp + seq;
                receive(bus, now, &spec, "a()");
                n = count_messages(bus);
                ck_assert_msg(n || engine_n_datagrams(bus->engine) == acks,
                              "message %u is acknowledged and was not delivered", seq);
                n_delivered += n;
                if (seq == last)
                        return n_delivered;
                seq = first < last ? seq + 1 : seq - 1;
        }
}

/* The first messages of a new life, overtaken by the others of their burst, were taken for repetitions
 * of the former life, and acknowledged. */
START_TEST(test_burst_of_a_new_life_that_arrives_last_first_is_delivered)
{
        static const uint32_t lengths[] = { 1, 20, 32, 33, 40, 63, 64, 65, 200 };
        static const uint64_t pauses[] = { 1, 50, 2000, 7000 };

        for (size_t i = 0; i < N(lengths) * N(pauses); ++i) {
                uint32_t n = lengths[i % N(lengths)];
                uint64_t pause = pauses[i / N(lengths)];
                struct bus bus;

                bus_init(&bus);
                ck_assert_uint_eq(receive_life(&bus, T0, WALL, 0, n - 1), n);
                ck_assert_uint_eq(receive_life(&bus, T0 + 1, WALL + n + pause, 63, 0), 64);
                /* What is replayed of the former life stays away. */
                ck_assert_uint_eq(receive_life(&bus, T0 + 2, WALL, 0, n - 1), 0);
                bus_deinit(&bus);
        }
}
END_TEST

/* A burst of more than 32 messages that comes after its sender's bye, likewise. */
START_TEST(test_burst_after_a_bye_that_arrives_last_first_is_delivered)
{
        struct header_spec bye = { .seq = 40,
                                   .timestamp = WALL + 40,
                                   .src = span_of("(app:peer id:2-1@127.0.0.1)"),
                                   .dest = span_of("()") };
        struct bus bus;

        bus_init(&bus);
        ck_assert_uint_eq(receive_life(&bus, T0, WALL, 0, 39), 40);
        receive(&bus, T0, &bye, "mbus.bye()");
        ck_assert_uint_eq(engine_n_peers(bus.engine), 0);
        ck_assert_uint_eq(receive_life(&bus, T0 + 1, WALL + 41, 63, 0), 64);
        ck_assert_uint_eq(receive_life(&bus, T0 + 2, WALL, 0, 39), 0);
        bus_deinit(&bus);
}
END_TEST

/* The same if an earlier message of the peer, which had been lost, came again first: what bore a higher
 * SeqNum than that was taken for delivered. Found by the simulator of the broker. */
START_TEST(test_repetition_is_not_acknowledged_because_an_earlier_message_was_delivered)
{
        struct header_spec spec = { .seq = 5,
                                    .timestamp = WALL,
                                    .reliable = true,
                                    .src = span_of("(app:peer id:2-1@127.0.0.1)"),
                                    .dest = span_of("(app:late id:5-1@127.0.0.1)") };
        struct bus bus;

        bus_init(&bus);
        receive(&bus, T0, &spec, "a()");
        add_entity(&bus, "(app:late id:5-1@127.0.0.1)");
        spec.seq = 3;
        receive(&bus, T0 + 1, &spec, "a()");
        ck_assert_uint_eq(count_messages(&bus), 1);
        ck_assert_uint_eq(engine_n_datagrams(bus.engine), 1);
        spec.seq = 5;
        receive(&bus, T0 + 2, &spec, "a()");
        ck_assert_uint_eq(count_messages(&bus), 0);
        ck_assert_uint_eq(engine_n_datagrams(bus.engine), 1);
        spec.seq = 3;
        receive(&bus, T0 + 3, &spec, "a()");
        ck_assert_uint_eq(engine_n_datagrams(bus.engine), 2);
        /* What came since is acknowledged again, however much that was. */
        for (spec.seq = 6; spec.seq < 6 + 2 * WINDOW_BITS; ++spec.seq)
                receive(&bus, T0 + 4, &spec, "a()");
        ck_assert_uint_eq(count_messages(&bus), 2 * WINDOW_BITS);
        ck_assert_uint_eq(engine_n_datagrams(bus.engine), 2 + 2 * WINDOW_BITS);
        spec.seq = 6 + WINDOW_BITS;
        receive(&bus, T0 + 5, &spec, "a()");
        ck_assert_uint_eq(engine_n_datagrams(bus.engine), 3 + 2 * WINDOW_BITS);
        bus_deinit(&bus);
}
END_TEST

/* TimeStamp of the newest datagram that waits. */
static uint64_t last_stamp(struct bus *bus)
{
        struct datagram datagram;
        struct header header;
        struct span text;
        size_t cursor = 0;

        while (engine_peek_datagram(bus->engine, &cursor, &datagram)) {
                ck_assert_int_eq(seal_open(bus->crypto, datagram.bytes, NULL, &text), SEAL_OK);
                ck_assert_int_eq(header_parse(text, &header, NULL), HEADER_OK);
        }
        return header.timestamp;
}

/* What an entity of our own had sent came back by another way after it had left: it was taken for a
 * peer, its messages for new ones, and its address for somebody else's. */
START_TEST(test_echo_of_an_entity_that_left_is_nothing_new)
{
        struct address all = ADDRESS_ALL;
        struct endpoint elsewhere = { .n = 1 };
        struct datagram datagram;
        struct entity *entity;
        struct bus bus;
        size_t cursor = 0;

        bus_init(&bus);
        for (unsigned life = 0; life < 3; ++life) {
                entity = add_entity(&bus, "(app:late id:5-1@127.0.0.1)");
                ck_assert_int_eq(engine_send(bus.engine, T0, WALL, entity, &all, span_of("a()")),
                                 0);
                ck_assert_uint_eq(count_messages(&bus), 1);
                engine_remove_entity(bus.engine, T0, WALL, entity);
                for (cursor = 0; engine_peek_datagram(bus.engine, &cursor, &datagram);)
                        engine_receive(bus.engine, T0 + 1, WALL + 1, &elsewhere, datagram.bytes);
                ck_assert_uint_eq(engine_n_peers(bus.engine), 0);
                ck_assert_uint_eq(count_messages(&bus), 0);
        }
        /* Another process may be it now. */
        receive(&bus, T0 + 2,
                &(struct header_spec){ .timestamp = WALL + 100,
                                       .src = span_of("(app:late id:5-1@127.0.0.1)"),
                                       .dest = span_of("()") },
                "a()");
        ck_assert_uint_eq(engine_n_peers(bus.engine), 1);
        ck_assert_uint_eq(count_messages(&bus), 1);
        bus_deinit(&bus);
}
END_TEST

/* An entity left and came back at once, and its first message, which had waited, bore an earlier time
 * than its bye: others took it for a replay of the former life. */
START_TEST(test_an_entity_that_comes_back_is_later_than_its_bye)
{
        struct address all = ADDRESS_ALL;
        struct entity *entity;
        struct bus bus;

        bus_init(&bus);
        entity = add_entity(&bus, "(app:late id:5-1@127.0.0.1)");
        engine_remove_entity(bus.engine, T0, WALL + 10, entity);
        entity = add_entity(&bus, "(app:late id:5-1@127.0.0.1)");
        ck_assert_int_eq(engine_send(bus.engine, T0, WALL + 5, entity, &all, span_of("a()")), 0);
        ck_assert_uint_eq(last_stamp(&bus), WALL + 11);
        ck_assert_int_eq(engine_send(bus.engine, T0, WALL + 12, entity, &all, span_of("a()")), 0);
        ck_assert_uint_eq(last_stamp(&bus), WALL + 12);
        /* A clock that was set back is believed. */
        ck_assert_int_eq(engine_send(bus.engine, T0, WALL - 3600000, entity, &all, span_of("a()")),
                         0);
        ck_assert_uint_eq(last_stamp(&bus), WALL - 3600000);
        bus_deinit(&bus);
}
END_TEST

/* A tombstone went away only when somebody else left, so an entity whose clock had been set back
 * while it was down was never heard again. */
START_TEST(test_entity_with_an_earlier_clock_comes_back_when_its_tombstone_is_old)
{
        uint64_t left = T0 + hello_dead_after(2);
        struct bus bus;

        bus_init(&bus);
        hear(&bus, T0, 5, WALL);
        ck_assert_uint_eq(engine_n_peers(bus.engine), 1);
        engine_tick(bus.engine, left, WALL);
        ck_assert_uint_eq(engine_n_peers(bus.engine), 0);

        hear(&bus, left + TOMBSTONE_MS * NSEC_PER_MSEC, 0, WALL - 3600000);
        ck_assert_uint_eq(engine_n_peers(bus.engine), 0);
        hear(&bus, left + TOMBSTONE_MS * NSEC_PER_MSEC + 1, 1, WALL - 3600000);
        ck_assert_uint_eq(engine_n_peers(bus.engine), 1);
        bus_deinit(&bus);
}
END_TEST

/* A source that starts again with its clock set back reuses SeqNums; its reliable messages were taken
 * for repetitions and acknowledged, but never delivered. */
START_TEST(test_message_of_a_life_with_an_earlier_clock_is_no_repetition)
{
        static uint32_t room[WINDOW_BITS];
        struct replay_window w = REPLAY_WINDOW_INIT;

        replay_window_give_stamps(&w, room);
        for (uint32_t seq = 0; seq < 100; ++seq)
                replay_window_accept(&w, seq, WALL + seq * 100, WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 0, WALL - 1), WINDOW_STALE);
        ck_assert_int_eq(replay_window_check(&w, 60, WALL), WINDOW_STALE);
        replay_window_forget(&w, 60);
        ck_assert_int_eq(replay_window_check(&w, 60, WALL), WINDOW_STALE);
        replay_window_accept(&w, 60, WALL + 6000, WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 60, WALL + 6000), WINDOW_DUPLICATE);
        ck_assert_int_eq(replay_window_check(&w, 99, WALL + 9900), WINDOW_DUPLICATE);
        /* Its clock comes near to where it was. */
        ck_assert_int_eq(replay_window_check(&w, 60, WALL + 5999), WINDOW_STALE);
        ck_assert_int_eq(replay_window_check(&w, 60, WALL + 6001), WINDOW_NEW);

        /* Its clock is set back, and then it starts again. */
        replay_window_accept(&w, 100, WALL, WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 60, WALL + 1), WINDOW_STALE);
        ck_assert_int_eq(replay_window_check(&w, 100, WALL + 1), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 99, WALL + 9900), WINDOW_DUPLICATE);
}
END_TEST

static void hear_in_a_row(struct bus *bus, uint64_t *now, uint32_t *seq, unsigned n)
{
        while (n--) {
                *now += NSEC_PER_SEC;
                hear(bus, *now, ++*seq, WALL);
        }
}

/* With a tenth of loss, five hellos in a row get lost too easily. */
START_TEST(test_silence_may_be_twice_as_long_while_messages_are_lost)
{
        uint64_t dead = hello_dead_after(2), now = T0;
        uint32_t seq = 0;
        struct bus bus;

        bus_init(&bus);
        hear(&bus, now, seq, WALL);
        ++seq;
        hear_in_a_row(&bus, &now, &seq, 1);
        engine_tick(bus.engine, now + 2 * dead - 1, WALL);
        ck_assert_uint_eq(engine_n_peers(bus.engine), 1);

        hear_in_a_row(&bus, &now, &seq, 128);
        engine_tick(bus.engine, now + dead - 1, WALL);
        ck_assert_uint_eq(engine_n_peers(bus.engine), 1);
        engine_tick(bus.engine, now + 2 * dead, WALL);
        ck_assert_uint_eq(engine_n_peers(bus.engine), 0);
        bus_deinit(&bus);
}
END_TEST

/* What happened to tickets was kept without bound for an owner that pops no events. */
START_TEST(test_tickets_whose_end_is_not_popped_are_bounded)
{
        struct address dest = parse("(app:other)");
        struct entity *entity;
        struct event event;
        struct bus bus;
        uint64_t ticket;
        unsigned n = 0;

        bus_init(&bus);
        entity = add_entity(&bus, "(app:one id:3-1@127.0.0.1)");
        add_entity(&bus, "(app:other id:4-1@127.0.0.1)");
        while (engine_send_reliable(bus.engine, T0, WALL, entity, &dest, span_of("a()"), &ticket) ==
               0)
                ++n;
        ck_assert_uint_eq(n, RELIABLE_OUTSTANDING_MAX);

        for (n = 0; engine_pop_event(bus.engine, &event); ++n)
                event_deinit(&event);
        ck_assert_uint_eq(n, 2 * RELIABLE_OUTSTANDING_MAX);
        ck_assert_int_eq(
                engine_send_reliable(bus.engine, T0, WALL, entity, &dest, span_of("a()"), &ticket),
                0);
        bus_deinit(&bus);
}
END_TEST

/* The addresses of peers, their indexes and queued events did not count. */
START_TEST(test_memory_counts_addresses_and_events)
{
        struct bus bus;
        size_t before;

        bus_init(&bus);
        before = engine_memory(bus.engine);
        hear(&bus, T0, 0, WALL);
        ck_assert_uint_ge(engine_memory(bus.engine), before + sizeof(struct peer) +
                                                             2 * sizeof(struct address) +
                                                             sizeof(struct event));
        bus_deinit(&bus);
}
END_TEST

/* ---- configuration ---- */

/* 344 characters are 256 octets with padding, and 258 without: two more than there is room for. */
START_TEST(test_key_of_more_than_256_octets_is_refused)
{
        char text[600], key[345], error[256];
        struct config c = { .port = 1 };

        memset(key, 'A', 344);
        key[344] = '\0';
        for (unsigned n = 258; n >= 256; n--) {
                int r;

                snprintf(text, sizeof(text),
                         "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,%s)\n"
                         "ENCRYPTIONKEY=(NOENCR,)\n",
                         key);
                r = config_parse(span_of(text), "mbus", &c, error);
                ck_assert_int_eq(r, n > CONFIG_KEY_MAX ? MBUS_E_CONFIG : 0);
                ck_assert(r == 0 || strstr(error, "more than 256 octets"));
                key[n - 257 + 342] = '=';
        }
        ck_assert_uint_eq(c.hash_key.n, 256);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_digest_of_a_message_takes_no_memory,
                test_key_of_more_than_256_octets_is_refused,
                test_entity_with_an_earlier_clock_comes_back_when_its_tombstone_is_old,
                test_repetition_is_not_acknowledged_because_an_earlier_message_was_delivered,
                test_repetition_for_an_entity_that_is_new_here_is_not_acknowledged,
                test_burst_of_a_new_life_that_arrives_last_first_is_delivered,
                test_burst_after_a_bye_that_arrives_last_first_is_delivered,
                test_echo_of_an_entity_that_left_is_nothing_new,
                test_an_entity_that_comes_back_is_later_than_its_bye,
                test_message_of_a_life_with_an_earlier_clock_is_no_repetition,
                test_silence_may_be_twice_as_long_while_messages_are_lost,
                test_tickets_whose_end_is_not_popped_are_bounded,
                test_memory_counts_addresses_and_events,
        };

        gcry_set_allocation_handler(count_malloc, count_malloc, is_secure, count_realloc, free);
        crypto_global_init();
        return run_tests("regressions", tests, N(tests));
}
