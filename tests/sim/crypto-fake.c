/*
 * crypto-fake.c - stands in for core/crypto.c in the simulator: a keyed checksum instead of an HMAC.
 *
 * A bus of a thousand engines opens each datagram a thousand times; what the HMAC costs would be most
 * of it. Damage and strangers are still told from members, which is all the engine asks of a digest.
 * The linker takes these functions before it looks into the core's archive.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/crypto.h"

#define PRIME UINT64_C(0x9e3779b97f4a7c15)

struct crypto {
        uint64_t key;
};

static uint64_t mix(uint64_t h, uint64_t word)
{
        h = (h ^ word) * PRIME;
        return h ^ h >> 29;
}

int crypto_new(const struct config *c, struct crypto **ret_crypto)
{
        struct crypto *crypto = malloc(sizeof(*crypto));

        if (!crypto)
                return -ENOMEM;
        crypto->key = PRIME;
        for (size_t i = 0; i < c->hash_key.n; ++i)
                crypto->key = mix(crypto->key, c->hash_key.bytes[i]);
        *ret_crypto = crypto;
        return 0;
}

struct crypto *crypto_free(struct crypto *crypto)
{
        free(crypto);
        return NULL;
}

void crypto_global_init(void)
{
}

void crypto_mac(struct crypto *crypto, struct span text, uint8_t ret_mac[static MAC_SIZE])
{
        uint64_t h = crypto->key ^ text.n, word;
        size_t i = 0;

        for (; text.n - i >= sizeof(word); i += sizeof(word)) {
                memcpy(&word, text.at + i, sizeof(word));
                h = mix(h, word);
        }
        word = 0;
        if (i < text.n)
                memcpy(&word, text.at + i, text.n - i);
        h = mix(mix(h, word), crypto->key);
        memcpy(ret_mac, &h, sizeof(h));
        h = mix(h, PRIME);
        memcpy(ret_mac + sizeof(h), &h, MAC_SIZE - sizeof(h));
}

bool mac_equal(const uint8_t a[static MAC_SIZE], const uint8_t b[static MAC_SIZE])
{
        return memcmp(a, b, MAC_SIZE) == 0;
}

size_t crypto_block_size(const struct crypto *crypto)
{
        (void)crypto;
        return 1;
}

bool crypto_encrypts(const struct crypto *crypto)
{
        (void)crypto;
        return false;
}

void crypto_encrypt(struct crypto *crypto, char *at, size_t n)
{
        (void)crypto;
        (void)at;
        (void)n;
}

void crypto_decrypt(struct crypto *crypto, const char *from, size_t n, char *ret_at)
{
        (void)crypto;
        memcpy(ret_at, from, n);
}
