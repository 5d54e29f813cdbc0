/*
 * test-stream.c - sealed frames: who has the key gets through, and nothing can be repeated, left out,
 * swapped, sent back or changed on the way (spec/attach.md, "TCP").
 */
#include "core/stream.h"

#include "run.h"

#define KEY                                                                                        \
        "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10"                         \
        "\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78"

/* Both ends, and what is on the way to each. */
struct pair {
        struct crypto *crypto;
        struct stream client;
        struct stream server;
        struct buffer to_client;
        struct buffer to_server;
};

static struct crypto *crypto_of(enum cipher cipher, char last)
{
        struct config c = CONFIG_INIT;
        struct crypto *crypto = NULL;

        c.hash_key.n = hash_key_size(c.hash);
        memcpy(c.hash_key.bytes, KEY, c.hash_key.n);
        c.hash_key.bytes[19] ^= (uint8_t)last;
        c.cipher = cipher;
        c.cipher_key.n = cipher_key_size(cipher);
        memcpy(c.cipher_key.bytes, KEY, c.cipher_key.n);
        ck_assert_int_eq(crypto_new(&c, &crypto), 0);
        return crypto;
}

static void pair_init(struct pair *p, enum cipher cipher, char nonce)
{
        uint8_t client[STREAM_NONCE_SIZE] = { 1, (uint8_t)nonce };
        uint8_t server[STREAM_NONCE_SIZE] = { 2, (uint8_t)nonce };

        *p = (struct pair){ .crypto = crypto_of(cipher, 0),
                            .to_client = BUFFER_INIT,
                            .to_server = BUFFER_INIT };
        ck_assert_int_eq(stream_init(&p->client, p->crypto, false, client), 0);
        ck_assert_int_eq(stream_init(&p->server, p->crypto, true, server), 0);
        stream_begin(&p->server, &p->to_client);
}

static void pair_deinit(struct pair *p)
{
        stream_deinit(&p->client);
        stream_deinit(&p->server);
        crypto_free(p->crypto);
        buffer_deinit(&p->to_client);
        buffer_deinit(&p->to_server);
}

/* Takes @n octets off the front. */
static void shift(struct buffer *b, size_t n)
{
        memmove(b->at, b->at + n, b->n - n);
        b->n -= n;
}

/* Takes one frame of @way; a message must be @text, if that is given. */
static enum stream_status take(struct stream *s, struct buffer *way, struct buffer *out,
                               const char *text)
{
        struct span got = SPAN_NULL;
        bool observed;
        size_t n = 0;
        enum stream_status status = stream_take(s, buffer_span(way), &got, &observed, &n, out);

        if (status == STREAM_TEXT && text)
                ck_assert_msg(span_equal_text(got, text), "%.*s", (int)got.n, got.at);
        if (status == STREAM_DONE || status == STREAM_TEXT)
                shift(way, n);
        return status;
}

static void greet(struct pair *p)
{
        ck_assert_int_eq(take(&p->client, &p->to_client, &p->to_server, NULL), STREAM_DONE);
        ck_assert_int_eq(take(&p->server, &p->to_server, &p->to_client, NULL), STREAM_DONE);
        ck_assert_int_eq(take(&p->server, &p->to_server, &p->to_client, NULL), STREAM_DONE);
        ck_assert_int_eq(p->server.state, STREAM_OPEN);
        ck_assert_int_eq(take(&p->client, &p->to_client, &p->to_server, NULL), STREAM_DONE);
        ck_assert_int_eq(p->client.state, STREAM_OPEN);
        ck_assert_uint_eq(p->to_client.n, 0);
        ck_assert_uint_eq(p->to_server.n, 0);
}

static void begin(struct pair *p, enum cipher cipher)
{
        pair_init(p, cipher, 0);
        greet(p);
}

static void put(struct stream *s, const char *text, struct buffer *way)
{
        stream_put(s, span_of(text), false, way);
}

START_TEST(test_messages_pass_both_ways_after_a_greeting)
{
        for (int cipher = 0; cipher < CIPHER_MAX; cipher++) {
                struct pair p;

                begin(&p, (enum cipher)cipher);
                put(&p.client, "mbus/1.0 a", &p.to_server);
                put(&p.client, "mbus/1.0 of another length", &p.to_server);
                put(&p.server, "mbus/1.0 c", &p.to_client);
                ck_assert_int_eq(take(&p.server, &p.to_server, NULL, "mbus/1.0 a"), STREAM_TEXT);
                ck_assert_int_eq(take(&p.server, &p.to_server, NULL, "mbus/1.0 of another length"),
                                 STREAM_TEXT);
                ck_assert_int_eq(take(&p.client, &p.to_client, NULL, "mbus/1.0 c"), STREAM_TEXT);
                pair_deinit(&p);
        }
}
END_TEST

START_TEST(test_a_message_is_hidden_if_the_bus_hides_it)
{
        struct pair p;

        begin(&p, CIPHER_AES);
        put(&p.client, "mbus/1.0 secret", &p.to_server);
        ck_assert_ptr_null(memmem(p.to_server.at, p.to_server.n, "mbus", 4));
        pair_deinit(&p);
}
END_TEST

START_TEST(test_the_largest_message_passes)
{
        static char text[FRAME_MAX];
        struct span got;
        struct pair p;
        bool observed;
        size_t n;

        memset(text, 'x', sizeof(text));
        begin(&p, CIPHER_AES);
        stream_put(&p.server, (struct span){ text, sizeof(text) }, true, &p.to_client);
        for (size_t i = 0; i < p.to_client.n; i += 4096)
                ck_assert_int_eq(stream_take(&p.client, (struct span){ p.to_client.at, i }, &got,
                                             &observed, &n, NULL),
                                 STREAM_PARTIAL);
        ck_assert_int_eq(
                stream_take(&p.client, buffer_span(&p.to_client), &got, &observed, &n, NULL),
                STREAM_TEXT);
        ck_assert(observed);
        ck_assert_uint_eq(n, p.to_client.n);
        ck_assert(span_equal(got, (struct span){ text, sizeof(text) }));
        pair_deinit(&p);
}
END_TEST

START_TEST(test_who_has_another_key_does_not_get_through)
{
        struct crypto *other = crypto_of(CIPHER_NONE, 1);
        struct pair p;

        pair_init(&p, CIPHER_NONE, 0);
        p.client.crypto = other;
        ck_assert_int_eq(take(&p.client, &p.to_client, &p.to_server, NULL), STREAM_DONE);
        ck_assert_int_eq(take(&p.server, &p.to_server, &p.to_client, NULL), STREAM_DONE);
        ck_assert_int_eq(take(&p.server, &p.to_server, &p.to_client, NULL), STREAM_FORGED);
        pair_deinit(&p);

        /* A false server cannot answer either. */
        pair_init(&p, CIPHER_NONE, 0);
        p.server.crypto = other;
        ck_assert_int_eq(take(&p.client, &p.to_client, &p.to_server, NULL), STREAM_DONE);
        ck_assert_int_eq(take(&p.server, &p.to_server, &p.to_client, NULL), STREAM_DONE);
        p.server.crypto = p.crypto;
        ck_assert_int_eq(take(&p.server, &p.to_server, &p.to_client, NULL), STREAM_DONE);
        p.to_client.n = 0;
        p.server.crypto = other;
        put(&p.server, "", &p.to_client);
        ck_assert_int_eq(take(&p.client, &p.to_client, &p.to_server, NULL), STREAM_FORGED);
        pair_deinit(&p);
        crypto_free(other);
}
END_TEST

START_TEST(test_nothing_can_be_changed)
{
        struct pair p;
        size_t n;

        begin(&p, CIPHER_NONE);
        put(&p.client, "mbus/1.0 message", &p.to_server);
        n = p.to_server.n;
        for (size_t i = 4; i < n; i++) {
                enum stream_status status;

                p.to_server.at[i] ^= 1;
                status = take(&p.server, &p.to_server, NULL, NULL);
                ck_assert_msg(status == STREAM_FORGED, "octet %zu: %d", i, status);
                p.to_server.at[i] ^= 1;
        }
        /* It becomes a copy for a monitor, and the reverse. */
        p.to_server.at[0] ^= (char)0x80;
        ck_assert_int_eq(take(&p.server, &p.to_server, NULL, NULL), STREAM_STRANGE);
        put(&p.server, "mbus/1.0 message", &p.to_client);
        p.to_client.at[0] ^= (char)0x80;
        ck_assert_int_eq(take(&p.client, &p.to_client, NULL, NULL), STREAM_FORGED);
        pair_deinit(&p);
}
END_TEST

START_TEST(test_nothing_can_be_repeated_left_out_or_swapped)
{
        struct buffer second = BUFFER_INIT;
        struct pair p;

        begin(&p, CIPHER_AES);
        put(&p.client, "mbus/1.0 1", &p.to_server);
        put(&p.client, "mbus/1.0 2", &second);
        ck_assert_int_eq(take(&p.server, &second, NULL, NULL), STREAM_FORGED);
        buffer_add_span(&second, buffer_span(&p.to_server));
        ck_assert_int_eq(take(&p.server, &p.to_server, NULL, "mbus/1.0 1"), STREAM_TEXT);
        shift(&second, second.n / 2);
        ck_assert_int_eq(take(&p.server, &second, NULL, NULL), STREAM_FORGED);
        buffer_deinit(&second);
        pair_deinit(&p);
}
END_TEST

START_TEST(test_nothing_can_be_sent_back)
{
        struct pair p;

        begin(&p, CIPHER_NONE);
        put(&p.client, "mbus/1.0 1", &p.to_client);
        ck_assert_int_eq(take(&p.client, &p.to_client, NULL, NULL), STREAM_FORGED);
        pair_deinit(&p);

        /* Nor the greeting. */
        pair_init(&p, CIPHER_NONE, 0);
        ck_assert_int_eq(take(&p.server, &p.to_client, NULL, NULL), STREAM_STRANGE);
        pair_deinit(&p);
}
END_TEST

START_TEST(test_what_was_said_on_one_stream_is_nothing_on_another)
{
        struct buffer said = BUFFER_INIT;
        struct pair p, q;

        pair_init(&p, CIPHER_NONE, 1);
        ck_assert_int_eq(take(&p.client, &p.to_client, &p.to_server, NULL), STREAM_DONE);
        buffer_add_span(&said, buffer_span(&p.to_server));
        pair_init(&q, CIPHER_NONE, 2);
        ck_assert_int_eq(take(&q.server, &said, &q.to_client, NULL), STREAM_DONE);
        ck_assert_int_eq(take(&q.server, &said, &q.to_client, NULL), STREAM_FORGED);
        buffer_deinit(&said);
        pair_deinit(&p);
        pair_deinit(&q);
}
END_TEST

START_TEST(test_who_has_not_proved_himself_makes_nobody_keep_much)
{
        struct span got;
        struct pair p;
        bool observed;
        size_t n;

        pair_init(&p, CIPHER_NONE, 0);
        ck_assert_int_eq(stream_take(&p.server, (struct span){ "\0\0\0\101", 4 }, &got, &observed,
                                     &n, &p.to_client),
                         STREAM_STRANGE);
        ck_assert_int_eq(stream_take(&p.server, (struct span){ "\0\0\0\0", 4 }, &got, &observed, &n,
                                     &p.to_client),
                         STREAM_STRANGE);
        ck_assert_int_eq(stream_take(&p.server, (struct span){ "GET / HTTP", 10 }, &got, &observed,
                                     &n, &p.to_client),
                         STREAM_STRANGE);
        pair_deinit(&p);
}
END_TEST

START_TEST(test_greetings_of_other_protocols_are_strange)
{
        static const char *const greetings[] = {
                "mbus-stream/2 00000000000000000000000000000000",
                "mbus-stream/1 0000000000000000000000000000000",
                "mbus-stream/1 0000000000000000000000000000000G",
                "mbus-stream/1 0000000000000000000000000000000A",
        };

        for (size_t i = 0; i < N(greetings); i++) {
                char length[4] = { 0, 0, 0, (char)strlen(greetings[i]) };
                struct pair p;

                pair_init(&p, CIPHER_NONE, 0);
                p.to_server.n = 0;
                buffer_add(&p.to_server, length, 4);
                buffer_add_text(&p.to_server, greetings[i]);
                ck_assert_int_eq(take(&p.server, &p.to_server, &p.to_client, NULL), STREAM_STRANGE);
                pair_deinit(&p);
        }
}
END_TEST

START_TEST(test_messages_before_the_proof_are_strange)
{
        struct pair p;

        pair_init(&p, CIPHER_NONE, 0);
        ck_assert_int_eq(take(&p.client, &p.to_client, &p.to_server, NULL), STREAM_DONE);
        ck_assert_int_eq(take(&p.server, &p.to_server, &p.to_client, NULL), STREAM_DONE);
        p.to_server.n = 0;
        p.client.n_sealed = 0;
        put(&p.client, "mbus/1.0 1", &p.to_server);
        ck_assert_int_eq(take(&p.server, &p.to_server, &p.to_client, NULL), STREAM_STRANGE);
        pair_deinit(&p);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_messages_pass_both_ways_after_a_greeting,
                test_a_message_is_hidden_if_the_bus_hides_it,
                test_the_largest_message_passes,
                test_who_has_another_key_does_not_get_through,
                test_nothing_can_be_changed,
                test_nothing_can_be_repeated_left_out_or_swapped,
                test_nothing_can_be_sent_back,
                test_what_was_said_on_one_stream_is_nothing_on_another,
                test_who_has_not_proved_himself_makes_nobody_keep_much,
                test_greetings_of_other_protocols_are_strange,
                test_messages_before_the_proof_are_strange,
        };

        return run_tests("stream", tests, N(tests));
}
