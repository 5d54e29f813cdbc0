/*
 * base64.c - base64 as RFC 3259 uses it: the alphabet of RFC 1521, padded, without line breaks.
 *
 * Used for the digest (11.3), the keys (12) and the Data type (5.3). Exactly one text decodes to
 * given octets: whatever is not what base64_encode() writes is refused.
 */
#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits of a character, or -1. */
static int bits_of(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '+')
                return 62;
        return c == '/' ? 63 : -1;
}

void base64_encode(const void *bytes, size_t n, char *ret_text)
{
        const unsigned char *from = bytes;
        size_t i;

        for (i = 0; i < n; i += 3, ret_text += 4) {
                unsigned group = (unsigned)from[i] << 16;

                if (n - i > 1)
                        group |= (unsigned)from[i + 1] << 8;
                if (n - i > 2)
                        group |= from[i + 2];
                ret_text[0] = alphabet[group >> 18];
                ret_text[1] = alphabet[group >> 12 & 63];
                ret_text[2] = n - i > 1 ? alphabet[group >> 6 & 63] : '=';
                ret_text[3] = n - i > 2 ? alphabet[group & 63] : '=';
        }
}

/* Decodes four characters, the last @padding of which are "=", into 3 - @padding octets. */
static bool decode_group(const char *text, size_t padding, unsigned char *ret_bytes)
{
        unsigned group = 0;
        size_t i;

        for (i = 0; i < 4; i++) {
                int bits = i < 4 - padding ? bits_of(text[i]) : 0;

                if (bits < 0)
                        return false;
                group = group << 6 | (unsigned)bits;
        }
        if (group & ((1u << 8 * padding) - 1))
                return false;
        for (i = 0; i < 3 - padding; i++)
                ret_bytes[i] = (unsigned char)(group >> (16 - 8 * i));
        return true;
}

bool base64_decode(struct span text, void *ret_bytes, size_t *ret_n)
{
        unsigned char *to = ret_bytes;
        size_t padding = 0, i;

        if (text.n % 4 != 0)
                return false;
        if (text.n > 0 && text.at[text.n - 1] == '=')
                padding = text.at[text.n - 2] == '=' ? 2 : 1;
        for (i = 0; i < text.n; i += 4) {
                if (!decode_group(text.at + i, text.n - i == 4 ? padding : 0, to + i / 4 * 3))
                        return false;
        }
        *ret_n = base64_decoded_max(text.n) - padding;
        return true;
}
