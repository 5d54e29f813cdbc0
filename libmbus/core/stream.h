/*
 * stream.h - sealed frames on a stream between a client and the broker (spec/attach.md, "TCP").
 *
 *      frame = length (32 bit, big endian) body
 *      body  = digest (16 characters) CRLF encrypted-message, but for the first one of each side:
 *      hello = "mbus-stream/1 " nonce (32 hexadecimal digits)
 *
 * A digest is over who sent the frame, both nonces, the number of the frame in its direction, and
 * the encrypted message: nothing can be repeated, left out, swapped, or sent back, on this stream
 * or from another. It is of use for no datagram either (what it covers begins with no "mbus/", and
 * is no multiple of a block). The first sealed frame of each side is empty and proves that it has
 * the key.
 */
#ifndef MBUS_CORE_STREAM_H
#define MBUS_CORE_STREAM_H

#include "crypto.h"
#include "frame.h"

#define STREAM_NONCE_SIZE 16
/* A message of FRAME_MAX octets, padded, and its digest. */
#define STREAM_BODY_MAX (18 + FRAME_MAX + 16)

enum stream_state {
        STREAM_GREETING, /* the hello of the other side is awaited */
        STREAM_PROVING,  /* its proof is */
        STREAM_OPEN,
};

/*
 * One side of a stream. It only goes on: from GREETING to PROVING when the other side's hello came,
 * from there to OPEN when its proof, the first sealed frame, was right. n_sealed and n_opened are
 * the numbers of the next frames in the two directions; a frame that is not what comes next does
 * not open.
 */
struct stream {
        struct crypto *crypto; /* borrowed */
        bool server;
        enum stream_state state;
        uint8_t nonces[2][STREAM_NONCE_SIZE]; /* the server's, the client's */
        uint64_t n_sealed;
        uint64_t n_opened;
        char *scratch; /* for decryption */
};

/* @nonce was never used before. 0 or -ENOMEM. */
int stream_init(struct stream *s, struct crypto *crypto, bool server,
                const uint8_t nonce[static STREAM_NONCE_SIZE]);
void stream_deinit(struct stream *s);
/* Appends what the server says first; a client waits for it. */
void stream_begin(struct stream *s, struct buffer *out);

enum stream_status {
        STREAM_PARTIAL, /* more octets are needed */
        STREAM_DONE,    /* a frame of the protocol's own was taken; *@out may have an answer */
        STREAM_TEXT,    /* a message */
        STREAM_STRANGE, /* no stream of this protocol, or of another version */
        STREAM_FORGED,  /* a digest is wrong: the other side has another key, or somebody meddled */
};

/*
 * Takes a frame from the start of @bytes, of which it occupies *@ret_n. *@ret_text is valid until
 * the next call or the change of @bytes. After STREAM_STRANGE and STREAM_FORGED the stream is of no
 * use.
 */
enum stream_status stream_take(struct stream *s, struct span bytes, struct span *ret_text,
                               bool *ret_observed, size_t *ret_n, struct buffer *out);
/* Appends the frame of @text, which is not empty; the stream is open. @observed marks a monitor's
 * copy. */
void stream_put(struct stream *s, struct span text, bool observed, struct buffer *out);

#endif
