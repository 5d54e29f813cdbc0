/*
 * base64.h - base64 as RFC 3259 uses it: RFC 1521 alphabet, padding required, no line breaks.
 *
 * Used for the digest (11.3), the keys of the configuration (12) and the Data type (5.3).
 */
#ifndef MBUS_CORE_BASE64_H
#define MBUS_CORE_BASE64_H

#include "bytes.h"

/* Octets that @n octets become. */
static inline size_t base64_encoded_size(size_t n)
{
        return (n + 2) / 3 * 4;
}

/* Octets that @n characters become at most. */
static inline size_t base64_decoded_max(size_t n)
{
        return n / 4 * 3;
}

/* Writes base64_encoded_size(@n) characters to @ret_text, without a terminating zero. */
void base64_encode(const void *bytes, size_t n, char *ret_text);

/*
 * Decodes @text into @ret_bytes, which has room for base64_decoded_max(text.n) octets, and returns
 * their number in *@ret_n. False, with nothing promised about @ret_bytes, if @text is not a
 * multiple of four characters, holds a character outside the alphabet, has its padding wrong or
 * has bits behind the padding that are not zero.
 */
bool base64_decode(struct span text, void *ret_bytes, size_t *ret_n);

#endif
