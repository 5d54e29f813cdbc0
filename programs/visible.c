/*
 * visible.c - see visible.h.
 *
 * Which characters are plain and how wide they are does not come from the locale: a log is read on
 * another machine than it is written on, and a caret must stand where it is meant to.
 */
#include "visible.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct range {
        unsigned first, last;
};

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

size_t visible_decode(const char *text, size_t n, unsigned *ret_character)
{
        static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        unsigned character;
        size_t length;

        assert(n > 0);
        length = decode_lead((unsigned char)text[0], &character);
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

static bool is_in_ranges(unsigned c, const struct range *ranges, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (c >= ranges[i].first && c <= ranges[i].last)
                        return true;
        return false;
}

/*
 * Controls (C0, C1), what breaks lines, what turns directions around, and what takes no room, but
 * for accents and the selectors behind pictures (U+FE00 to U+FE0F), which belong to the character
 * before.
 */
static const struct range hidden[] = {
        { 0x0000, 0x001f },       { 0x007f, 0x009f },   { 0x00ad, 0x00ad },   { 0x034f, 0x034f },
        { 0x061c, 0x061c },       { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
        { 0x200b, 0x200f },       { 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0x3164, 0x3164 },
        { 0xd800, 0xdfff },       { 0xfdd0, 0xfdef },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
        { 0xfff0, 0xfffb },       { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
        { 0x110000, 0xffffffff },
};

bool visible_is_plain(unsigned character)
{
        /* The last two of each plane are no characters at all. */
        return (character & 0xfffe) != 0xfffe &&
               !is_in_ranges(character, hidden, sizeof(hidden) / sizeof(*hidden));
}

/* The picture of a C0 control or DEL: U+2400 and what follows it. */
static size_t escape_as_picture(unsigned character, char *ret_visible)
{
        ret_visible[0] = '\xe2';
        ret_visible[1] = '\x90';
        ret_visible[2] = (char)(character == 0x7f ? 0xa1 : 0x80 + character);
        return 3;
}

static size_t escape(unsigned character, char ret_visible[static VISIBLE_SIZE])
{
        char number[VISIBLE_SIZE + 1];
        int n;

        if (character == '\n') {
                memcpy(ret_visible, "\\n", 2);
                return 2;
        }
        if (character < 0x20 || character == 0x7f)
                return escape_as_picture(character, ret_visible);
        n = snprintf(number, sizeof(number), character > 0xffff ? "\\U%08x" : "\\u%04x", character);
        assert(n > 0 && n <= VISIBLE_SIZE);
        memcpy(ret_visible, number, (size_t)n);
        return (size_t)n;
}

size_t visible_next(const char *text, size_t n, char ret_visible[static VISIBLE_SIZE],
                    size_t *ret_visible_n)
{
        unsigned character;
        size_t length = visible_decode(text, n, &character);

        if (!length) {
                memcpy(ret_visible, "\xef\xbf\xbd", 3);
                *ret_visible_n = 3;
                return 1;
        }
        if (character == '\t' || visible_is_plain(character)) {
                memcpy(ret_visible, text, length);
                *ret_visible_n = length;
        } else {
                *ret_visible_n = escape(character, ret_visible);
        }
        return length;
}

/* The ranges that matter where carets point, not all of Unicode. */
static unsigned width_of(unsigned c)
{
        static const struct range none[] = { { 0x0300, 0x036f },
                                             { 0x20d0, 0x20ff },
                                             { 0xfe00, 0xfe0f } };
        static const struct range two[] = {
                { 0x1100, 0x115e },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf }, { 0xac00, 0xd7a3 },
                { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 },
                { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
        };

        return is_in_ranges(c, none, sizeof(none) / sizeof(*none)) ? 0
               : is_in_ranges(c, two, sizeof(two) / sizeof(*two))  ? 2
                                                                   : 1;
}

size_t visible_width(const char *visible, size_t n)
{
        size_t width = 0;

        while (n) {
                unsigned character;
                size_t length = visible_decode(visible, n, &character);

                width += length ? width_of(character) : 1;
                visible += length ? length : 1;
                n -= length ? length : 1;
        }
        return width;
}

size_t visible_copy(const char *text, size_t n, char *ret_visible, size_t size)
{
        size_t used = 0;

        assert(size > 0);
        while (n) {
                char visible[VISIBLE_SIZE];
                size_t visible_n, length = visible_next(text, n, visible, &visible_n);

                if (visible_n >= size - used)
                        break;
                memcpy(ret_visible + used, visible, visible_n);
                used += visible_n;
                text += length;
                n -= length;
        }
        ret_visible[used] = '\0';
        return used;
}
