/*
 * frame.c - finds where one message ends and the next begins on a stream (spec/attach.md).
 *
 * No octet behind the length is looked at, so a receiver may call again with more as often as it
 * likes at no cost.
 */
#include "frame.h"

static uint32_t get_word(const char *at)
{
        const unsigned char *u = (const unsigned char *)at;

        return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

enum frame_status frame_next(struct span bytes, struct span *ret_text, bool *ret_observed,
                             size_t *ret_n)
{
        uint32_t word, n;

        if (bytes.n < FRAME_HEADER_SIZE)
                return FRAME_PARTIAL;

        word = get_word(bytes.at);
        n = word & ~FRAME_OBSERVED;
        if (n == 0 || n > FRAME_MAX)
                return FRAME_BAD;
        if (n > bytes.n - FRAME_HEADER_SIZE)
                return FRAME_PARTIAL;

        *ret_text = (struct span){ bytes.at + FRAME_HEADER_SIZE, n };
        *ret_observed = word & FRAME_OBSERVED;
        *ret_n = FRAME_HEADER_SIZE + n;
        return FRAME_OK;
}
