/*
 * address.c - addresses: parsed in one pass, compared as sets (RFC 3259, sections 4 and 6.2).
 *
 * Two addresses are parsed for every datagram on the bus, whoever it is for, so parsing looks at
 * each octet once, by a table, and allocates nothing. Invariants of a struct address: its elements
 * are in the octet order of their tags, no tag occurs twice, and in the text a tag, ":" and a value
 * stand side by side.
 */
#include "address.h"

#include <assert.h>
#include <stdlib.h>

#include "entity-id.h"

/* What an octet can be part of. */
#define ALPHA 1 /* a tag by the grammar */
#define TAG 2   /* a tag of a deployed program */
#define VALUE 4

#define A (ALPHA | TAG | VALUE)
#define T (TAG | VALUE)
#define V VALUE
static const unsigned char classes[256] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* control characters */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, V, V, V, V, V, V, V, 0, 0, V, V, V, T, V, V, /*  !"#$%&'()*+,-./ */
        T, T, T, T, T, T, T, T, T, T, V, V, V, V, V, V, /* 0123456789:;<=>? */
        V, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* @ABCDEFGHIJKLMNO */
        A, A, A, A, A, A, A, A, A, A, A, V, V, V, V, T, /* PQRSTUVWXYZ[\]^_ */
        V, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* `abcdefghijklmno */
        A, A, A, A, A, A, A, A, A, A, A, V, V, V, V, 0, /* pqrstuvwxyz{|}~  */
};
#undef A
#undef T
#undef V

struct parser {
        const char *start;
        const char *at;
        const char *end;
        enum strictness strictness;
        struct parse_error *error;
};

static int fail(const struct parser *p, const char *at, const char *what)
{
        return parse_fail(p->error, (size_t)(at - p->start), what);
}

static void skip_wsp(struct parser *p)
{
        while (p->at < p->end && is_wsp(*p->at))
                p->at++;
}

/* Steps over octets of @class, @max at most, and returns how many they were. */
static size_t skip_class(struct parser *p, unsigned class, size_t max)
{
        const char *from = p->at;
        const char *end = (size_t)(p->end - from) > max ? from + max : p->end;

        while (p->at < end && (classes[(unsigned char)*p->at] & class))
                p->at++;
        return (size_t)(p->at - from);
}

/* What is wrong at p->at, where a tag of @n octets stopped and no ":" follows. */
static int fail_tag(const struct parser *p, size_t n)
{
        bool over = p->at == p->end || is_wsp(*p->at) || *p->at == ')';

        if (n > 0 && over)
                return fail(p, p->at, "a tag is followed by \":\" and a value");
        if (p->strictness == STRICT)
                return fail(p, p->at, "a tag is 1 to 32 letters");
        return fail(p, p->at, "a tag is 1 to 32 letters, digits, \"-\" and \"_\"");
}

static int parse_element(struct parser *p, struct element *ret_element)
{
        size_t tag, tag_n, value_n;

        tag = (size_t)(p->at - p->start);
        if (tag > UINT16_MAX - ADDRESS_TAG_MAX - 1)
                return fail(p, p->at, "an address is no longer than 64 KByte");
        tag_n = skip_class(p, p->strictness == STRICT ? ALPHA : TAG, ADDRESS_TAG_MAX);
        if (tag_n == 0 || p->at == p->end || *p->at != ':')
                return fail_tag(p, tag_n);
        p->at++;
        value_n = skip_class(p, VALUE, ADDRESS_VALUE_MAX);
        if (value_n == 0 || (p->at < p->end && !is_wsp(*p->at) && *p->at != ')'))
                return fail(p, p->at, "a value is 1 to 64 ASCII characters without space, ( and )");
        *ret_element = (struct element){ .tag = (uint16_t)tag,
                                         .value = (uint16_t)(tag + tag_n + 1),
                                         .tag_n = (uint8_t)tag_n,
                                         .value_n = (uint8_t)value_n };
        return 0;
}

static int compare(const char *a, size_t a_n, const char *b, size_t b_n)
{
        int order = (unsigned char)*a - (unsigned char)*b;

        /* Tags are not empty, and mostly differ in their first letter. */
        if (order == 0)
                order = memcmp(a, b, a_n < b_n ? a_n : b_n);
        return order != 0 ? order : (a_n > b_n) - (a_n < b_n);
}

/* Puts @e where the order of tags wants it; false if its tag is there already. */
static bool insert(struct element *elements, unsigned n, const char *text, struct element e)
{
        for (; n > 0; n--) {
                const struct element *before = elements + n - 1;
                int order = compare(text + before->tag, before->tag_n, text + e.tag, e.tag_n);

                if (order == 0)
                        return false;
                if (order < 0)
                        break;
                elements[n] = *before;
        }
        elements[n] = e;
        return true;
}

/* Parses from behind "(" to behind ")"; *@ret_n is the number of elements, sorted. */
static int parse_elements(struct parser *p, struct element *elements, unsigned *ret_n)
{
        unsigned n = 0;

        for (;;) {
                const char *from;
                struct element e;
                int r;

                skip_wsp(p);
                if (p->at == p->end)
                        return fail(p, p->at, "an address ends with \")\"");
                if (*p->at == ')')
                        break;
                from = p->at;
                r = parse_element(p, &e);
                if (r != 0)
                        return r;
                if (n == ADDRESS_ELEMENTS_MAX)
                        return fail(p, from, "an address has at most 32 elements");
                if (!insert(elements, n, p->start, e))
                        return fail(p, from, "a tag occurs only once in an address");
                n++;
        }
        p->at++;
        *ret_n = n;
        return 0;
}

int address_parse(struct span text, enum strictness strictness, struct address *ret_address,
                  size_t *ret_n, struct parse_error *error)
{
        struct element elements[ADDRESS_ELEMENTS_MAX];
        struct parser p;
        unsigned n;
        int r;

        if (text.n == 0 || *text.at != '(')
                return parse_fail(error, 0, "an address begins with \"(\"");
        p = (struct parser){ .start = text.at,
                             .at = text.at + 1,
                             .end = text.at + text.n,
                             .strictness = strictness,
                             .error = error };
        r = parse_elements(&p, elements, &n);
        if (r != 0)
                return r;
        if (!ret_n && p.at < p.end)
                return fail(&p, p.at, "nothing follows the \")\" of an address");
        ret_address->text = (struct span){ text.at, (size_t)(p.at - p.start) };
        ret_address->n = n;
        memcpy(ret_address->elements, elements, n * sizeof(*elements));
        if (ret_n)
                *ret_n = ret_address->text.n;
        return 0;
}

struct span address_tag(const struct address *a, unsigned i)
{
        assert(i < a->n);
        return (struct span){ a->text.at + a->elements[i].tag, a->elements[i].tag_n };
}

struct span address_value(const struct address *a, unsigned i)
{
        assert(i < a->n);
        return (struct span){ a->text.at + a->elements[i].value, a->elements[i].value_n };
}

struct span address_get(const struct address *a, const char *tag)
{
        struct span wanted = span_of(tag);
        unsigned i;

        for (i = 0; i < a->n; i++) {
                if (span_equal(address_tag(a, i), wanted))
                        return address_value(a, i);
        }
        return SPAN_NULL;
}

bool address_equal(const struct address *a, const struct address *b)
{
        return a->n == b->n && address_is_subset(a, b);
}

bool address_is_subset(const struct address *a, const struct address *b)
{
        unsigned i, k = 0;

        /* Both are sorted, so what was passed over in @b cannot match later either. */
        for (i = 0; i < a->n; i++) {
                struct span wanted = address_element(a, i);

                if (a->n - i > b->n - k)
                        return false;
                while (k < b->n && !span_equal(address_element(b, k), wanted))
                        k++;
                if (k++ == b->n)
                        return false;
        }
        return true;
}

bool address_has_proper_id(const struct address *a)
{
        return entity_id_is_proper(address_get(a, "id"));
}

/* Spreads every bit of @h over all others, as far as two multiplications can. */
static uint64_t mix(uint64_t h)
{
        h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
        h = (h ^ h >> 29) * UINT64_C(0x9e3779b97f4a7c15);
        return h ^ h >> 32;
}

uint64_t element_hash(const struct address *a, unsigned i, uint64_t seed)
{
        struct span s = address_element(a, i);
        uint64_t h = mix(seed ^ (uint64_t)s.n << 8 ^ a->elements[i].tag_n);
        uint64_t word;

        for (; s.n >= sizeof(word); s.at += sizeof(word), s.n -= sizeof(word)) {
                memcpy(&word, s.at, sizeof(word));
                h = mix(h ^ word);
        }
        word = 0;
        memcpy(&word, s.at, s.n);
        return mix(h ^ word);
}

uint64_t address_hash(const struct address *a, uint64_t seed)
{
        uint64_t sum = a->n;
        unsigned i;

        for (i = 0; i < a->n; i++)
                sum += element_hash(a, i, seed);
        return mix(seed ^ sum);
}
