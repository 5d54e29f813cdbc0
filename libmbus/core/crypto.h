/*
 * crypto.h - digests and ciphers of one bus, ready for use (RFC 3259, sections 11.2 and 11.3).
 *
 * Thin over libgcrypt: handles are opened and keyed once and used for every message. CBC with an
 * all-zero IV for each message, the only interoperable choice (spec/errata.md, 59).
 */
#ifndef MBUS_CORE_CRYPTO_H
#define MBUS_CORE_CRYPTO_H

#include "bytes.h"
#include "config.h"

/* HMAC cut to 96 bits (11.3). */
#define MAC_SIZE 12

struct crypto;

/* Opens what @c names. 0, -ENOMEM, or MBUS_E_CONFIG if libgcrypt has not the algorithm or calls the
 * key weak (DES). libgcrypt must have been initialised by whoever owns the process's start: see
 * crypto_global_init. */
int crypto_new(const struct config *c, struct crypto **ret_crypto);
struct crypto *crypto_free(struct crypto *crypto);

/* Initialises libgcrypt unless the application already did; may be called any number of times. */
void crypto_global_init(void);

void crypto_mac(struct crypto *crypto, struct span text, uint8_t ret_mac[static MAC_SIZE]);
/* The same of @first with @second behind it. */
void crypto_mac_two(struct crypto *crypto, struct span first, struct span second,
                    uint8_t ret_mac[static MAC_SIZE]);
/* Whether two digests are equal, in a time that does not depend on where they differ (SEC-09). */
bool mac_equal(const uint8_t a[static MAC_SIZE], const uint8_t b[static MAC_SIZE]);

/* 1 without encryption, else the block length of the cipher: messages are padded to it. */
size_t crypto_block_size(const struct crypto *crypto);
bool crypto_encrypts(const struct crypto *crypto);
/* In place; @n is a multiple of the block size. */
void crypto_encrypt(struct crypto *crypto, char *at, size_t n);
void crypto_decrypt(struct crypto *crypto, const char *from, size_t n, char *ret_at);

#endif
