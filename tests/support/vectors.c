/*
 * vectors.c - reads the files of tests/vectors: one JSON object of strings a line. Nothing more of
 * JSON than that is understood.
 */
#include "vectors.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static bool take(struct span *s, char c)
{
        while (s->n > 0 && is_wsp(s->at[0]))
                *s = (struct span){ s->at + 1, s->n - 1 };
        if (s->n == 0 || s->at[0] != c)
                return false;
        *s = (struct span){ s->at + 1, s->n - 1 };
        return true;
}

static int hex_digit(char c)
{
        if (is_digit(c))
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

static bool take_hex(struct span *s, unsigned digits, unsigned *ret_number)
{
        unsigned number = 0;

        if (s->n < digits)
                return false;
        for (unsigned i = 0; i < digits; i++) {
                if (hex_digit(s->at[i]) < 0)
                        return false;
                number = number << 4 | (unsigned)hex_digit(s->at[i]);
        }
        *s = (struct span){ s->at + digits, s->n - digits };
        *ret_number = number;
        return true;
}

static void add_utf8(struct buffer *out, unsigned c)
{
        if (c < 0x80) {
                buffer_add_char(out, (char)c);
        } else if (c < 0x800) {
                buffer_add_char(out, (char)(0xc0 | c >> 6));
                buffer_add_char(out, (char)(0x80 | (c & 0x3f)));
        } else if (c < 0x10000) {
                buffer_add_char(out, (char)(0xe0 | c >> 12));
                buffer_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
                buffer_add_char(out, (char)(0x80 | (c & 0x3f)));
        } else {
                buffer_add_char(out, (char)(0xf0 | c >> 18));
                buffer_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
                buffer_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
                buffer_add_char(out, (char)(0x80 | (c & 0x3f)));
        }
}

/* Behind "\u"; two of them make a character beyond the first 65536. */
static bool take_unicode(struct span *s, struct buffer *out)
{
        unsigned c, low;

        if (!take_hex(s, 4, &c) || (c >= 0xdc00 && c < 0xe000))
                return false;
        if (c >= 0xd800 && c < 0xdc00) {
                if (!span_begins(*s, "\\u"))
                        return false;
                *s = (struct span){ s->at + 2, s->n - 2 };
                if (!take_hex(s, 4, &low) || low < 0xdc00 || low >= 0xe000)
                        return false;
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
        add_utf8(out, c);
        return true;
}

static bool take_escape(struct span *s, struct buffer *out)
{
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char *at;

        if (s->n == 0)
                return false;
        if (take(s, 'u'))
                return take_unicode(s, out);
        at = memchr(names, s->at[0], sizeof(names) - 1);
        if (!at)
                return false;
        buffer_add_char(out, values[at - names]);
        *s = (struct span){ s->at + 1, s->n - 1 };
        return true;
}

/* A string in quotes; *@ret_n octets with a zero octet behind, or NULL. */
static char *take_string(struct span *s, size_t *ret_n)
{
        struct buffer out = BUFFER_INIT;

        if (!take(s, '"'))
                return NULL;
        while (s->n > 0) {
                char c = s->at[0];

                *s = (struct span){ s->at + 1, s->n - 1 };
                if (c == '"') {
                        *ret_n = out.n;
                        buffer_add_char(&out, 0);
                        ck_assert(!out.failed);
                        return out.at;
                }
                if (c != '\\')
                        buffer_add_char(&out, c);
                else if (!take_escape(s, &out))
                        break;
        }
        buffer_deinit(&out);
        return NULL;
}

/* Turns hexadecimal digits into octets, in place. */
static bool decode_hex(char *at, size_t *n)
{
        struct span s = { at, *n };
        size_t i;
        unsigned octet;

        for (i = 0; s.n > 0; i++) {
                if (!take_hex(&s, 2, &octet))
                        return false;
                at[i] = (char)octet;
        }
        *n = i;
        return true;
}

static bool take_field(struct span *s, struct vector *v)
{
        size_t n;
        char *name = take_string(s, &n), *value;

        if (!name)
                return false;
        value = take(s, ':') ? take_string(s, &n) : NULL;
        if (value && strcmp(name, "name") == 0 && !v->name) {
                v->name = value;
        } else if (value && strcmp(name, "config") == 0 && !v->config) {
                v->config = value;
        } else if (value && strcmp(name, "hex") == 0 && !v->datagram) {
                v->datagram = value;
                v->datagram_n = n;
        } else if (value && strcmp(name, "plaintext") == 0 && !v->plaintext) {
                v->plaintext = value;
                v->plaintext_n = n;
        } else {
                free(value);
        }
        free(name);
        return value;
}

bool vector_parse(struct span line, struct vector *ret_vector)
{
        struct vector v = { 0 };
        bool good = take(&line, '{');

        while (good && take_field(&line, &v) && take(&line, ','))
                ;
        good = good && take(&line, '}') && line.n == 0;
        good = good && v.name && v.config && v.datagram && v.plaintext;
        good = good && decode_hex(v.datagram, &v.datagram_n);
        if (!good) {
                vector_deinit(&v);
                return false;
        }
        *ret_vector = v;
        return true;
}

void vector_deinit(struct vector *v)
{
        free(v->name);
        free(v->config);
        free(v->datagram);
        free(v->plaintext);
        *v = (struct vector){ 0 };
}

static unsigned read_file(const char *directory, const char *name,
                          void (*each)(const struct vector *v))
{
        char path[4096], *line = NULL;
        size_t size = 0;
        unsigned count = 0;
        ssize_t n;
        FILE *f;

        ck_assert((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) < sizeof(path));
        f = fopen(path, "r");
        ck_assert_msg(f != NULL, "%s cannot be opened", path);
        while ((n = getline(&line, &size, f)) > 0) {
                struct vector v;

                if (line[n - 1] == '\n')
                        n--;
                ck_assert_msg(vector_parse((struct span){ line, (size_t)n }, &v),
                              "%s: vector %u cannot be read", path, count + 1);
                v.file = name;
                each(&v);
                vector_deinit(&v);
                count++;
        }
        free(line);
        fclose(f);
        return count;
}

unsigned vectors_each(void (*each)(const struct vector *v))
{
        static const char *const names[] = { "rfc3259.jsonl", "ucl.jsonl", "bremen.jsonl",
                                             "jmbus.jsonl" };
        const char *directory = getenv("VECTORS");
        unsigned count = 0;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                count += read_file(directory ? directory : "tests/vectors", names[i], each);
        return count;
}
