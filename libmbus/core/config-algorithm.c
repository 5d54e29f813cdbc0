/*
 * config-algorithm.c - see config-algorithm.h.
 */
#include "config-algorithm.h"

static const struct {
        const char *name;
        size_t key_size;
        const char *too_short;
        const char *warning;
} hashes[HASH_MAX] = {
        [HASH_SHA1] = { "HMAC-SHA1-96", 20,
                        " octets, HMAC-SHA1-96 takes 20 (12 at least); mend it by mbus-cli keygen",
                        " octets, fewer than the 20 of HMAC-SHA1-96." },
        [HASH_MD5] = { "HMAC-MD5-96", 16,
                       " octets, HMAC-MD5-96 takes 16 (12 at least); mend it by mbus-cli keygen",
                       " octets, fewer than the 16 of HMAC-MD5-96." },
};

static const struct {
        const char *name;
        size_t key_size;
        const char *too_short;
        const char *warning;
} ciphers[CIPHER_MAX] = {
        [CIPHER_NONE] = { "NOENCR", 0, "", "" },
        [CIPHER_AES] = { "AES", 16, " octets, AES takes 16; make one with mbus-cli keygen",
                         " octets, of which AES uses the first 16." },
        [CIPHER_DES] = { "DES", 8, " octets, DES takes 8; make one with mbus-cli keygen",
                         " octets, of which DES uses the first 8." },
        [CIPHER_3DES] = { "3DES", 24,
                          " octets, 3DES takes 24 (or 16, if the first 8 are used twice); "
                          "make one with mbus-cli keygen",
                          " octets, of which 3DES uses the first 24." },
        [CIPHER_IDEA] = { "IDEA", 16, " octets, IDEA takes 16; make one with mbus-cli keygen",
                          " octets, of which IDEA uses the first 16." },
};

size_t hash_key_size(enum hash hash)
{
        return hashes[hash].key_size;
}

size_t cipher_key_size(enum cipher cipher)
{
        return ciphers[cipher].key_size;
}

const char *hash_name(enum hash hash)
{
        return hashes[hash].name;
}

const char *cipher_name(enum cipher cipher)
{
        return ciphers[cipher].name;
}

enum hash hash_find(struct span name)
{
        enum hash hash = 0;

        while (hash < HASH_MAX && !span_equal_nocase(name, hashes[hash].name))
                hash++;
        return hash;
}

enum cipher cipher_find(struct span name)
{
        enum cipher cipher = 0;

        while (cipher < CIPHER_MAX && !span_equal_nocase(name, ciphers[cipher].name))
                cipher++;
        return cipher;
}

const char *hash_too_short(enum hash hash)
{
        return hashes[hash].too_short;
}

const char *hash_warning(enum hash hash)
{
        return hashes[hash].warning;
}

const char *cipher_too_short(enum cipher cipher)
{
        return ciphers[cipher].too_short;
}

const char *cipher_warning(enum cipher cipher)
{
        return ciphers[cipher].warning;
}
