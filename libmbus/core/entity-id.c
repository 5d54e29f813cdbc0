/*
 * entity-id.c - the grammar of id values (RFC 3259, section 4.1, with RFC 2373, appendix B).
 *
 * Each take_ function takes what it is named after off the front of a span, and leaves the span
 * wherever it stopped when it fails.
 */
#include "entity-id.h"

static bool take_char(struct span *s, char c)
{
        if (s->n == 0 || *s->at != c)
                return false;
        *s = (struct span){ s->at + 1, s->n - 1 };
        return true;
}

static bool is_hex(char c)
{
        return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Takes 1 to @max digits, such as @is says, off @s. */
static bool take_digits(struct span *s, bool (*is)(char), size_t max)
{
        size_t n = 0;

        while (n < max && n < s->n && is(s->at[n]))
                n++;
        if (n == 0)
                return false;
        *s = (struct span){ s->at + n, s->n - n };
        return true;
}

static bool is_ipv4(struct span s)
{
        unsigned i;

        for (i = 0; i < 4; i++) {
                if ((i > 0 && !take_char(&s, '.')) || !take_digits(&s, is_digit, 3))
                        return false;
        }
        return s.n == 0;
}

/* IPv4address or IPv6address of RFC 2373, whose grammar counts no groups: an interface identifier
 * of four groups is one, too. */
static bool is_host_id(struct span s)
{
        bool gap = span_begins(s, "::") && take_char(&s, ':') && take_char(&s, ':');

        if (gap && s.n == 0)
                return true;
        for (;;) {
                if (is_ipv4(s))
                        return true;
                if (!take_digits(&s, is_hex, 4))
                        return false;
                if (s.n == 0)
                        return true;
                if (!take_char(&s, ':'))
                        return false;
                if (!take_char(&s, ':'))
                        continue;
                if (gap || s.n == 0)
                        return !gap;
                gap = true;
        }
}

bool entity_id_is_proper(struct span id)
{
        return take_digits(&id, is_digit, 10) && take_char(&id, '-') &&
               take_digits(&id, is_digit, 5) && take_char(&id, '@') && is_host_id(id);
}
