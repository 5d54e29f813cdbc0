/*
 * config-algorithm.h - hashes and ciphers by name, and the keys that they take (RFC 3259, sections
 * 11.2, 11.3 and 12; spec/errata.md, 57, 58 and 65).
 */
#ifndef MBUS_CORE_CONFIG_ALGORITHM_H
#define MBUS_CORE_CONFIG_ALGORITHM_H

#include "config-fields.h"

/* The octets that a key of this algorithm has: 20 SHA1, 16 MD5; 16 AES, 8 DES, 24 3DES, 16 IDEA. */
size_t hash_key_size(enum hash hash);
size_t cipher_key_size(enum cipher cipher);
/* The algo-id of section 12: "HMAC-SHA1-96", "NOENCR", ... */
const char *hash_name(enum hash hash);
const char *cipher_name(enum cipher cipher);
/* The algorithm with this name in any case, or HASH_MAX and CIPHER_MAX. */
enum hash hash_find(struct span name);
enum cipher cipher_find(struct span name);
/* What a message says behind the length of a key that is too short, and of one that is odd. */
const char *hash_too_short(enum hash hash);
const char *hash_warning(enum hash hash);
const char *cipher_too_short(enum cipher cipher);
const char *cipher_warning(enum cipher cipher);

#endif
