/*
 * base64.c - base64 with its padding. The library's own is inside it and not for programs.
 */
#include "base64.h"

void base64_print(FILE *file, const void *bytes, size_t n)
{
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const unsigned char *p = bytes;

        for (; n; p += 3, n -= n < 3 ? n : 3) {
                unsigned group =
                        (unsigned)p[0] << 16 | (n > 1 ? p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

                fputc(digits[group >> 18], file);
                fputc(digits[group >> 12 & 63], file);
                fputc(n > 1 ? digits[group >> 6 & 63] : '=', file);
                fputc(n > 2 ? digits[group & 63] : '=', file);
        }
}
