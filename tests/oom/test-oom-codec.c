/*
 * test-oom-codec.c - texts, values, messages, keys and datagrams while memory is short.
 *
 * What a parser does not get memory for it refuses with -ENOMEM and takes back; a writer's buffer
 * says `failed`. With memory again the same object does its work.
 */
#include "core/config.h"
#include "core/message.h"
#include "core/seal.h"
#include "fail-malloc.h"
#include "run.h"

static const char payload_text[] =
        "audio.input.gain(70 -0.5 (a b (c)) \"str\\\"ing\\n\" <AQIDBA==> sym.bol-1)\r\n"
        "m(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30)\n"
        "a()\nb()\nc()\nd()\ne(\"x\")\n";
static const char message_text[] =
        "mbus/1.0 7 1006271404123 R (app:rat media:audio id:4711-1@192.168.1.1) (media:audio) "
        "(1 2 3)\r\naudio.input.mute(1)\r\naudio.output.mute((0) \"no\" <AA==>)";
static const char config_text[] = "[MBUS]\r\nCONFIG_VERSION=1\r\n"
                                  "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\r\n"
                                  "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODw==)\r\n"
                                  "SCOPE=LINKLOCAL\r\nODD=1\r\nINTERFACE=lo\r\n";

static void note_buffer(struct trial *t, const struct buffer *b)
{
        if (b->failed)
                trial_notice(t);
        else
                trial_note(t, "%.*s", (int)b->n, b->at);
}

/* The buffer works again once it is cleared. */
static void check_buffer(struct trial *t, struct buffer *b)
{
        buffer_clear(b);
        buffer_add_text(b, "again");
        trial_must(t, !b->failed && span_equal_text(buffer_span(b), "again"));
        buffer_deinit(b);
}

static void write_buffer(struct trial *t)
{
        struct buffer b = BUFFER_INIT;

        for (unsigned i = 0; i < 1000; ++i) {
                buffer_add_uint(&b, i);
                buffer_add_char(&b, ' ');
                buffer_add_int(&b, -(int64_t)i);
                buffer_add_text(&b, "\n");
        }
        note_buffer(t, &b);
        fail_malloc_stop();
        check_buffer(t, &b);
}

static void write_address(struct trial *t)
{
        struct address a, *copy;
        struct buffer b = BUFFER_INIT;

        trial_must(t, address_parse(span_of("(module:ui app:rat media:audio)"), STRICT, &a, NULL,
                                    NULL) == 0);
        copy = address_dup(&a);
        if (copy)
                address_format_canonical(copy, &b);
        else
                trial_notice(t);
        note_buffer(t, &b);
        free(copy);
        fail_malloc_stop();
        check_buffer(t, &b);
}

static void parse_values(struct trial *t)
{
        struct span text = span_of("(1 (2.5 (a) \"x\\\\y\") <AQID> b c d e f g h i j k l m n o p)");
        struct values vs = VALUES_INIT;
        struct buffer b = BUFFER_INIT;
        size_t n;
        int r = value_parse(&vs, text, text, &n, NULL);

        trial_must(t, r == 0 || (r == -ENOMEM && vs.n == 0));
        if (trial_ok(t, r))
                value_format(vs.nodes, &b);
        if (!values_keep(&vs, text, span_from(text, text.n - 3)).at)
                trial_notice(t);
        note_buffer(t, &b);
        fail_malloc_stop();
        values_deinit(&vs);
        trial_must(t, value_parse_list(&vs, text, text, &n, NULL) == 0 && n == text.n);
        values_deinit(&vs);
        check_buffer(t, &b);
}

static void parse_payload(struct trial *t)
{
        struct payload p = PAYLOAD_INIT;
        struct buffer b = BUFFER_INIT;
        int r = payload_parse(&p, span_of(payload_text), NULL);

        trial_must(t, r == 0 || (r == -ENOMEM && p.n == 0 && !p.commands && !p.values.nodes));
        if (trial_ok(t, r)) {
                payload_format(&p, DIALECT_RFC3259, &b);
                payload_format(&p, DIALECT_UCL, &b);
        }
        note_buffer(t, &b);
        payload_deinit(&p);
        fail_malloc_stop();
        trial_must(t, payload_parse(&p, span_of(payload_text), NULL) == 0 && p.n == 7);
        payload_deinit(&p);
        check_buffer(t, &b);
}

static void make_message(struct trial *t)
{
        struct message *m = NULL, *again = NULL;
        int r = message_new(span_of(message_text), &m, NULL);

        trial_must(t, r == 0 || (r == -ENOMEM && !m));
        if (trial_ok(t, r))
                trial_note(t, "%s %s %zu", message_source(m), message_destination(m), m->payload.n);
        message_unref(m);
        fail_malloc_stop();
        trial_must(t, message_new(span_of(message_text), &again, NULL) == 0);
        message_unref(again);
}

static void format_message(struct trial *t, enum dialect dialect)
{
        static const uint32_t acks[] = { 1, 2, 4294967295 };
        struct header_spec spec = { .seq = 1,
                                    .timestamp = 2,
                                    .src = span_of("(a:b)"),
                                    .dest = span_of("()"),
                                    .acks = acks,
                                    .n_acks = N(acks) };
        struct span payload = span_of("mbus.go(a)\r\nx(\"long\" 1 (2) <AAAA>)");
        struct buffer b = BUFFER_INIT;
        int r = message_format(&spec, payload, dialect, &b);

        trial_must(t, r == (b.failed ? -ENOMEM : 0));
        trial_ok(t, r);
        note_buffer(t, &b);
        fail_malloc_stop();
        buffer_clear(&b);
        trial_must(t, message_format(&spec, payload, dialect, &b) == 0);
        buffer_deinit(&b);
}

static void format_rfc(struct trial *t)
{
        format_message(t, DIALECT_RFC3259);
}

static void format_ucl(struct trial *t)
{
        format_message(t, DIALECT_UCL);
}

static void read_config(struct trial *t)
{
        struct config c = CONFIG_INIT;
        struct buffer b = BUFFER_INIT;
        char error[256] = "";

        /* Reading takes no memory at all, so it cannot fail here. */
        trial_must(t, config_parse(span_of(config_text), "mbus", &c, error) == 0);
        config_format(&c, &b);
        note_buffer(t, &b);
        fail_malloc_stop();
        check_buffer(t, &b);
}

static void seal(struct trial *t, enum cipher cipher)
{
        struct config c = CONFIG_INIT;
        struct crypto *crypto = NULL;
        struct buffer b = BUFFER_INIT;
        struct span text;
        char scratch[512];
        int r;

        c.hash_key = (struct config_key){ .bytes = { 1, 2, 3 }, .n = 20 };
        c.cipher = cipher;
        c.cipher_key =
                (struct config_key){ .bytes = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                                13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 },
                                     .n = cipher_key_size(cipher) };
        r = crypto_new(&c, &crypto);
        trial_must(t, r == 0 || (r == -ENOMEM && !crypto));
        if (trial_ok(t, r)) {
                seal_message(crypto, DIALECT_RFC3259, span_of(message_text), &b);
                if (b.failed)
                        trial_notice(t);
                else
                        trial_must(t, seal_open(crypto, buffer_span(&b), scratch, &text) == 0);
        }
        crypto_free(crypto);
        fail_malloc_stop();
        trial_must(t, crypto_new(&c, &crypto) == 0);
        buffer_clear(&b);
        seal_message(crypto, DIALECT_RFC3259, span_of(message_text), &b);
        trial_must(t, !b.failed && seal_open(crypto, buffer_span(&b), scratch, &text) == 0);
        trial_must(t, span_equal_text(text, message_text));
        crypto_free(crypto);
        buffer_deinit(&b);
}

static void seal_plain(struct trial *t)
{
        seal(t, CIPHER_NONE);
}

static void seal_aes(struct trial *t)
{
        seal(t, CIPHER_AES);
}

static void seal_idea(struct trial *t)
{
        seal(t, CIPHER_IDEA);
}

START_TEST(test_writers_remember_that_memory_was_short)
{
        fail_each_malloc("buffer", write_buffer);
        fail_each_malloc("address", write_address);
        fail_each_malloc("configuration", read_config);
}
END_TEST

START_TEST(test_parsers_refuse_what_they_have_no_memory_for)
{
        fail_each_malloc("values", parse_values);
        fail_each_malloc("payload", parse_payload);
        fail_each_malloc("message", make_message);
}
END_TEST

START_TEST(test_messages_and_datagrams_are_written_whole_or_not_at_all)
{
        fail_each_malloc("message to text", format_rfc);
        fail_each_malloc("message to text of UCL", format_ucl);
        fail_each_malloc("datagram", seal_plain);
        fail_each_malloc("datagram with AES", seal_aes);
        fail_each_malloc("datagram with IDEA", seal_idea);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_writers_remember_that_memory_was_short,
                test_parsers_refuse_what_they_have_no_memory_for,
                test_messages_and_datagrams_are_written_whole_or_not_at_all,
        };

        fail_malloc_init();
        crypto_global_init();
        return run_tests("oom-codec", tests, N(tests));
}
