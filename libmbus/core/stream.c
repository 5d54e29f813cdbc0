/*
 * stream.c - sealed frames on a stream between a client and the broker.
 *
 * The counters are what is sent and received, so they need no octet on the wire; they cannot run
 * over in any life of a link.
 */
#include "stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base64.h"

#define HELLO "mbus-stream/1 "
#define DIGEST_SIZE 16
#define SEAL_SIZE (DIGEST_SIZE + 2)
/* Who, two nonces, the number of the frame: no multiple of a cipher's block. */
#define PREFIX_SIZE (1 + 2 * STREAM_NONCE_SIZE + 8)

_Static_assert(PREFIX_SIZE % 8 != 0, "what a digest covers must be no message of a bus");

int stream_init(struct stream *s, struct crypto *crypto, bool server,
                const uint8_t nonce[static STREAM_NONCE_SIZE])
{
        *s = (struct stream){ .crypto = crypto, .server = server };
        memcpy(s->nonces[server ? 0 : 1], nonce, STREAM_NONCE_SIZE);
        if (!crypto_encrypts(crypto))
                return 0;
        s->scratch = malloc(STREAM_BODY_MAX);
        return s->scratch ? 0 : -ENOMEM;
}

void stream_deinit(struct stream *s)
{
        free(s->scratch);
        s->scratch = NULL;
}

/* ---- hello --------------------------------------------------------------------------------- */

static void say_hello(struct stream *s, struct buffer *out)
{
        static const char digits[] = "0123456789abcdef";
        const uint8_t *nonce = s->nonces[s->server ? 0 : 1];
        size_t n = sizeof(HELLO) - 1 + 2 * STREAM_NONCE_SIZE;
        char *at = buffer_reserve(out, FRAME_HEADER_SIZE + n);

        if (!at)
                return;
        frame_put_length(at, n, false);
        at += FRAME_HEADER_SIZE;
        memcpy(at, HELLO, sizeof(HELLO) - 1);
        at += sizeof(HELLO) - 1;
        for (unsigned i = 0; i < STREAM_NONCE_SIZE; i++) {
                *at++ = digits[nonce[i] >> 4];
                *at++ = digits[nonce[i] & 15];
        }
        out->n += FRAME_HEADER_SIZE + n;
}

void stream_begin(struct stream *s, struct buffer *out)
{
        say_hello(s, out);
}

static int digit_of(char c)
{
        if (is_digit(c))
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hello(struct stream *s, struct span body)
{
        uint8_t *nonce = s->nonces[s->server ? 1 : 0];

        if (!span_begins(body, HELLO) || body.n != sizeof(HELLO) - 1 + 2 * STREAM_NONCE_SIZE)
                return false;
        body = span_from(body, sizeof(HELLO) - 1);
        for (unsigned i = 0; i < STREAM_NONCE_SIZE; i++) {
                int high = digit_of(body.at[2 * i]), low = digit_of(body.at[2 * i + 1]);

                if (high < 0 || low < 0)
                        return false;
                nonce[i] = (uint8_t)(high << 4 | low);
        }
        /* Our own one sent back would make both directions alike, were it not for who is in it. */
        return memcmp(s->nonces[0], s->nonces[1], STREAM_NONCE_SIZE) != 0;
}

/* ---- sealed frames ------------------------------------------------------------------------- */

/* What the digest of the frame @number of the @server or the client covers before its message. */
static struct span prefix_of(const struct stream *s, bool server, bool observed, uint64_t number,
                             char room[static PREFIX_SIZE])
{
        char *at = room;

        *at++ = server ? (observed ? 'O' : 'S') : 'C';
        memcpy(at, s->nonces, 2 * STREAM_NONCE_SIZE);
        at += 2 * STREAM_NONCE_SIZE;
        for (unsigned i = 0; i < 8; i++)
                *at++ = (char)(number >> (56 - 8 * i));
        return (struct span){ room, PREFIX_SIZE };
}

/* Appends the sealed frame of @text, which may be empty. */
static void put(struct stream *s, struct span text, bool observed, struct buffer *out)
{
        size_t block = crypto_block_size(s->crypto), padded = (text.n + block - 1) / block * block;
        char room[PREFIX_SIZE];
        uint8_t mac[MAC_SIZE];
        char *at = buffer_reserve(out, FRAME_HEADER_SIZE + SEAL_SIZE + padded), *message;

        if (!at)
                return;
        frame_put_length(at, SEAL_SIZE + padded, observed);
        message = at + FRAME_HEADER_SIZE + SEAL_SIZE;
        if (text.n > 0)
                memcpy(message, text.at, text.n);
        memset(message + text.n, 0, padded - text.n);
        if (crypto_encrypts(s->crypto) && padded > 0)
                crypto_encrypt(s->crypto, message, padded);
        crypto_mac_two(s->crypto, prefix_of(s, s->server, observed, s->n_sealed++, room),
                       (struct span){ message, padded }, mac);
        base64_encode(mac, MAC_SIZE, at + FRAME_HEADER_SIZE);
        memcpy(message - 2, "\r\n", 2);
        out->n += FRAME_HEADER_SIZE + SEAL_SIZE + padded;
}

void stream_put(struct stream *s, struct span text, bool observed, struct buffer *out)
{
        put(s, text, observed, out);
}

/* Opens a sealed body. */
static bool open_body(struct stream *s, struct span body, bool observed, struct span *ret_text)
{
        uint8_t mac[MAC_SIZE], own[MAC_SIZE];
        char room[PREFIX_SIZE];
        struct span text;
        size_t n;

        assert(s->state != STREAM_GREETING);
        if (body.n < SEAL_SIZE || memcmp(body.at + DIGEST_SIZE, "\r\n", 2) != 0 ||
            !base64_decode((struct span){ body.at, DIGEST_SIZE }, mac, &n) || n != MAC_SIZE)
                return false;
        text = span_from(body, SEAL_SIZE);
        crypto_mac_two(s->crypto, prefix_of(s, !s->server, observed, s->n_opened, room), text, own);
        if (!mac_equal(own, mac) || text.n % crypto_block_size(s->crypto) != 0)
                return false;
        s->n_opened++;
        if (crypto_encrypts(s->crypto) && text.n > 0) {
                crypto_decrypt(s->crypto, text.at, text.n, s->scratch);
                text.at = s->scratch;
                while (text.n > 0 && text.at[text.n - 1] == 0)
                        text.n--;
        }
        *ret_text = text;
        return true;
}

/* ---- frames -------------------------------------------------------------------------------- */

static enum stream_status take_body(struct stream *s, struct span body, bool observed,
                                    struct span *ret_text, struct buffer *out)
{
        struct span text;

        if (s->state == STREAM_GREETING) {
                if (observed || !read_hello(s, body))
                        return STREAM_STRANGE;
                s->state = STREAM_PROVING;
                /* The client proves itself at once, the server when it has seen that. */
                if (!s->server) {
                        say_hello(s, out);
                        put(s, SPAN_NULL, false, out);
                }
                return STREAM_DONE;
        }
        if (!open_body(s, body, observed, &text))
                return STREAM_FORGED;
        if (s->state == STREAM_PROVING) {
                if (text.n > 0)
                        return STREAM_STRANGE;
                s->state = STREAM_OPEN;
                if (s->server)
                        put(s, SPAN_NULL, false, out);
                return STREAM_DONE;
        }
        *ret_text = text;
        return text.n > 0 && text.n <= FRAME_MAX ? STREAM_TEXT : STREAM_STRANGE;
}

enum stream_status stream_take(struct stream *s, struct span bytes, struct span *ret_text,
                               bool *ret_observed, size_t *ret_n, struct buffer *out)
{
        const unsigned char *u = (const unsigned char *)bytes.at;
        uint32_t word, n;

        if (bytes.n < FRAME_HEADER_SIZE)
                return STREAM_PARTIAL;
        word = (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
        n = word & ~FRAME_OBSERVED;
        if (n == 0 || n > (s->state == STREAM_OPEN ? STREAM_BODY_MAX : STREAM_HELLO_MAX) ||
            ((word & FRAME_OBSERVED) && s->server))
                return STREAM_STRANGE;
        if (n > bytes.n - FRAME_HEADER_SIZE)
                return STREAM_PARTIAL;
        *ret_n = FRAME_HEADER_SIZE + n;
        *ret_observed = word & FRAME_OBSERVED;
        return take_body(s, (struct span){ bytes.at + FRAME_HEADER_SIZE, n }, *ret_observed,
                         ret_text, out);
}
