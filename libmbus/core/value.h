/*
 * value.h - the parameters of commands: integer, float, string, list, symbol, data (section 5.3).
 *
 * A parsed value is a row of nodes in the order of the text, a list before its items. A node's
 * `nodes` says how many nodes it and everything in it take, so the next sibling of v is
 * v + v->nodes. Texts are decoded into the arena beside the nodes, each with a zero octet behind,
 * which always fits: what is written is longer by a quote, bracket or separator at least.
 */
#ifndef MBUS_CORE_VALUE_H
#define MBUS_CORE_VALUE_H

#include "bytes.h"
#include "error.h"
#include "limits.h"

struct value {
        enum mbus_value_type type;
        uint32_t nodes;  /* this one and all inside: 1 but for lists */
        uint32_t items;  /* of a list */
        struct span raw; /* the value as it was written */
        union {
                struct span text; /* string, symbol, data: what it means */
                int64_t integer;
                double real;
        };
        /* A number too large for its type is kept as its text (spec/errata.md, 43): `integer` or
         * `real` is then the nearest that fits, and this is set. */
        bool overflow;
};

/* Nodes and decoded texts of one parse. */
struct values {
        struct value *nodes;
        size_t n;
        size_t size;
        char *arena; /* an octet more than the whole text; allocated with the first decoded one */
        size_t arena_n;
        size_t arena_size;
        bool nodes_lent; /* somebody else frees them, as with values_lend() */
        bool arena_lent;
};

#define VALUES_INIT ((struct values){ 0 })

/* Lends @vs, VALUES_INIT, room for the first @size nodes and for the arena of a text of @n octets,
 * so that a short one needs no allocation: @arena has an octet more. Both outlive @vs. */
void values_lend(struct values *vs, struct value *nodes, size_t size, char *arena, size_t n);
void values_deinit(struct values *vs);

/*
 * Parses one value at the start of @text and appends it to @vs; @whole is the text that all values
 * of @vs come from (it bounds the arena), well-formed UTF-8 without a zero octet. *@ret_n is what
 * the value occupies. 0, MBUS_E_MALFORMED or -ENOMEM; @vs is as before when it failed. Nodes may
 * move: use indices until parsing is over.
 */
int value_parse(struct values *vs, struct span whole, struct span text, size_t *ret_n,
                struct parse_error *error);
/* The same for a list, which must begin with "(" after optional white space. */
int value_parse_list(struct values *vs, struct span whole, struct span text, size_t *ret_n,
                     struct parse_error *error);

/* Copies @text, a piece of @whole that is no value, into the arena with a zero octet behind it.
 * SPAN_NULL when memory is short. */
struct span values_keep(struct values *vs, struct span whole, struct span text);

/* Octets of the symbol at the start of @text, 0 if there is none. */
size_t value_symbol_size(struct span text);
bool value_is_symbol(struct span text);

#endif
