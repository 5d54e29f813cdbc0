/*
 * crypto.c - HMAC and CBC of one bus by libgcrypt (RFC 3259, sections 11.2 and 11.3; RFC 2104).
 *
 * Both handles are opened once. HMAC is put together here from two hashes, because libgcrypt's own
 * allocates for each digest and ends the process when there is no memory; so nothing that is done
 * for a message can fail. An all-zero IV is set for each (spec/errata.md, 59), so no message
 * depends on another.
 */
#include "crypto.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <gcrypt.h>

#include "error.h"

#define BLOCK_SIZE_MAX 16
/* B of RFC 2104, for SHA-1 and MD5 alike. */
#define HASH_BLOCK_SIZE 64

struct crypto {
        gcry_md_hd_t md;
        size_t digest_size;
        uint8_t inner_pad[HASH_BLOCK_SIZE]; /* the key xor ipad of RFC 2104 */
        uint8_t outer_pad[HASH_BLOCK_SIZE]; /* and xor opad */
        gcry_cipher_hd_t cipher;            /* NULL without encryption */
        size_t block_size;
};

static const int md_algorithms[HASH_MAX] = {
        [HASH_SHA1] = GCRY_MD_SHA1,
        [HASH_MD5] = GCRY_MD_MD5,
};

static const struct {
        int algorithm;
        size_t block_size;
} ciphers[CIPHER_MAX] = {
        [CIPHER_NONE] = { GCRY_CIPHER_NONE, 1 }, [CIPHER_AES] = { GCRY_CIPHER_AES128, 16 },
        [CIPHER_DES] = { GCRY_CIPHER_DES, 8 },   [CIPHER_3DES] = { GCRY_CIPHER_3DES, 8 },
        [CIPHER_IDEA] = { GCRY_CIPHER_IDEA, 8 },
};

void crypto_global_init(void)
{
        bool untouched;

        if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
                return;

        /* An application that has begun may want secure memory: then it stays as it made it. */
        untouched = !gcry_control(GCRYCTL_ANY_INITIALIZATION_P);
        gcry_check_version(NULL);
        if (untouched)
                gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
        gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static int error_of(gcry_error_t error)
{
        if (!error)
                return 0;
        return gcry_err_code(error) == GPG_ERR_ENOMEM ? -ENOMEM : MBUS_E_CONFIG;
}

/* The hash of @n octets at @at; valid until the next use of @md. */
static const uint8_t *hash_of(gcry_md_hd_t md, const void *at, size_t n)
{
        gcry_md_reset(md);
        gcry_md_write(md, at, n);
        return gcry_md_read(md, 0);
}

static int open_md(struct crypto *crypto, const struct config *c)
{
        uint8_t key[HASH_BLOCK_SIZE] = { 0 };
        int r;

        r = error_of(gcry_md_open(&crypto->md, md_algorithms[c->hash], 0));
        if (r)
                return r;
        crypto->digest_size = gcry_md_get_algo_dlen(md_algorithms[c->hash]);
        if (c->hash_key.n > sizeof(key))
                memcpy(key, hash_of(crypto->md, c->hash_key.bytes, c->hash_key.n),
                       crypto->digest_size);
        else
                memcpy(key, c->hash_key.bytes, c->hash_key.n);
        for (unsigned i = 0; i < sizeof(key); i++) {
                crypto->inner_pad[i] = key[i] ^ 0x36;
                crypto->outer_pad[i] = key[i] ^ 0x5c;
        }
        explicit_bzero(key, sizeof(key));
        return 0;
}

static int open_cipher(struct crypto *crypto, const struct config *c)
{
        int r;

        crypto->block_size = ciphers[c->cipher].block_size;
        if (c->cipher == CIPHER_NONE)
                return 0;
        r = error_of(gcry_cipher_open(&crypto->cipher, ciphers[c->cipher].algorithm,
                                      GCRY_CIPHER_MODE_CBC, 0));
        if (r)
                return r;
        /* This fails for the weak keys of DES, too: libgcrypt then encrypts nothing. */
        return error_of(gcry_cipher_setkey(crypto->cipher, c->cipher_key.bytes, c->cipher_key.n));
}

int crypto_new(const struct config *c, struct crypto **ret_crypto)
{
        struct crypto *crypto;
        int r;

        crypto = calloc(1, sizeof(*crypto));
        if (!crypto)
                return -ENOMEM;

        r = open_md(crypto, c);
        if (!r)
                r = open_cipher(crypto, c);
        if (r) {
                crypto_free(crypto);
                return r;
        }
        *ret_crypto = crypto;
        return 0;
}

struct crypto *crypto_free(struct crypto *crypto)
{
        if (!crypto)
                return NULL;
        gcry_md_close(crypto->md);
        gcry_cipher_close(crypto->cipher);
        /* Keys do not stay behind in freed memory; libgcrypt does the same with its own. */
        explicit_bzero(crypto, sizeof(*crypto));
        free(crypto);
        return NULL;
}

void crypto_mac(struct crypto *crypto, struct span text, uint8_t ret_mac[static MAC_SIZE])
{
        crypto_mac_two(crypto, text, SPAN_NULL, ret_mac);
}

void crypto_mac_two(struct crypto *crypto, struct span first, struct span second,
                    uint8_t ret_mac[static MAC_SIZE])
{
        uint8_t inner[HASH_BLOCK_SIZE];

        gcry_md_reset(crypto->md);
        gcry_md_write(crypto->md, crypto->inner_pad, sizeof(crypto->inner_pad));
        gcry_md_write(crypto->md, first.at, first.n);
        if (second.n > 0)
                gcry_md_write(crypto->md, second.at, second.n);
        memcpy(inner, gcry_md_read(crypto->md, 0), crypto->digest_size);
        gcry_md_reset(crypto->md);
        gcry_md_write(crypto->md, crypto->outer_pad, sizeof(crypto->outer_pad));
        gcry_md_write(crypto->md, inner, crypto->digest_size);
        memcpy(ret_mac, gcry_md_read(crypto->md, 0), MAC_SIZE);
}

bool mac_equal(const uint8_t a[static MAC_SIZE], const uint8_t b[static MAC_SIZE])
{
        uint8_t difference = 0;

        for (unsigned i = 0; i < MAC_SIZE; i++)
                difference |= a[i] ^ b[i];
        return difference == 0;
}

size_t crypto_block_size(const struct crypto *crypto)
{
        return crypto->block_size;
}

bool crypto_encrypts(const struct crypto *crypto)
{
        return crypto->cipher;
}

static void set_zero_iv(struct crypto *crypto)
{
        static const uint8_t zero[BLOCK_SIZE_MAX];
        gcry_error_t error = gcry_cipher_setiv(crypto->cipher, zero, crypto->block_size);

        assert(!error);
        (void)error;
}

void crypto_encrypt(struct crypto *crypto, char *at, size_t n)
{
        gcry_error_t error;

        set_zero_iv(crypto);
        error = gcry_cipher_encrypt(crypto->cipher, at, n, NULL, 0);
        assert(!error);
        (void)error;
}

void crypto_decrypt(struct crypto *crypto, const char *from, size_t n, char *ret_at)
{
        gcry_error_t error;

        set_zero_iv(crypto);
        error = gcry_cipher_decrypt(crypto->cipher, ret_at, n, from, n);
        assert(!error);
        (void)error;
}
