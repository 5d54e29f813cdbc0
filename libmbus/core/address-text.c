/*
 * address-text.c - addresses as texts: plain, in the order in which they were written, and
 * canonical, sorted by tag with the id behind all others (RFC 3259, section 4: the order has no
 * meaning).
 *
 * What goes on the bus is plain, since there are old programs; what an application sees is
 * canonical.
 */
#include "address.h"

#include <stdlib.h>

size_t address_plain_size(const struct address *a)
{
        size_t n = a->n > 0 ? 1 : 2;

        for (unsigned i = 0; i < a->n; i++)
                n += address_element(a, i).n + 1;
        return n;
}

/* Where the i-th element stands in the plain text: behind all that were written before it. */
static size_t plain_place(const struct address *a, unsigned i)
{
        size_t at = 1;

        for (unsigned k = 0; k < a->n; k++)
                if (a->elements[k].tag < a->elements[i].tag)
                        at += address_element(a, k).n + 1;
        return at;
}

char *address_put_plain(const struct address *a, char *to, struct address *ret_view)
{
        size_t n = address_plain_size(a);

        to[0] = '(';
        for (unsigned i = 0; i < a->n; i++) {
                const struct element *e = a->elements + i;
                struct span text = address_element(a, i);
                size_t at = plain_place(a, i);

                memcpy(to + at, text.at, text.n);
                to[at + text.n] = ' ';
                ret_view->elements[i] = (struct element){ .tag = (uint16_t)at,
                                                          .value = (uint16_t)(at + e->tag_n + 1),
                                                          .tag_n = e->tag_n,
                                                          .value_n = e->value_n };
        }
        to[n - 1] = ')';
        ret_view->text = (struct span){ to, n };
        ret_view->n = a->n;
        return to + n;
}

void address_format(const struct address *a, struct buffer *out)
{
        char *to = buffer_reserve(out, address_plain_size(a));
        struct address view;

        if (to)
                out->n = (size_t)(address_put_plain(a, to, &view) - out->at);
}

/* Where the id element is; a->n: there is none. */
static unsigned find_id(const struct address *a)
{
        unsigned i = 0;

        while (i < a->n &&
               (a->elements[i].tag_n != 2 || memcmp(a->text.at + a->elements[i].tag, "id", 2) != 0))
                i++;
        return i;
}

/* Which element is the i-th of the canonical text: all in their order, but @id as the last. */
static unsigned canonical_element(const struct address *a, unsigned i, unsigned id)
{
        if (i < id)
                return i;
        return i + 1 < a->n ? i + 1 : id;
}

bool address_is_canonical(const struct address *a)
{
        unsigned id = find_id(a);
        size_t at = 1;

        for (unsigned i = 0; i < a->n; i++) {
                const struct element *e = a->elements + canonical_element(a, i, id);

                if (e->tag != at || (i > 0 && a->text.at[at - 1] != ' '))
                        return false;
                at += (size_t)e->tag_n + 1 + e->value_n + 1;
        }
        return a->text.n == (a->n > 0 ? at : 2);
}

char *address_put_canonical(const struct address *a, char *to)
{
        unsigned id = find_id(a);

        *to++ = '(';
        for (unsigned i = 0; i < a->n; i++) {
                struct span text = address_element(a, canonical_element(a, i, id));

                if (i > 0)
                        *to++ = ' ';
                memcpy(to, text.at, text.n);
                to += text.n;
        }
        *to++ = ')';
        return to;
}

void address_format_canonical(const struct address *a, struct buffer *out)
{
        char *to = buffer_reserve(out, address_plain_size(a));

        if (to)
                out->n = (size_t)(address_put_canonical(a, to) - out->at);
}

static size_t used_size(const struct address *a)
{
        return offsetof(struct address, elements) + a->n * sizeof(*a->elements);
}

size_t address_dup_size(const struct address *a)
{
        return used_size(a) + address_plain_size(a);
}

struct address *address_dup(const struct address *a)
{
        struct address *copy = malloc(address_dup_size(a));

        if (copy)
                address_put_plain(a, (char *)copy + used_size(a), copy);
        return copy;
}
