/*
 * seal.c - digest, padding and encryption around a message (RFC 3259, sections 11.2 to 11.4).
 *
 * Sent: pad, encrypt, digest over what was encrypted. Opened in the opposite order, and nothing but
 * the length is looked at before the digest has been verified. Opening allocates nothing.
 */
#include "seal.h"

#include "base64.h"

#define PROTOCOL "mbus/"

static size_t round_up(size_t n, size_t block)
{
        return (n + block - 1) / block * block;
}

static struct span line_end(enum dialect dialect)
{
        return span_of(dialect == DIALECT_UCL ? "\n" : "\r\n");
}

size_t seal_text_max(const struct crypto *crypto, enum dialect dialect, size_t datagram_max)
{
        size_t overhead = SEAL_DIGEST_SIZE + line_end(dialect).n, room;

        if (datagram_max < overhead)
                return 0;
        room = datagram_max - overhead;
        return room - room % crypto_block_size(crypto);
}

void seal_message(struct crypto *crypto, enum dialect dialect, struct span text, struct buffer *out)
{
        size_t padded = round_up(text.n, crypto_block_size(crypto));
        struct span end = line_end(dialect);
        uint8_t mac[MAC_SIZE];
        char *at, *message;

        at = buffer_reserve(out, SEAL_DIGEST_SIZE + end.n + padded);
        if (!at)
                return;

        message = at + SEAL_DIGEST_SIZE + end.n;
        memcpy(message, text.at, text.n);
        memset(message + text.n, 0, padded - text.n);
        if (crypto_encrypts(crypto))
                crypto_encrypt(crypto, message, padded);

        crypto_mac(crypto, (struct span){ message, padded }, mac);
        base64_encode(mac, MAC_SIZE, at);
        memcpy(at + SEAL_DIGEST_SIZE, end.at, end.n);
        out->n += SEAL_DIGEST_SIZE + end.n + padded;
}

/* The first line of a datagram that is long enough; what is behind it goes to *@ret_rest. */
static bool parse_digest(struct span datagram, uint8_t ret_mac[static MAC_SIZE],
                         struct span *ret_rest)
{
        size_t n, i = SEAL_DIGEST_SIZE;

        if (datagram.at[i] == '\r')
                i++;
        if (datagram.at[i++] != '\n')
                return false;
        /* Padding would make it fewer octets. */
        if (!base64_decode((struct span){ datagram.at, SEAL_DIGEST_SIZE }, ret_mac, &n) ||
            n != MAC_SIZE)
                return false;

        *ret_rest = (struct span){ datagram.at + i, datagram.n - i };
        return true;
}

static void strip_zeros(struct span *text)
{
        while (text->n > 0 && text->at[text->n - 1] == 0)
                text->n--;
}

static bool has_mac(struct crypto *crypto, struct span text, const uint8_t mac[static MAC_SIZE])
{
        uint8_t own[MAC_SIZE];

        crypto_mac(crypto, text, own);
        return mac_equal(own, mac);
}

/* JMbus sends zero octets behind a message that is not encrypted, and its digest does not cover
 * them (spec/errata.md, 74). */
static bool verify(struct crypto *crypto, struct span text, const uint8_t mac[static MAC_SIZE])
{
        size_t n = text.n;

        if (has_mac(crypto, text, mac))
                return true;
        if (crypto_encrypts(crypto))
                return false;
        strip_zeros(&text);
        return text.n < n && has_mac(crypto, text, mac);
}

enum seal_fault seal_open(struct crypto *crypto, struct span datagram, char *scratch,
                          struct span *ret_text)
{
        uint8_t mac[MAC_SIZE];
        struct span text;

        if (datagram.n < SEAL_DIGEST_SIZE + 1 + strlen(PROTOCOL))
                return SEAL_SHORT;
        if (!parse_digest(datagram, mac, &text))
                return SEAL_FORMAT;
        if (!verify(crypto, text, mac))
                return SEAL_DIGEST;

        if (crypto_encrypts(crypto)) {
                if (text.n % crypto_block_size(crypto) != 0)
                        return SEAL_CIPHERTEXT;
                crypto_decrypt(crypto, text.at, text.n, scratch);
                text.at = scratch;
        }
        strip_zeros(&text);
        if (!span_begins(text, PROTOCOL))
                return SEAL_PROTOCOL;

        *ret_text = text;
        return SEAL_OK;
}
