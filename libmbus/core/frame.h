/*
 * frame.h - messages on a stream between a client and the broker (spec/attach.md).
 *
 *      frame = length (32 bit, big endian) message-without-digest
 *
 * The top bit of the length marks the copy of a message that a monitor sees; the other 31 count the
 * octets of the message, 1 to FRAME_MAX.
 */
#ifndef MBUS_CORE_FRAME_H
#define MBUS_CORE_FRAME_H

#include "bytes.h"
#include "limits.h"

#define FRAME_HEADER_SIZE 4
#define FRAME_OBSERVED UINT32_C(0x80000000)

enum frame_status {
        FRAME_OK,
        FRAME_PARTIAL, /* more octets are needed */
        FRAME_BAD,     /* a length of 0 or above FRAME_MAX: the stream cannot be trusted any more */
};

/* Looks at the frame at the start of @bytes. *@ret_text is its message, *@ret_n what it
 * occupies. */
enum frame_status frame_next(struct span bytes, struct span *ret_text, bool *ret_observed,
                             size_t *ret_n);

/* The octets of the message whose frame begins at @at. */
static inline size_t frame_get_length(const char *at)
{
        const unsigned char *u = (const unsigned char *)at;
        uint32_t word = (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];

        return word & ~FRAME_OBSERVED;
}

static inline void frame_put_length(char *at, size_t n, bool observed)
{
        uint32_t word = (uint32_t)n | (observed ? FRAME_OBSERVED : 0);

        at[0] = (char)(word >> 24);
        at[1] = (char)(word >> 16);
        at[2] = (char)(word >> 8);
        at[3] = (char)word;
}

#endif
