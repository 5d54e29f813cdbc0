/*
 * address.h - Mbus addresses: unordered sets of tag:value elements (RFC 3259, section 4).
 *
 * A struct address is a parsed view. It owns nothing: its elements are offsets into the text it was
 * parsed from, sorted by tag so that order never matters again. address_dup() makes one that owns
 * its text.
 *
 * There is no end to the white space of an address that is received. What is kept of it is written
 * plainly, in the order of its elements with one space between them, and so never longer than
 * ADDRESS_TEXT_MAX.
 *
 * What we send follows the grammar to the letter; what we receive may use digits, "-" and "_" in a
 * tag, as the RFC authors' own profiles do (spec/errata.md, 20).
 */
#ifndef MBUS_CORE_ADDRESS_H
#define MBUS_CORE_ADDRESS_H

#include "bytes.h"
#include "error.h"
#include "limits.h"

struct element {
        uint16_t tag; /* offsets into address.text */
        uint16_t value;
        uint8_t tag_n;
        uint8_t value_n;
};

struct address {
        struct span text; /* from "(" to ")", as it was written */
        unsigned n;
        struct element elements[ADDRESS_ELEMENTS_MAX]; /* the first n, in the order of their tags */
};

/* The address () of everybody. */
#define ADDRESS_ALL ((struct address){ .text = { "()", 2 } })

enum strictness {
        STRICT,  /* the grammar of section 4: for addresses of our own */
        LENIENT, /* what deployed programs send, too */
};

/*
 * Parses an address at the start of @text, which must outlive *@ret_address. *@ret_n, if given, is
 * what it occupies; without it anything behind the ")" is an error. 0 or MBUS_E_MALFORMED.
 */
int address_parse(struct span text, enum strictness strictness, struct address *ret_address,
                  size_t *ret_n, struct parse_error *error);

/* The value of the element @tag, or SPAN_NULL. */
struct span address_get(const struct address *a, const char *tag);
struct span address_tag(const struct address *a, unsigned i);
struct span address_value(const struct address *a, unsigned i);

/* The i-th element as it stands in the text: tag, ":" and value. */
static inline struct span address_element(const struct address *a, unsigned i)
{
        const struct element *e = a->elements + i;

        return (struct span){ a->text.at + e->tag, (size_t)e->tag_n + 1 + e->value_n };
}

/* The same elements, in whatever order they were written. */
bool address_equal(const struct address *a, const struct address *b);
/* isSubsetOf of section 6.2: every element of @a is one of @b's. */
bool address_is_subset(const struct address *a, const struct address *b);
/* Whether the address has an id that is well-formed by 4.1: 1*10DIGIT "-" 1*5DIGIT "@" host-id. */
bool address_has_proper_id(const struct address *a);

/* Independent of the order of the elements. @seed keeps strangers from choosing collisions. */
uint64_t address_hash(const struct address *a, uint64_t seed);
uint64_t element_hash(const struct address *a, unsigned i, uint64_t seed);

/* ---- address-text.c ---- */

/* Octets of the plain text "(tag:value tag:value)", one space each, in the order of writing. */
size_t address_plain_size(const struct address *a);
/*
 * Writes the plain text to @to, which has room for it, and returns where it ends. *@ret_view, which
 * is not @a and has room for as many elements, becomes a view of it.
 */
char *address_put_plain(const struct address *a, char *to, struct address *ret_view);
/* Appends the plain text. */
void address_format(const struct address *a, struct buffer *out);
/*
 * The canonical text is plain, too, and sorted by tag, with the id behind all others: equal
 * addresses give equal texts, which is what an application sees of them. It has as many octets as
 * the plain one, and no more than the text that was written. address_put_canonical() returns where
 * it ends.
 */
bool address_is_canonical(const struct address *a);
char *address_put_canonical(const struct address *a, char *to);
void address_format_canonical(const struct address *a, struct buffer *out);

/*
 * A copy that owns its text, which is plain (one allocation, freed with free()), or NULL when
 * memory is short. It has room for the elements that are there and no others, since brokers keep
 * thousands: it must not be copied by assignment.
 */
struct address *address_dup(const struct address *a);
/* Copies the view and no more elements than there are. */
static inline void address_copy(struct address *to, const struct address *from)
{
        memcpy(to, from, offsetof(struct address, elements) + from->n * sizeof(*from->elements));
}
/* Octets of memory that a copy of @a takes. */
size_t address_dup_size(const struct address *a);

#endif
