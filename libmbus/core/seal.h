/*
 * seal.h - a message becomes a datagram and back (RFC 3259, section 11.4).
 *
 *      datagram = digest (16 characters) CRLF encrypted-message
 *
 * Opening checks the digest before anything looks at the message.
 */
#ifndef MBUS_CORE_SEAL_H
#define MBUS_CORE_SEAL_H

#include "bytes.h"
#include "command.h"
#include "crypto.h"

/* Digest characters and line end in front of a message. */
#define SEAL_OVERHEAD 18
#define SEAL_DIGEST_SIZE 16

/* The largest message text that seals into a datagram of at most @datagram_max octets. */
size_t seal_text_max(const struct crypto *crypto, enum dialect dialect, size_t datagram_max);

/* Appends the datagram of @text to @out (which failed on return if memory was short). */
void seal_message(struct crypto *crypto, enum dialect dialect, struct span text,
                  struct buffer *out);

enum seal_fault {
        SEAL_OK,
        SEAL_SHORT,      /* cannot hold a digest and a header */
        SEAL_FORMAT,     /* the first line is no digest */
        SEAL_DIGEST,     /* the digest is another: a stranger, another key, or damage */
        SEAL_CIPHERTEXT, /* not a multiple of the cipher's block */
        SEAL_PROTOCOL,   /* what is inside does not begin with "mbus/" */
};

/*
 * Opens @datagram. @scratch has room for datagram.n octets and is used when the bus encrypts;
 * *@ret_text is a view into it or into the datagram. A lone LF after the digest and zero octets
 * behind an unencrypted message are accepted (spec/errata.md, 39 and 74).
 */
enum seal_fault seal_open(struct crypto *crypto, struct span datagram, char *scratch,
                          struct span *ret_text);
/* Whether @datagram, which could be opened, has a lone LF there: an old program wrote it, or one of
 * DIALECT=UCL for those. */
static inline bool seal_is_old(struct span datagram)
{
        return datagram.at[SEAL_DIGEST_SIZE] == '\n';
}

#endif
