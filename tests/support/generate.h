/*
 * generate.h - random addresses, values, commands, messages and configurations that are well-formed.
 *
 * A generator writes either as we write, or sloppily: with all the freedom that the grammar and the
 * rulings leave to others.
 */
#ifndef MBUS_TESTS_GENERATE_H
#define MBUS_TESTS_GENERATE_H

#include "core/bytes.h"
#include "core/config.h"
#include "core/random.h"

struct generator {
        struct random random;
        bool sloppy;
};

/* Each appends to @out. */
void generate_address(struct generator *g, struct buffer *out);
void generate_value(struct generator *g, unsigned depth, struct buffer *out);
/* Up to @max commands, 0 with some luck. */
void generate_commands(struct generator *g, unsigned max, struct buffer *out);
void generate_message(struct generator *g, struct buffer *out);
/* Fills in what config_format() writes. */
void generate_config(struct generator *g, struct config *ret_config);

/* One of the @n octets at @at, and one chance in @n. */
char generate_char(struct generator *g, const char *at, size_t n);
bool generate_chance(struct generator *g, unsigned n);

#endif
