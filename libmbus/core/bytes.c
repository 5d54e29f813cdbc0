/*
 * bytes.c - the parts of bytes.h that are too long for a header.
 *
 * UTF-8 (RFC 3259, section 5.1) is checked in every message that is delivered, so the check takes
 * many octets at a time as long as they are ASCII. Invariant of a buffer: n <= size, and `at` is
 * NULL only while size is 0.
 */
#include "bytes.h"

#include <assert.h>
#include <stdlib.h>

/* What a buffer gets first; most addresses and messages fit without a second allocation. */
#define BUFFER_SIZE_MIN 256

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool span_equal_nocase(struct span a, const char *text)
{
        size_t i;

        if (strlen(text) != a.n)
                return false;
        for (i = 0; i < a.n; i++) {
                if (lower(a.at[i]) != lower(text[i]))
                        return false;
        }
        return true;
}

/* What processors of all kinds take at once, at most; where they do not, the compiler makes do. */
typedef uint64_t words __attribute__((vector_size(16)));
typedef unsigned char octets __attribute__((vector_size(16)));

/* Whether the 64 octets at @at are ASCII and not zero. */
static inline bool is_plain(const char *at)
{
        const uint64_t tops = UINT64_C(0x8080808080808080);
        octets o[4];
        words odd;

        memcpy(o, at, sizeof(o));
        /* A comparison sets all bits of an octet, the top one, too. */
        odd = (words)(o[0] | (o[0] == 0) | o[1] | (o[1] == 0) | o[2] | (o[2] == 0) | o[3] |
                      (o[3] == 0));
        return ((odd[0] | odd[1]) & tops) == 0;
}

/* How many octets at @at, out of @n, are ASCII and not zero; may stop up to seven too early. */
static size_t skip_ascii(const char *at, size_t n)
{
        const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
        size_t i = 0;

        while (n - i >= 64 && is_plain(at + i))
                i += 64;
        /* Without a top bit set, subtracting ones sets one only if an octet is zero. */
        for (; n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
                uint64_t word;

                memcpy(&word, at + i, sizeof(word));
                if ((word | (word - ones)) & tops)
                        break;
        }
        return i;
}

/* The length of the character at @u, out of @n > 0 octets; 0 if it is ill-formed or zero. */
static size_t utf8_length(const unsigned char *u, size_t n)
{
        unsigned char low = 0x80, high = 0xbf;
        size_t length, i;

        if (u[0] < 0x80)
                return u[0] != 0;
        if (u[0] < 0xc2 || u[0] > 0xf4)
                return 0;
        length = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
        if (length > n)
                return 0;
        /* The second octet tells overlong forms, surrogates and what is beyond U+10FFFF. */
        if (u[0] == 0xe0)
                low = 0xa0;
        else if (u[0] == 0xed)
                high = 0x9f;
        else if (u[0] == 0xf0)
                low = 0x90;
        else if (u[0] == 0xf4)
                high = 0x8f;
        if (u[1] < low || u[1] > high)
                return 0;
        for (i = 2; i < length; i++) {
                if (u[i] < 0x80 || u[i] > 0xbf)
                        return 0;
        }
        return length;
}

bool span_is_utf8(struct span a, size_t *ret_at)
{
        size_t i = 0;

        while (i < a.n) {
                size_t n = skip_ascii(a.at + i, a.n - i);

                if (n == 0)
                        n = utf8_length((const unsigned char *)a.at + i, a.n - i);
                if (n == 0) {
                        if (ret_at)
                                *ret_at = i;
                        return false;
                }
                i += n;
        }
        return true;
}

bool span_to_uint(struct span a, uint64_t max, uint64_t *ret_number)
{
        uint64_t number = 0;
        size_t i;

        for (i = 0; i < a.n; i++) {
                unsigned digit = (unsigned)(a.at[i] - '0');

                if (!is_digit(a.at[i]) || digit > max || number > (max - digit) / 10)
                        return false;
                number = number * 10 + digit;
        }
        if (a.n == 0)
                return false;
        *ret_number = number;
        return true;
}

/* How many digits @number has. */
static inline size_t count_digits(uint64_t number)
{
        uint64_t power = 10;
        size_t n = 1;

        /* The last power of ten that fits is the one with UINT_DIGITS_MAX digits. */
        while (n < UINT_DIGITS_MAX && number >= power) {
                power *= 10;
                n++;
        }
        return n;
}

/* Two digits at a time, for each division has to wait for the one before. */
char *uint_write(char *at, uint64_t number)
{
        static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                    "25262728293031323334353637383940414243444546474849"
                                    "50515253545556575859606162636465666768697071727374"
                                    "75767778798081828384858687888990919293949596979899";
        char *end = at + count_digits(number), *to = end;

        for (; number >= 100; number /= 100) {
                to -= 2;
                memcpy(to, pairs + 2 * (number % 100), 2);
        }
        if (number >= 10)
                memcpy(at, pairs + 2 * number, 2);
        else
                *at = (char)('0' + number);
        return end;
}

void buffer_deinit(struct buffer *b)
{
        free(b->at);
        *b = BUFFER_INIT;
}

void buffer_clear(struct buffer *b)
{
        b->n = 0;
        b->failed = false;
}

static bool buffer_grow(struct buffer *b, size_t n)
{
        size_t size = b->size ? b->size : BUFFER_SIZE_MIN;
        char *at;

        if (n > SIZE_MAX / 2 - b->n)
                return false;
        while (size < b->n + n)
                size *= 2;
        at = realloc(b->at, size);
        if (!at)
                return false;
        b->at = at;
        b->size = size;
        return true;
}

char *buffer_reserve(struct buffer *b, size_t n)
{
        if (b->failed)
                return NULL;
        assert(b->n <= b->size);
        if ((!b->at || n > b->size - b->n) && !buffer_grow(b, n)) {
                b->failed = true;
                return NULL;
        }
        return b->at + b->n;
}

void buffer_add(struct buffer *b, const char *at, size_t n)
{
        char *to = n > 0 ? buffer_reserve(b, n) : NULL;

        if (!to)
                return;
        memcpy(to, at, n);
        b->n += n;
}

void buffer_add_span(struct buffer *b, struct span s)
{
        buffer_add(b, s.at, s.n);
}

void buffer_add_text(struct buffer *b, const char *text)
{
        buffer_add(b, text, strlen(text));
}

void buffer_add_char(struct buffer *b, char c)
{
        buffer_add(b, &c, 1);
}

void buffer_add_uint(struct buffer *b, uint64_t number)
{
        char *at = buffer_reserve(b, UINT_DIGITS_MAX);

        if (at)
                b->n = (size_t)(uint_write(at, number) - b->at);
}

void buffer_add_int(struct buffer *b, int64_t number)
{
        if (number < 0)
                buffer_add_char(b, '-');
        /* Negated as unsigned, because INT64_MIN has no positive counterpart. */
        buffer_add_uint(b, number < 0 ? -(uint64_t)number : (uint64_t)number);
}
