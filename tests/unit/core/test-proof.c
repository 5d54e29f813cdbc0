/*
 * test-proof.c - a proof that a client and the broker are on the same bus.
 */
#include "core/proof.h"

#include <stdio.h>
#include <stdlib.h>

#include "run.h"

static const char where[] = "239.255.255.247:47000";

static struct config config_of(const char *lines)
{
        struct config config = CONFIG_INIT;
        char text[512], error[256] = "";

        snprintf(text, sizeof(text), "[MBUS]\nCONFIG_VERSION=1\n%s", lines);
        ck_assert_msg(config_parse(span_of(text), "file", &config, error) == 0, "%s", error);
        return config;
}

#define SHA1 "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
#define SHA1_OTHER "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExU=)\n"
#define MD5 "HASHKEY=(HMAC-MD5-96,AQIDBAUGBwgJCgsMDQ4PEA==)\n"
#define CLEAR "ENCRYPTIONKEY=(NOENCR,)\n"
#define AES "ENCRYPTIONKEY=(AES,AQIDBAUGBwgJCgsMDQ4PEA==)\n"
#define AES_OTHER "ENCRYPTIONKEY=(AES,AQIDBAUGBwgJCgsMDQ4PEQ==)\n"

static bool is_same(const char *a, const char *place_a, const char *b, const char *place_b,
                    uint8_t nonce_a, uint8_t nonce_b)
{
        uint8_t nonces[2][PROOF_NONCE_SIZE] = { { nonce_a }, { nonce_b } };
        struct config configs[2] = { config_of(a), config_of(b) };
        struct crypto *cryptos[2];
        char proof[PROOF_SIZE];
        bool same;

        crypto_global_init();
        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_eq(crypto_new(&configs[i], &cryptos[i]), 0);
        proof_make(cryptos[0], &configs[0], span_of(place_a), nonces[0], proof);
        same = proof_check(cryptos[1], &configs[1], span_of(place_b), nonces[1],
                           (struct span){ proof, sizeof(proof) });
        crypto_free(cryptos[0]);
        crypto_free(cryptos[1]);
        return same;
}

static bool are_alike(const char *a, const char *b)
{
        return is_same(a, where, b, where, 1, 1);
}

START_TEST(test_the_same_keys_and_place_are_the_same_bus)
{
        static const char *const all[] = { SHA1 CLEAR, SHA1 AES, MD5 CLEAR, MD5 AES,
                                           SHA1 AES "SCOPE=LINKLOCAL\n" };

        for (size_t i = 0; i < N(all); i++)
                for (size_t j = 0; j < N(all); j++)
                        ck_assert_msg(are_alike(all[i], all[j]) == (i == j), "%s%s", all[i],
                                      all[j]);
}
END_TEST

START_TEST(test_how_a_bus_is_talked_to_does_not_make_it_another)
{
        ck_assert(are_alike(SHA1 AES, SHA1 AES "INTERFACE=lo\nMAX_AGE=30\nSEND_UNICAST=yes\n"));
        ck_assert(are_alike(SHA1 AES, SHA1 AES "DIALECT=UCL\n"));
}
END_TEST

START_TEST(test_other_keys_places_scopes_and_nonces_are_not_the_same)
{
        ck_assert(!are_alike(SHA1 AES, SHA1_OTHER AES));
        ck_assert(!are_alike(SHA1 AES, SHA1 AES_OTHER));
        ck_assert(!are_alike(SHA1 AES, SHA1 AES "SCOPE=LINKLOCAL\n"));
        ck_assert(!is_same(SHA1 AES, where, SHA1 AES, "239.255.255.247:47001", 1, 1));
        ck_assert(!is_same(SHA1 AES, where, SHA1 AES, where, 1, 2));
}
END_TEST

START_TEST(test_what_is_no_proof_is_none)
{
        static const char *const bad[] = { "",
                                           "AAAAAAAAAAAAAAAA",
                                           "AAAAAAAAAAAAAAA=",
                                           "AAAAAAAAAAAAAAA",
                                           "AAAAAAAAAAAAAAAAAAAA",
                                           "****************" };
        uint8_t nonce[PROOF_NONCE_SIZE] = { 0 };
        struct config config = config_of(SHA1 AES);
        struct crypto *crypto;

        crypto_global_init();
        ck_assert_int_eq(crypto_new(&config, &crypto), 0);
        for (size_t i = 0; i < N(bad); i++)
                ck_assert(!proof_check(crypto, &config, span_of(where), nonce, span_of(bad[i])));
        crypto_free(crypto);
}
END_TEST

START_TEST(test_a_nonce_is_written_and_read)
{
        uint8_t nonce[PROOF_NONCE_SIZE] = { 0x00, 0xff, 0x1a }, read[PROOF_NONCE_SIZE];
        char text[PROOF_NONCE_TEXT_SIZE + 1];

        text[PROOF_NONCE_TEXT_SIZE] = '\0';
        proof_format_nonce(nonce, text);
        ck_assert_str_eq(text, "00ff1a00000000000000000000000000");
        ck_assert(proof_parse_nonce(span_of(text), read));
        ck_assert_mem_eq(nonce, read, sizeof(nonce));
        ck_assert(!proof_parse_nonce(span_of(text + 1), read));
        text[3] = 'F';
        ck_assert(!proof_parse_nonce(span_of(text), read));
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_same_keys_and_place_are_the_same_bus,
                test_how_a_bus_is_talked_to_does_not_make_it_another,
                test_other_keys_places_scopes_and_nonces_are_not_the_same,
                test_what_is_no_proof_is_none,
                test_a_nonce_is_written_and_read,
        };

        return run_tests("proof", tests, N(tests));
}
