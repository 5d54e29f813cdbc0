/*
 * letter.c - what simulated applications write.
 */
#include "letter.h"

#define PADDING_MAX 1000

void letter_write(uint64_t serial, unsigned n, struct buffer *out)
{
        uint64_t luck = serial * UINT64_C(0x9e3779b97f4a7c15) >> 32;

        for (unsigned i = 0; i < n; ++i) {
                if (i)
                        buffer_add_text(out, "\r\n");
                buffer_add_text(out, LETTER_COMMAND "(");
                buffer_add_uint(out, serial);
                buffer_add_char(out, ' ');
                buffer_add_uint(out, i);
                if (luck % 16 == i) {
                        buffer_add_text(out, " \"");
                        for (uint64_t k = luck % PADDING_MAX; k > 0; --k)
                                buffer_add_char(out, 'x');
                        buffer_add_char(out, '"');
                }
                buffer_add_char(out, ')');
        }
}
