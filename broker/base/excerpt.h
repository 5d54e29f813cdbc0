/*
 * excerpt.h - what others wrote, as far as a line of the log or a sentence of the broker repeats
 * it.
 *
 *      log_info("%.*s", excerpt_size(text), text.at)
 */
#ifndef BROKER_BASE_EXCERPT_H
#define BROKER_BASE_EXCERPT_H

#include <core/bytes.h>

/* Enough for an address as people write them; one may have 3 KByte, and would push the rest of the
 * line out of it. */
#define EXCERPT_MAX 128

/* Whole characters only, since a log is UTF-8. */
static inline int excerpt_size(struct span text)
{
        size_t n = text.n < EXCERPT_MAX ? text.n : EXCERPT_MAX;

        while (n > 0 && n < text.n && ((unsigned char)text.at[n] & 0xc0) == 0x80)
                n--;
        return (int)n;
}

#endif
