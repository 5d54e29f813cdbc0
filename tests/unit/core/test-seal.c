/*
 * test-seal.c - messages become datagrams and back (RFC 3259, sections 11.2 to 11.4).
 */
#include "core/seal.h"

#include "core/base64.h"
#include "damage.h"
#include "run.h"

#define TEXT "mbus/1.0 1 1006271404123 U (app:a) () ()\r\nmbus.hello()"
#define KEY                                                                                        \
        "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10"                         \
        "\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78"

static struct crypto *open_crypto(enum cipher cipher)
{
        struct config c = CONFIG_INIT;
        struct crypto *crypto = NULL;

        c.hash_key.n = hash_key_size(c.hash);
        memcpy(c.hash_key.bytes, KEY, c.hash_key.n);
        c.cipher = cipher;
        c.cipher_key.n = cipher_key_size(cipher);
        memcpy(c.cipher_key.bytes, KEY, c.cipher_key.n);
        ck_assert_int_eq(crypto_new(&c, &crypto), 0);
        return crypto;
}

/* Opens a copy that ends where its memory ends. The text goes to *@ret_text, which may be NULL, to
 * be freed. */
static enum seal_fault open_datagram(struct crypto *crypto, struct span datagram, char **ret_text,
                                     size_t *ret_n)
{
        char *copy = copy_exactly(datagram.at, datagram.n), *scratch = malloc(datagram.n + 1);
        struct span text;
        enum seal_fault fault;

        ck_assert_ptr_nonnull(scratch);
        fault = seal_open(crypto, (struct span){ copy, datagram.n }, scratch, &text);
        ck_assert_mem_eq(copy, datagram.at, datagram.n);
        if (fault == SEAL_OK && ret_text) {
                *ret_text = copy_exactly(text.at, text.n);
                *ret_n = text.n;
        }
        free(copy);
        free(scratch);
        return fault;
}

static void check_opens_to(struct crypto *crypto, struct span datagram, struct span expected)
{
        char *text = NULL;
        size_t n = 0;

        ck_assert_int_eq(open_datagram(crypto, datagram, &text, &n), SEAL_OK);
        ck_assert_uint_eq(n, expected.n);
        ck_assert_mem_eq(text, expected.at, n);
        free(text);
}

/* A datagram with a right digest around any octets at all. */
static void add_sealed_octets(struct crypto *crypto, const char *at, size_t n, struct buffer *out)
{
        uint8_t mac[MAC_SIZE];
        char digest[16];

        crypto_mac(crypto, (struct span){ at, n }, mac);
        base64_encode(mac, MAC_SIZE, digest);
        buffer_add(out, digest, sizeof(digest));
        buffer_add_text(out, "\r\n");
        buffer_add(out, at, n);
        ck_assert(!out->failed);
}

static enum seal_fault fault_of_octets(struct crypto *crypto, const char *at, size_t n)
{
        struct buffer datagram = BUFFER_INIT;
        enum seal_fault fault;

        add_sealed_octets(crypto, at, n, &datagram);
        fault = open_datagram(crypto, buffer_span(&datagram), NULL, NULL);
        buffer_deinit(&datagram);
        return fault;
}

/* SEC-03 SEC-04 SEC-05 */
START_TEST(test_texts_of_every_length_open_again_with_every_cipher)
{
        struct crypto *crypto = open_crypto((enum cipher)_i);
        struct buffer out = BUFFER_INIT;
        char text[200];

        memset(text, 'x', sizeof(text));
        memcpy(text, "mbus/", 5);
        for (size_t n = 5; n <= sizeof(text); n++) {
                enum dialect dialect = n % 2 ? DIALECT_RFC3259 : DIALECT_UCL;

                buffer_clear(&out);
                buffer_add_text(&out, "before");
                seal_message(crypto, dialect, (struct span){ text, n }, &out);
                ck_assert(!out.failed);
                ck_assert_mem_eq(out.at, "before", 6);
                check_opens_to(crypto, (struct span){ out.at + 6, out.n - 6 },
                               (struct span){ text, n });
        }
        buffer_deinit(&out);
        crypto_free(crypto);
}
END_TEST

/* SEC-03 SEC-05 */
START_TEST(test_message_is_padded_then_encrypted_then_digested)
{
        struct crypto *crypto = open_crypto(CIPHER_AES);
        struct buffer out = BUFFER_INIT, expected = BUFFER_INIT;
        char message[64] = TEXT;

        ck_assert_uint_eq(strlen(TEXT), 54);
        crypto_encrypt(crypto, message, sizeof(message));
        add_sealed_octets(crypto, message, sizeof(message), &expected);
        seal_message(crypto, DIALECT_RFC3259, span_of(TEXT), &out);
        ck_assert(span_equal(buffer_span(&out), buffer_span(&expected)));
        buffer_deinit(&out);
        buffer_deinit(&expected);
        crypto_free(crypto);
}
END_TEST

/* SEC-05 */
START_TEST(test_aligned_message_gets_no_padding)
{
        struct crypto *crypto = open_crypto(CIPHER_DES);
        struct buffer out = BUFFER_INIT;

        seal_message(crypto, DIALECT_RFC3259, (struct span){ TEXT, 48 }, &out);
        ck_assert_uint_eq(out.n, SEAL_OVERHEAD + 48);
        buffer_clear(&out);
        seal_message(crypto, DIALECT_RFC3259, (struct span){ TEXT, 49 }, &out);
        ck_assert_uint_eq(out.n, SEAL_OVERHEAD + 56);
        buffer_deinit(&out);
        crypto_free(crypto);
}
END_TEST

/* SEC-03 */
START_TEST(test_digest_ends_in_crlf_or_as_the_dialect_says)
{
        struct crypto *crypto = open_crypto(CIPHER_NONE);
        struct buffer out = BUFFER_INIT;

        seal_message(crypto, DIALECT_RFC3259, span_of(TEXT), &out);
        ck_assert_uint_eq(out.n, 18 + strlen(TEXT));
        ck_assert_mem_eq(out.at + 16, "\r\nmbus/", 7);
        check_opens_to(crypto, buffer_span(&out), span_of(TEXT));

        buffer_clear(&out);
        seal_message(crypto, DIALECT_UCL, span_of(TEXT), &out);
        ck_assert_uint_eq(out.n, 17 + strlen(TEXT));
        ck_assert_mem_eq(out.at + 16, "\nmbus/", 6);
        check_opens_to(crypto, buffer_span(&out), span_of(TEXT));
        buffer_deinit(&out);
        crypto_free(crypto);
}
END_TEST

START_TEST(test_largest_text_fills_a_datagram_and_one_more_octet_does_not_fit)
{
        static const enum dialect dialects[] = { DIALECT_RFC3259, DIALECT_UCL };
        struct crypto *crypto = open_crypto((enum cipher)_i);
        char text[400];

        memset(text, 'x', sizeof(text));
        for (size_t i = 0; i < N(dialects); i++) {
                for (size_t max = 40; max < 300; max++) {
                        struct buffer out = BUFFER_INIT;
                        size_t n = seal_text_max(crypto, dialects[i], max);

                        seal_message(crypto, dialects[i], (struct span){ text, n }, &out);
                        ck_assert_uint_le(out.n, max);
                        buffer_clear(&out);
                        seal_message(crypto, dialects[i], (struct span){ text, n + 1 }, &out);
                        ck_assert_uint_gt(out.n, max);
                        buffer_deinit(&out);
                }
        }
        ck_assert_uint_eq(seal_text_max(crypto, DIALECT_RFC3259, 17), 0);
        ck_assert_uint_eq(seal_text_max(crypto, DIALECT_RFC3259, 0), 0);
        crypto_free(crypto);
}
END_TEST

/* SEC-01 */
START_TEST(test_every_cut_of_a_datagram_is_refused)
{
        struct crypto *crypto = open_crypto((enum cipher)_i);
        struct buffer out = BUFFER_INIT;

        seal_message(crypto, DIALECT_RFC3259, span_of(TEXT), &out);
        for (size_t n = 0; n < out.n; n++) {
                enum seal_fault fault =
                        open_datagram(crypto, (struct span){ out.at, n }, NULL, NULL);

                ck_assert_msg(fault == (n < 22 ? SEAL_SHORT : SEAL_DIGEST), "%zu: %d", n, fault);
        }
        buffer_deinit(&out);
        crypto_free(crypto);
}
END_TEST

/* SEC-01 SEC-09 */
START_TEST(test_every_flipped_bit_is_refused)
{
        struct crypto *crypto = open_crypto((enum cipher)_i);
        struct buffer out = BUFFER_INIT;

        seal_message(crypto, DIALECT_RFC3259, span_of(TEXT), &out);
        for (size_t bit = 0; bit < out.n * 8; bit++) {
                enum seal_fault fault;

                out.at[bit / 8] ^= (char)(1 << bit % 8);
                fault = open_datagram(crypto, buffer_span(&out), NULL, NULL);
                out.at[bit / 8] ^= (char)(1 << bit % 8);
                ck_assert_msg(fault == SEAL_DIGEST || (bit < 18 * 8 && fault == SEAL_FORMAT),
                              "%zu: %d", bit, fault);
        }
        check_opens_to(crypto, buffer_span(&out), span_of(TEXT));
        buffer_deinit(&out);
        crypto_free(crypto);
}
END_TEST

START_TEST(test_first_line_that_is_no_digest_is_a_fault_of_its_own)
{
        static const char *const datagrams[] = {
                "AAAAAAAAAAAAAAAAmbus/1.0 1 1 U () () ()",      /* no line end */
                "AAAAAAAAAAAAAAAA\rmbus/1.0 1 1 U () () ()",    /* half of one */
                "AAAAAAAAAAAAAAA\r\nmbus/1.0 1 1 U () () ()",   /* too early */
                "AAAAAAAAAAAAAAAAA\r\nmbus/1.0 1 1 U () () ()", /* too late */
                "AAAAAAAAAAAAAAA=\r\nmbus/1.0 1 1 U () () ()",  /* fewer octets */
                "AAAAAAAAAAAAAA==\r\nmbus/1.0 1 1 U () () ()",
                "AAAAAAA AAAAAAAA\r\nmbus/1.0 1 1 U () () ()",
                "AAAAAAA-AAAAAAAA\nmbus/1.0 1 1 U () () ()",
        };
        struct crypto *crypto = open_crypto(CIPHER_NONE);

        for (size_t i = 0; i < N(datagrams); i++)
                ck_assert_msg(open_datagram(crypto, span_of(datagrams[i]), NULL, NULL) ==
                                      SEAL_FORMAT,
                              "%s", datagrams[i]);
        ck_assert_int_eq(
                open_datagram(crypto, span_of("AAAAAAAAAAAAAAAA\nmbus/1.0 1 1 U"), NULL, NULL),
                SEAL_DIGEST);
        crypto_free(crypto);
}
END_TEST

/* SEC-06 */
START_TEST(test_message_of_another_protocol_is_refused_though_its_digest_is_right)
{
        struct crypto *crypto = open_crypto(CIPHER_NONE);

        ck_assert_int_eq(fault_of_octets(crypto, "mbus/1.0 1", 10), SEAL_OK);
        ck_assert_int_eq(fault_of_octets(crypto, "Mbus/1.0 1", 10), SEAL_PROTOCOL);
        ck_assert_int_eq(fault_of_octets(crypto, " mbus/1.0", 9), SEAL_PROTOCOL);
        ck_assert_int_eq(fault_of_octets(crypto, "mbus1.0 1", 9), SEAL_PROTOCOL);
        ck_assert_int_eq(fault_of_octets(crypto, "mbus\0\0\0\0", 8), SEAL_PROTOCOL);
        ck_assert_int_eq(fault_of_octets(crypto, "\0\0\0\0\0\0\0\0", 8), SEAL_PROTOCOL);
        crypto_free(crypto);
}
END_TEST

/* SEC-06 */
START_TEST(test_clear_text_is_refused_where_the_bus_encrypts_and_the_reverse)
{
        struct crypto *clear = open_crypto(CIPHER_NONE), *aes = open_crypto(CIPHER_AES);
        struct buffer out = BUFFER_INIT;

        ck_assert_int_eq(fault_of_octets(aes, TEXT, 48), SEAL_PROTOCOL);
        seal_message(aes, DIALECT_RFC3259, span_of(TEXT), &out);
        ck_assert_int_eq(open_datagram(clear, buffer_span(&out), NULL, NULL), SEAL_PROTOCOL);
        buffer_deinit(&out);
        crypto_free(clear);
        crypto_free(aes);
}
END_TEST

/* SEC-04 */
START_TEST(test_encrypted_message_that_is_no_whole_number_of_blocks_is_refused)
{
        struct crypto *crypto = open_crypto(CIPHER_AES);

        ck_assert_int_eq(fault_of_octets(crypto, TEXT, 47), SEAL_CIPHERTEXT);
        ck_assert_int_eq(fault_of_octets(crypto, TEXT, 40), SEAL_CIPHERTEXT);
        ck_assert_int_eq(fault_of_octets(crypto, TEXT, 49), SEAL_CIPHERTEXT);
        crypto_free(crypto);
}
END_TEST

/* SEC-05 */
START_TEST(test_all_zero_octets_are_removed_after_decryption)
{
        struct crypto *crypto = open_crypto(CIPHER_3DES);
        struct buffer out = BUFFER_INIT;
        char message[128] = TEXT;

        crypto_encrypt(crypto, message, sizeof(message));
        add_sealed_octets(crypto, message, sizeof(message), &out);
        check_opens_to(crypto, buffer_span(&out), span_of(TEXT));
        buffer_deinit(&out);
        crypto_free(crypto);
}
END_TEST

START_TEST(test_zero_octets_behind_a_clear_message_are_removed_digested_or_not)
{
        struct crypto *crypto = open_crypto(CIPHER_NONE);
        struct buffer out = BUFFER_INIT;
        char padded[64] = TEXT;

        seal_message(crypto, DIALECT_UCL, span_of(TEXT), &out);
        for (unsigned i = 0; i < 8; i++) {
                buffer_add_char(&out, 0);
                check_opens_to(crypto, buffer_span(&out), span_of(TEXT));
        }
        buffer_clear(&out);
        add_sealed_octets(crypto, padded, sizeof(padded), &out);
        check_opens_to(crypto, buffer_span(&out), span_of(TEXT));
        buffer_deinit(&out);
        crypto_free(crypto);
}
END_TEST

/* SEC-01 */
START_TEST(test_no_other_tail_is_tolerated)
{
        struct crypto *clear = open_crypto(CIPHER_NONE), *des = open_crypto(CIPHER_DES);
        struct buffer out = BUFFER_INIT;

        seal_message(clear, DIALECT_UCL, span_of(TEXT), &out);
        buffer_add(&out, "\0x\0", 3);
        ck_assert_int_eq(open_datagram(clear, buffer_span(&out), NULL, NULL), SEAL_DIGEST);

        buffer_clear(&out);
        seal_message(des, DIALECT_UCL, span_of(TEXT), &out);
        buffer_add(&out, "\0\0\0\0\0\0\0\0", 8);
        ck_assert_int_eq(open_datagram(des, buffer_span(&out), NULL, NULL), SEAL_DIGEST);
        buffer_deinit(&out);
        crypto_free(clear);
        crypto_free(des);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("seal");
        TCase *tc = tcase_create("seal");
        SRunner *runner;
        int failed;

        crypto_global_init();
        suite_add_tcase(suite, tc);
        tcase_add_loop_test(tc, test_texts_of_every_length_open_again_with_every_cipher, 0,
                            CIPHER_MAX);
        tcase_add_test(tc, test_message_is_padded_then_encrypted_then_digested);
        tcase_add_test(tc, test_aligned_message_gets_no_padding);
        tcase_add_test(tc, test_digest_ends_in_crlf_or_as_the_dialect_says);
        tcase_add_loop_test(tc, test_largest_text_fills_a_datagram_and_one_more_octet_does_not_fit,
                            0, CIPHER_MAX);
        tcase_add_loop_test(tc, test_every_cut_of_a_datagram_is_refused, 0, CIPHER_MAX);
        tcase_add_loop_test(tc, test_every_flipped_bit_is_refused, 0, CIPHER_MAX);
        tcase_add_test(tc, test_first_line_that_is_no_digest_is_a_fault_of_its_own);
        tcase_add_test(tc, test_message_of_another_protocol_is_refused_though_its_digest_is_right);
        tcase_add_test(tc, test_clear_text_is_refused_where_the_bus_encrypts_and_the_reverse);
        tcase_add_test(tc, test_encrypted_message_that_is_no_whole_number_of_blocks_is_refused);
        tcase_add_test(tc, test_all_zero_octets_are_removed_after_decryption);
        tcase_add_test(tc, test_zero_octets_behind_a_clear_message_are_removed_digested_or_not);
        tcase_add_test(tc, test_no_other_tail_is_tolerated);

        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
