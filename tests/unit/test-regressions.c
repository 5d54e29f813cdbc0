/*
 * test-regressions.c - what once went wrong, a test for each, named after what must hold.
 */
#include <gcrypt.h>
#include <stdlib.h>

#include "core/crypto.h"
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

int main(void)
{
        const TTest *const tests[] = {
                test_digest_of_a_message_takes_no_memory,
        };

        gcry_set_allocation_handler(count_malloc, count_malloc, is_secure, count_realloc, free);
        crypto_global_init();
        return run_tests("regressions", tests, N(tests));
}
