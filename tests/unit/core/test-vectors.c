/*
 * test-vectors.c - datagrams that other implementations sent, and those that a conforming one must
 * send (RFC 3259, sections 11.2 to 11.4 and 12).
 */
#include "core/config.h"
#include "core/seal.h"

#include "run.h"
#include "vectors.h"

static struct crypto *crypto_of(const struct vector *v)
{
        struct config config;
        struct crypto *crypto;
        char error[256] = "";

        ck_assert_msg(config_parse(span_of(v->config), v->name, &config, error) == 0, "%s", error);
        ck_assert_msg(crypto_new(&config, &crypto) == 0, "%s: no crypto", v->name);
        return crypto;
}

static struct span expected_text(const struct vector *v)
{
        struct span text = { v->plaintext, v->plaintext_n };

        while (text.n > 0 && text.at[text.n - 1] == 0)
                text.n--;
        return text;
}

static void open_one(const struct vector *v)
{
        struct crypto *crypto = crypto_of(v);
        char *scratch = malloc(v->datagram_n);
        struct span text;
        enum seal_fault fault;

        ck_assert_ptr_nonnull(scratch);
        fault = seal_open(crypto, (struct span){ v->datagram, v->datagram_n }, scratch, &text);
        ck_assert_msg(fault == SEAL_OK, "%s %s: fault %d", v->file, v->name, fault);
        ck_assert_msg(span_equal(text, expected_text(v)), "%s %s: other text: %.*s", v->file,
                      v->name, (int)text.n, text.at);
        free(scratch);
        crypto_free(crypto);
}

static void refuse_damage_to_one(const struct vector *v)
{
        struct crypto *crypto = crypto_of(v);
        char *scratch = malloc(v->datagram_n);
        struct span text;

        ck_assert_ptr_nonnull(scratch);
        for (size_t i = 0; i < v->datagram_n; i++) {
                enum seal_fault fault;

                v->datagram[i] ^= 1;
                fault = seal_open(crypto, (struct span){ v->datagram, v->datagram_n }, scratch,
                                  &text);
                v->datagram[i] ^= 1;
                ck_assert_msg(fault == SEAL_DIGEST || fault == SEAL_FORMAT,
                              "%s %s: fault %d with octet %zu damaged", v->file, v->name, fault, i);
        }
        free(scratch);
        crypto_free(crypto);
}

static void seal_one(const struct vector *v)
{
        struct span datagram = { v->datagram, v->datagram_n };
        struct buffer out = BUFFER_INIT;
        struct crypto *crypto;

        if (strcmp(v->file, "rfc3259.jsonl") != 0)
                return;
        crypto = crypto_of(v);
        seal_message(crypto, DIALECT_RFC3259, expected_text(v), &out);
        ck_assert(!out.failed);
        ck_assert_msg(span_equal(buffer_span(&out), datagram), "%s: other octets", v->name);
        buffer_deinit(&out);
        crypto_free(crypto);
}

static bool is_readable(const char *line)
{
        struct vector v;

        if (!vector_parse(span_of(line), &v))
                return false;
        vector_deinit(&v);
        return true;
}

START_TEST(test_reader_of_vectors_understands_escapes_and_refuses_damage)
{
        struct vector v;

        ck_assert(vector_parse(span_of("{\"name\": \"a\\n\\\"\\\\\\u00e4\\ud83d\\ude00\", \"x\":"
                                       "\"\", \"config\":\"c\",\"hex\": \"00fF\",\"plaintext\":"
                                       "\"b\\u0000\"}"),
                               &v));
        ck_assert_str_eq(v.name, "a\n\"\\\xc3\xa4\xf0\x9f\x98\x80");
        ck_assert_uint_eq(v.datagram_n, 2);
        ck_assert_mem_eq(v.datagram, "\x00\xff", 2);
        ck_assert_uint_eq(v.plaintext_n, 2);
        vector_deinit(&v);

        ck_assert(is_readable("{\"name\":\"\",\"config\":\"\",\"hex\":\"\",\"plaintext\":\"\"}"));
        ck_assert(!is_readable("{\"name\":\"\",\"config\":\"\",\"hex\":\"\"}"));
        ck_assert(!is_readable("{\"name\":\"\",\"config\":\"\",\"hex\":\"0\",\"plaintext\":\"\"}"));
        ck_assert(!is_readable("{\"name\":\"\",\"config\":\"\",\"hex\":\"\",\"plaintext\":\"}"));
        ck_assert(!is_readable("{\"name\":\"\\x\",\"config\":\"\","
                               "\"hex\":\"\",\"plaintext\":\"\"}"));
}
END_TEST

/* SEC-01 SEC-02 SEC-04 SEC-05 SEC-06 CFG-07 */
START_TEST(test_datagrams_of_all_implementations_open_to_their_text)
{
        ck_assert_uint_eq(vectors_each(open_one), VECTORS_N);
}
END_TEST

/* SEC-01 */
START_TEST(test_datagrams_with_any_octet_damaged_do_not_open)
{
        ck_assert_uint_eq(vectors_each(refuse_damage_to_one), VECTORS_N);
}
END_TEST

/* SEC-02 SEC-03 SEC-04 SEC-05 */
START_TEST(test_messages_seal_to_exactly_the_octets_of_a_conforming_sender)
{
        ck_assert_uint_eq(vectors_each(seal_one), VECTORS_N);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_reader_of_vectors_understands_escapes_and_refuses_damage,
                test_datagrams_of_all_implementations_open_to_their_text,
                test_datagrams_with_any_octet_damaged_do_not_open,
                test_messages_seal_to_exactly_the_octets_of_a_conforming_sender,
        };

        crypto_global_init();
        return run_tests("vectors", tests, N(tests));
}
