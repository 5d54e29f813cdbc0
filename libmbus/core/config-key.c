/*
 * config-key.c - see config-key.h. RFC 3259, sections 11.2, 11.3 and 12; spec/errata.md, 57 and 58.
 *
 * A cipher key leaves here exactly as long as its cipher wants it.
 */
#include "config-key.h"

#include "base64.h"
#include "config-algorithm.h"

/* The RFC's own example and deployed files have hash keys of 96 bits (spec/errata.md, 57). */
#define HASH_KEY_MIN 12
/* A 3DES key of two parts, the first of which is used again as the third. */
#define EDE2_SIZE 16
/* As many characters as the longest key has are one or two octets more without padding. */
#define KEY_DECODED_MAX ((CONFIG_KEY_MAX + 2) / 3 * 3)

/* Takes "(algorithm,key)" apart; the comma and the key may be missing, as in "(NOENCR)". */
static int split_entry(struct config_reader *reader, struct span value, struct span *ret_algorithm,
                       struct span *ret_key)
{
        if (value.n < 2 || value.at[0] != '(' || value.at[value.n - 1] != ')')
                return config_fail(reader, "is no key entry, write it as (ALGORITHM,BASE64)");
        config_split((struct span){ value.at + 1, value.n - 2 }, ',', ret_algorithm, ret_key);
        return 0;
}

static int decode_key(struct config_reader *reader, struct span text, struct config_key *ret_key)
{
        uint8_t bytes[KEY_DECODED_MAX];
        size_t n = 0;

        if (text.n <= base64_encoded_size(CONFIG_KEY_MAX) && !base64_decode(text, bytes, &n))
                return config_fail(reader,
                                   "has a key that is not base64, whose length is a multiple of "
                                   "4 with = at the end; copy it again");
        if (text.n > base64_encoded_size(CONFIG_KEY_MAX) || n > CONFIG_KEY_MAX)
                return config_fail_number(reader, "has a key of more than ", CONFIG_KEY_MAX,
                                          " octets, make one with mbus-cli keygen");
        memcpy(ret_key->bytes, bytes, n);
        ret_key->n = n;
        explicit_bzero(bytes, n);
        return 0;
}

int config_read_hash_key(struct config_reader *reader, struct span value)
{
        struct config *c = &reader->config;
        struct span algorithm, text;
        int error;

        error = split_entry(reader, value, &algorithm, &text);
        if (error)
                return error;
        c->hash = hash_find(algorithm);
        if (c->hash == HASH_MAX)
                return config_fail(reader,
                                   "has an unknown algorithm, use HMAC-SHA1-96 or HMAC-MD5-96");

        error = decode_key(reader, text, &c->hash_key);
        if (error)
                return error;
        if (c->hash_key.n < HASH_KEY_MIN)
                return config_fail_number(reader, "has a key of ", c->hash_key.n,
                                          hash_too_short(c->hash));
        if (c->hash_key.n < hash_key_size(c->hash))
                config_warn_number(reader, "The key has ", c->hash_key.n, hash_warning(c->hash));
        return 0;
}

/* Makes the key as long as the cipher wants it. */
static int fit_cipher_key(struct config_reader *reader)
{
        struct config *c = &reader->config;
        struct config_key *key = &c->cipher_key;
        size_t size = cipher_key_size(c->cipher);

        if (c->cipher == CIPHER_3DES && key->n == EDE2_SIZE) {
                memcpy(key->bytes + EDE2_SIZE, key->bytes, size - EDE2_SIZE);
                key->n = size;
        }
        if (key->n < size)
                return config_fail_number(reader, "has a key of ", key->n,
                                          cipher_too_short(c->cipher));
        if (key->n > size)
                config_warn_number(reader, "The key has ", key->n, cipher_warning(c->cipher));
        key->n = size;
        return 0;
}

int config_read_cipher_key(struct config_reader *reader, struct span value)
{
        struct config *c = &reader->config;
        struct span algorithm, text;
        int error;

        error = split_entry(reader, value, &algorithm, &text);
        if (error)
                return error;
        c->cipher = cipher_find(algorithm);
        if (c->cipher == CIPHER_MAX)
                return config_fail(reader, "has an unknown algorithm, "
                                           "use AES, IDEA, 3DES, DES or NOENCR");
        /* Whatever else the entry holds is ignored (12). */
        if (c->cipher == CIPHER_NONE)
                return 0;

        error = decode_key(reader, text, &c->cipher_key);
        return error ? error : fit_cipher_key(reader);
}

static void format_entry(const char *name, const struct config_key *key, struct buffer *out)
{
        size_t n = base64_encoded_size(key->n);
        char *at;

        buffer_add_char(out, '(');
        buffer_add_text(out, name);
        buffer_add_char(out, ',');
        at = buffer_reserve(out, n);
        if (at) {
                base64_encode(key->bytes, key->n, at);
                out->n += n;
        }
        buffer_add_char(out, ')');
}

void config_format_hash_key(const struct config *c, struct buffer *out)
{
        format_entry(hash_name(c->hash), &c->hash_key, out);
}

void config_format_cipher_key(const struct config *c, struct buffer *out)
{
        format_entry(cipher_name(c->cipher), &c->cipher_key, out);
}
