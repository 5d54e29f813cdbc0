/*
 * value.c - the parameters of commands, parsed (RFC 3259, section 5.3; spec/errata.md, 40 to 45).
 *
 * The parser keeps the lists that are open in an array of its own, so a peer's nesting costs no
 * stack. Invariants of struct values: all nodes of a list follow it at once; the arena never moves,
 * because nodes point into it.
 */
#include "value.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base64.h"
#include "value-real.h"

#define NODES_MIN 16

struct parser {
        struct values *vs;
        struct span whole;
        const char *start;
        const char *at;
        const char *end;
        struct parse_error *error;
};

void values_lend(struct values *vs, struct value *nodes, size_t size, char *arena, size_t n)
{
        /* One by one: a literal that clears all first takes as long as parsing a number. */
        vs->nodes = nodes;
        vs->n = 0;
        vs->size = size;
        vs->arena = arena;
        vs->arena_n = 0;
        vs->arena_size = n + 1;
        vs->nodes_lent = vs->arena_lent = true;
}

void values_deinit(struct values *vs)
{
        if (!vs->nodes_lent)
                free(vs->nodes);
        if (!vs->arena_lent)
                free(vs->arena);
        *vs = VALUES_INIT;
}

static int grow(struct values *vs)
{
        size_t size = vs->size ? 2 * vs->size : NODES_MIN;
        struct value *nodes = realloc(vs->nodes_lent ? NULL : vs->nodes, size * sizeof(*nodes));

        if (!nodes)
                return -ENOMEM;
        if (vs->nodes_lent)
                memcpy(nodes, vs->nodes, vs->n * sizeof(*nodes));
        vs->nodes = nodes;
        vs->size = size;
        vs->nodes_lent = false;
        return 0;
}

/* Where @n octets and a zero go in the arena, or NULL. The caller makes them last by settle(). */
static inline char *room(struct values *vs, struct span whole, size_t n)
{
        if (!vs->arena) {
                vs->arena = malloc(whole.n + 1);
                if (!vs->arena)
                        return NULL;
                vs->arena_size = whole.n + 1;
        }
        if (n >= vs->arena_size - vs->arena_n)
                return NULL;
        return vs->arena + vs->arena_n;
}

static inline struct span settle(struct values *vs, size_t n)
{
        struct span text = { vs->arena + vs->arena_n, n };

        assert(n < vs->arena_size - vs->arena_n);
        vs->arena[vs->arena_n + n] = '\0';
        vs->arena_n += n + 1;
        return text;
}

struct span values_keep(struct values *vs, struct span whole, struct span text)
{
        char *to = room(vs, whole, text.n);

        if (!to)
                return SPAN_NULL;
        memcpy(to, text.at, text.n);
        return settle(vs, text.n);
}

static int fail(const struct parser *p, const char *at, const char *what)
{
        return parse_fail(p->error, (size_t)(at - p->start), what);
}

/* Adds a node for what stands between p->at and @end, and steps there. What it means is left to be
 * written. 0, MBUS_E_MALFORMED or -ENOMEM. */
static inline int push(struct parser *p, enum mbus_value_type type, const char *end,
                       struct value **ret_node)
{
        struct values *vs = p->vs;
        struct value *v;

        if (vs->n == VALUES_MAX)
                return fail(p, p->at, "a message holds at most 32768 values");
        if (vs->n == vs->size && grow(vs) < 0)
                return -ENOMEM;
        assert(vs->n < vs->size);
        v = &vs->nodes[vs->n++];
        v->type = type;
        v->nodes = 1;
        v->items = 0;
        v->raw = (struct span){ p->at, (size_t)(end - p->at) };
        v->text = SPAN_NULL;
        v->overflow = false;
        p->at = end;
        *ret_node = v;
        return 0;
}

static int push_text(struct parser *p, enum mbus_value_type type, const char *end, struct span text)
{
        struct value *v;
        int r = text.at ? push(p, type, end, &v) : -ENOMEM;

        if (r == 0)
                v->text = text;
        return r;
}

/* Whether a value may end before @c. */
static bool ends(const struct parser *p, const char *c)
{
        return c == p->end || is_wsp(*c) || *c == ')';
}

static int push_integer(struct parser *p, const char *end)
{
        bool negative = *p->at == '-';
        struct span digits = { p->at + negative, (size_t)(end - p->at) - negative };
        uint64_t max = (uint64_t)INT64_MAX + negative, magnitude = max;
        struct value *v;
        int r = push(p, MBUS_VALUE_INTEGER, end, &v);

        if (r != 0)
                return r;
        v->overflow = !span_to_uint(digits, max, &magnitude);
        /* In two steps, because INT64_MIN has no positive counterpart. */
        v->integer = negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
        return 0;
}

static int push_real(struct parser *p, const char *end)
{
        struct value *v;
        int r = push(p, MBUS_VALUE_FLOAT, end, &v);

        if (r != 0)
                return r;
        v->real = value_real_from_text(v->raw);
        v->overflow = !isfinite(v->real);
        if (v->overflow)
                v->real = v->real < 0 ? -DBL_MAX : DBL_MAX;
        return 0;
}

static const char *skip_digits(const struct parser *p, const char *c)
{
        while (c < p->end && is_digit(*c))
                c++;
        return c;
}

static int parse_number(struct parser *p)
{
        const char *digits = p->at + (*p->at == '-');
        const char *c = skip_digits(p, digits);
        bool real = c < p->end && *c == '.';

        if (c == digits)
                return fail(p, c, "a number has a digit here");
        if (real) {
                digits = c + 1;
                c = skip_digits(p, digits);
                if (c == digits)
                        return fail(p, c, "a number has digits on both sides of its point");
        }
        if (!ends(p, c))
                return fail(p, c, "a number is digits, maybe with \"-\" before and \".\" between");
        return real ? push_real(p, c) : push_integer(p, c);
}

/* Decodes the inside of a string. Never longer than @from, and never called with an open escape. */
static struct span unescape(struct parser *p, struct span from)
{
        char *to = room(p->vs, p->whole, from.n);
        size_t i, n = 0;

        if (!to)
                return SPAN_NULL;
        for (i = 0; i < from.n; i++) {
                bool escaped = from.at[i] == '\\';

                i += escaped;
                to[n++] = escaped && from.at[i] == 'n' ? '\n' : from.at[i];
        }
        return settle(p->vs, n);
}

/* The quote that ends the string whose inside begins at @from, or NULL. */
static const char *closing_quote(const struct parser *p, const char *from, bool *ret_escapes)
{
        const char *quote = memchr(from, '"', (size_t)(p->end - from));
        const char *c = quote ? memchr(from, '\\', (size_t)(quote - from)) : NULL;

        *ret_escapes = c;
        if (!c)
                return quote;
        while (c < p->end && *c != '"')
                c += *c == '\\' && p->end - c > 1 ? 2 : 1;
        return c < p->end ? c : NULL;
}

static int parse_string(struct parser *p)
{
        const char *from = p->at + 1, *quote;
        struct span inside;
        bool escapes;

        quote = closing_quote(p, from, &escapes);
        if (!quote)
                return fail(p, p->at, "the string that begins here has no end");
        inside = (struct span){ from, (size_t)(quote - from) };
        return push_text(p, MBUS_VALUE_STRING, quote + 1,
                         escapes ? unescape(p, inside) : values_keep(p->vs, p->whole, inside));
}

static int parse_data(struct parser *p)
{
        const char *from = p->at + 1, *to, *end;
        struct span text = SPAN_NULL;
        char *bytes;
        size_t n;

        end = memchr(from, '>', (size_t)(p->end - from));
        if (!end)
                return fail(p, p->at, "the data that begin here have no end");
        while (from < end && is_wsp(*from))
                from++;
        for (to = end; to > from && is_wsp(to[-1]);)
                to--;
        bytes = room(p->vs, p->whole, base64_decoded_max((size_t)(to - from)));
        if (bytes) {
                if (!base64_decode((struct span){ from, (size_t)(to - from) }, bytes, &n))
                        return fail(p, from, "data are base64, padded with \"=\", between < and >");
                text = settle(p->vs, n);
        }
        return push_text(p, MBUS_VALUE_DATA, end + 1, text);
}

/* What an octet of a symbol can be. */
#define FIRST 1
#define LATER 2

#define A (FIRST | LATER)
#define L LATER
static const unsigned char classes[256] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* control characters */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, L, L, 0, /*  !"#$%&'()*+,-./ */
        L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, 0, 0, /* 0123456789:;<=>? */
        0, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* @ABCDEFGHIJKLMNO */
        A, A, A, A, A, A, A, A, A, A, A, 0, 0, 0, 0, L, /* PQRSTUVWXYZ[\]^_ */
        0, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* `abcdefghijklmno */
        A, A, A, A, A, A, A, A, A, A, A, 0, 0, 0, 0, 0, /* pqrstuvwxyz{|}~  */
};
#undef A
#undef L

size_t value_symbol_size(struct span text)
{
        const char *at = text.at, *end = at + text.n;

        if (text.n == 0 || !(classes[(unsigned char)*at] & FIRST))
                return 0;
        while (++at < end && (classes[(unsigned char)*at] & LATER))
                ;
        return (size_t)(at - text.at);
}

bool value_is_symbol(struct span text)
{
        return text.n > 0 && value_symbol_size(text) == text.n;
}

static int parse_symbol(struct parser *p)
{
        struct span s = { p->at,
                          value_symbol_size((struct span){ p->at, (size_t)(p->end - p->at) }) };

        return push_text(p, MBUS_VALUE_SYMBOL, s.at + s.n, values_keep(p->vs, p->whole, s));
}

/* Parses a value at p->at that is no list. */
static int parse_single(struct parser *p)
{
        char c = p->at < p->end ? *p->at : '\0';

        if (is_alpha(c))
                return parse_symbol(p);
        if (is_digit(c) || c == '-')
                return parse_number(p);
        if (c == '"')
                return parse_string(p);
        if (c == '<')
                return parse_data(p);
        return fail(p, p->at, "a value is a number, a symbol, \"a string\", <data> or (a list)");
}

static int open_list(struct parser *p, uint32_t *open, unsigned depth)
{
        struct value *list;

        if (depth == VALUE_DEPTH_MAX)
                return fail(p, p->at, "lists are nested at most 64 deep");
        open[depth] = (uint32_t)p->vs->n;
        return push(p, MBUS_VALUE_LIST, p->at + 1, &list);
}

static void close_list(struct parser *p, struct value *list)
{
        p->at++;
        list->nodes = (uint32_t)(p->vs->nodes + p->vs->n - list);
        list->raw.n = (size_t)(p->at - list->raw.at);
}

/* Parses one value with all that is in it. */
static int parse_tree(struct parser *p)
{
        uint32_t open[VALUE_DEPTH_MAX];
        unsigned depth = 0;

        do {
                struct value *list = depth > 0 ? p->vs->nodes + open[depth - 1] : NULL;
                int r;

                while (list && p->at < p->end && is_wsp(*p->at))
                        p->at++;
                if (list && p->at == p->end)
                        return fail(p, list->raw.at, "the list that begins here has no end");
                if (list && *p->at == ')') {
                        close_list(p, list);
                        depth--;
                } else {
                        if (list)
                                list->items++;
                        if (p->at < p->end && *p->at == '(') {
                                r = open_list(p, open, depth++);
                                if (r != 0)
                                        return r;
                                continue;
                        }
                        r = parse_single(p);
                        if (r != 0)
                                return r;
                }
                if (depth > 0 && !ends(p, p->at))
                        return fail(p, p->at, "values are separated by white space");
        } while (depth > 0);
        return 0;
}

int value_parse(struct values *vs, struct span whole, struct span text, size_t *ret_n,
                struct parse_error *error)
{
        struct parser p = { .vs = vs, .whole = whole, .error = error };
        size_t n = vs->n, arena_n = vs->arena_n;
        int r;

        if (text.n == 0)
                text.at = "";
        p.start = p.at = text.at;
        p.end = text.at + text.n;
        r = parse_tree(&p);
        if (r != 0) {
                vs->n = n;
                vs->arena_n = arena_n;
                return r;
        }
        *ret_n = (size_t)(p.at - p.start);
        return 0;
}

int value_parse_list(struct values *vs, struct span whole, struct span text, size_t *ret_n,
                     struct parse_error *error)
{
        size_t gap = 0, n;
        int r;

        while (gap < text.n && is_wsp(text.at[gap]))
                gap++;
        if (gap == text.n || text.at[gap] != '(')
                return parse_fail(error, gap, "a list begins with \"(\"");
        r = value_parse(vs, whole, (struct span){ text.at + gap, text.n - gap }, &n, error);
        if (r == 0)
                *ret_n = gap + n;
        else if (r > 0 && error)
                error->at += gap;
        return r;
}
