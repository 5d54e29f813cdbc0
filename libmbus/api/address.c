/*
 * address.c - addresses as texts, for applications that sort, show or choose them
 * (RFC 3259, sections 4 and 6.2); and those of our own, for whose ids we answer.
 */
#include "address.h"

#include <stdlib.h>

char *address_string(const struct address *a)
{
        char *text = malloc(address_plain_size(a) + 1);

        if (text)
                *address_put_canonical(a, text) = '\0';
        return text;
}

/* An id that the application chose must have the form of 4.1, for we answer for it. */
int address_parse_own(struct span text, struct address *ret_address, struct parse_error *error)
{
        int r = address_parse(text, STRICT, ret_address, NULL, error);
        struct span id;

        if (r != 0)
                return r;
        id = address_get(ret_address, "id");
        if (!id.at || address_has_proper_id(ret_address))
                return 0;
        return parse_fail(
                error, (size_t)(id.at - text.at),
                "an id of our own is NUMBER-NUMBER@HOST, such as 7-1@10.1.0.2: up to 10 and 5 "
                "digits, and an IP address; without one it is made");
}

static int address_check(const char *address,
                         int (*parse)(struct span, struct address *, struct parse_error *),
                         size_t *ret_at, const char **ret_what)
{
        struct parse_error error = { 0, "there is no address" };
        struct address a;
        int r = address ? parse(span_of(address), &a, &error) : MBUS_E_MALFORMED;

        if (r == 0)
                return 0;
        if (ret_at)
                *ret_at = error.at;
        if (ret_what)
                *ret_what = error.what;
        return r;
}

static int parse_any(struct span text, struct address *ret_address, struct parse_error *error)
{
        return address_parse(text, STRICT, ret_address, NULL, error);
}

int mbus_address_check(const char *address, size_t *ret_at, const char **ret_what)
{
        return address_check(address, parse_any, ret_at, ret_what);
}

int mbus_address_check_own(const char *address, size_t *ret_at, const char **ret_what)
{
        return address_check(address, address_parse_own, ret_at, ret_what);
}

bool mbus_address_matches(const char *target, const char *address)
{
        struct address a, b;

        return target && address && address_parse(span_of(target), LENIENT, &a, NULL, NULL) == 0 &&
               address_parse(span_of(address), LENIENT, &b, NULL, NULL) == 0 &&
               address_is_subset(&a, &b);
}

bool mbus_address_get_element(const char *address, size_t i, size_t *ret_tag, size_t *ret_tag_n,
                              size_t *ret_value, size_t *ret_value_n)
{
        struct span tag, value;
        struct address a;

        if (!address || address_parse(span_of(address), LENIENT, &a, NULL, NULL) != 0 || i >= a.n)
                return false;
        tag = address_tag(&a, (unsigned)i);
        value = address_value(&a, (unsigned)i);
        if (ret_tag)
                *ret_tag = (size_t)(tag.at - address);
        if (ret_tag_n)
                *ret_tag_n = tag.n;
        if (ret_value)
                *ret_value = (size_t)(value.at - address);
        if (ret_value_n)
                *ret_value_n = value.n;
        return true;
}
