/*
 * text.c - error messages with a caret, and foreign text on a terminal.
 *
 * What arrives from the bus may hold any control character inside a string (RFC 3259, 5.3). A line
 * format promises one line a message, and nobody wants a peer to move the cursor.
 */
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

void text_error(const char *format, ...)
{
        va_list args;

        fputs("mbus-cli: ", stderr);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
}

/* The length that the first octet announces and the bits it carries itself. */
static size_t decode_lead(unsigned char lead, unsigned *ret_bits)
{
        size_t length = lead < 0x80   ? 1
                        : lead < 0xc2 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf5 ? 4
                                      : 0;

        *ret_bits = length == 1 ? lead : lead & (0x7fu >> length);
        return length;
}

size_t text_decode(const char *text, size_t n, unsigned *ret_character)
{
        static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        unsigned character;
        size_t length = decode_lead((unsigned char)text[0], &character);

        if (!length || length > n)
                return 0;
        for (size_t i = 1; i < length; i++) {
                if (((unsigned char)text[i] & 0xc0) != 0x80)
                        return 0;
                character = character << 6 | ((unsigned char)text[i] & 0x3f);
        }
        if (character < least[length] || character > 0x10ffff ||
            (character >= 0xd800 && character < 0xe000))
                return 0;
        *ret_character = character;
        return length;
}

/* Which characters take no column or two: the ranges that matter where carets point, not all of
 * Unicode, because wcwidth() would depend on the locale. */
static unsigned width_of(unsigned c)
{
        static const struct {
                unsigned first, last, width;
        } ranges[] = {
                { 0x0300, 0x036f, 0 },   { 0x1100, 0x115f, 2 },   { 0x200b, 0x200f, 0 },
                { 0x20d0, 0x20ff, 0 },   { 0x2e80, 0x303e, 2 },   { 0x3041, 0xa4cf, 2 },
                { 0xac00, 0xd7a3, 2 },   { 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },
                { 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 },   { 0xffe0, 0xffe6, 2 },
                { 0x1f300, 0x1faff, 2 }, { 0x20000, 0x3fffd, 2 },
        };

        for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
                if (c >= ranges[i].first && c <= ranges[i].last)
                        return ranges[i].width;
        return 1;
}

size_t text_width(const char *text, size_t n)
{
        size_t width = 0;

        while (n) {
                unsigned character;
                size_t length = text_decode(text, n, &character);

                width += length ? width_of(character) : 1;
                text += length ? length : 1;
                n -= length ? length : 1;
        }
        return width;
}

static void print_picture(FILE *file, unsigned character)
{
        if (character == '\n')
                fputs("\\n", file);
        else if (character < 0x20)
                fprintf(file, "\xe2\x90%c", 0x80 + (int)character);
        else if (character == 0x7f)
                fputs("\xe2\x90\xa1", file);
        else
                fputs("\xef\xbf\xbd", file);
}

static int is_plain(unsigned c)
{
        return c == '\t' || (c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0));
}

void text_print_visible(FILE *file, const char *text, size_t n)
{
        while (n) {
                unsigned character = 0x80; /* broken UTF-8 is shown like a C1 control */
                size_t length = text_decode(text, n, &character);

                if (length && is_plain(character))
                        fwrite(text, 1, length, file);
                else
                        print_picture(file, character);
                text += length ? length : 1;
                n -= length ? length : 1;
        }
}

void text_error_at(FILE *file, const char *where, const char *what, const char *text, size_t at)
{
        size_t n = strlen(text), begin, end;

        if (at > n)
                at = n;
        for (begin = at; begin && text[begin - 1] != '\n'; begin--)
                ;
        for (end = at; end < n && text[end] != '\n'; end++)
                ;
        fprintf(file, "mbus-cli: %s: %s\n", where, what);
        /* A tab would move the caret: it is shown as a space. */
        for (size_t i = begin, next; i < end; i = next) {
                for (next = i; next < end && text[next] != '\t'; next++)
                        ;
                text_print_visible(file, text + i, next - i);
                if (next < end) {
                        fputc(' ', file);
                        next++;
                }
        }
        fprintf(file, "\n%*s^\n", (int)text_width(text + begin, at - begin), "");
}
