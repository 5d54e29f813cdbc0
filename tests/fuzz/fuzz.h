/*
 * fuzz.h - what the fuzz targets share. A target is one function over arbitrary octets that asserts
 * what must hold of them; the engines (libFuzzer, AFL++) and the replay of the corpus call it.
 */
#ifndef MBUS_TESTS_FUZZ_H
#define MBUS_TESTS_FUZZ_H

#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/config.h"
#include "core/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A view of the input in memory of exactly its size, so that a sanitizer sees one octet too far. */
static inline struct span fuzz_input(const uint8_t *data, size_t size)
{
        char *copy = malloc(size ? size : 1);

        assert(copy);
        if (size)
                memcpy(copy, data, size);
        return (struct span){ copy, size };
}

static inline void fuzz_input_free(struct span input)
{
        free((char *)input.at);
}

/* Crypto with fixed keys. */
static inline struct crypto *fuzz_crypto(enum cipher cipher)
{
        struct config config = CONFIG_INIT;
        struct crypto *crypto;

        crypto_global_init();
        config.hash = HASH_SHA1;
        config.hash_key.n = hash_key_size(HASH_SHA1);
        config.cipher = cipher;
        config.cipher_key.n = cipher_key_size(cipher);
        for (size_t i = 0; i < sizeof(config.cipher_key.bytes); ++i)
                config.cipher_key.bytes[i] = (uint8_t)(i * 7 + 1);
        if (crypto_new(&config, &crypto) != 0)
                abort();
        return crypto;
}

#endif
