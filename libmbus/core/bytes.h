/*
 * bytes.h - views of octets, and a buffer that grows while something is written into it.
 *
 * A span is a view: it owns nothing and is as valid as what it looks at. A buffer owns its octets;
 * when memory runs out it remembers so (`failed`) and swallows all further writes, so that a writer
 * checks once, at the end.
 */
#ifndef MBUS_CORE_BYTES_H
#define MBUS_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
        const char *at;
        size_t n;
};

#define SPAN_NULL ((struct span){ NULL, 0 })

static inline struct span span_of(const char *text)
{
        return (struct span){ text, strlen(text) };
}

static inline bool span_equal(struct span a, struct span b)
{
        return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}

static inline bool span_equal_text(struct span a, const char *text)
{
        return span_equal(a, span_of(text));
}

/* Whether @a and @text are equal when upper and lower case ASCII letters are. */
bool span_equal_nocase(struct span a, const char *text);

static inline bool span_begins(struct span a, const char *prefix)
{
        size_t n = strlen(prefix);

        return a.n >= n && memcmp(a.at, prefix, n) == 0;
}

/* Whether @a is well-formed UTF-8 without a zero octet; else the offset of the first bad octet
 * goes to *@ret_at, which may be NULL. */
bool span_is_utf8(struct span a, size_t *ret_at);

/*
 * Reads @a, decimal digits only and at least one, into *@ret_number. False if it holds anything
 * else or is more than @max.
 */
bool span_to_uint(struct span a, uint64_t max, uint64_t *ret_number);

/* Writes @number in decimal to @at, UINT_DIGITS_MAX octets at most, and returns where that ends. */
#define UINT_DIGITS_MAX 20
char *uint_write(char *at, uint64_t number);

static inline bool is_wsp(char c)
{
        return c == ' ' || c == '\t';
}

static inline bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static inline bool is_alpha(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* @a without its first @n octets; @n is at most a.n. */
static inline struct span span_from(struct span a, size_t n)
{
        return n == 0 ? a : (struct span){ a.at + n, a.n - n };
}

/* Octets of white space (SP, HTAB) at the start of @a. */
static inline size_t wsp_size(struct span a)
{
        size_t n = 0;

        while (n < a.n && is_wsp(a.at[n]))
                n++;
        return n;
}

/* Octets of the line end, CRLF or LF, at the start of @a; 0 if there is none. */
static inline size_t line_end_size(struct span a)
{
        if (a.n >= 1 && a.at[0] == '\n')
                return 1;
        return a.n >= 2 && a.at[0] == '\r' && a.at[1] == '\n' ? 2 : 0;
}

struct buffer {
        char *at;
        size_t n;
        size_t size;
        bool failed;
};

#define BUFFER_INIT ((struct buffer){ NULL, 0, 0, false })

/* Frees what @b holds and makes it BUFFER_INIT again. */
void buffer_deinit(struct buffer *b);
/* Forgets the contents and the failure, keeps the memory. */
void buffer_clear(struct buffer *b);
/* Makes room for @n more octets and returns where they go, or NULL with `failed` set. The caller
 * adds what it wrote to b->n. */
char *buffer_reserve(struct buffer *b, size_t n);
void buffer_add(struct buffer *b, const char *at, size_t n);
void buffer_add_span(struct buffer *b, struct span s);
void buffer_add_text(struct buffer *b, const char *text);
void buffer_add_char(struct buffer *b, char c);
void buffer_add_uint(struct buffer *b, uint64_t number);
void buffer_add_int(struct buffer *b, int64_t number);

static inline struct span buffer_span(const struct buffer *b)
{
        return (struct span){ b->at, b->n };
}

#endif
