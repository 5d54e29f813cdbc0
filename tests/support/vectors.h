/*
 * vectors.h - datagrams that independent implementations made, with what they mean.
 */
#ifndef MBUS_TESTS_VECTORS_H
#define MBUS_TESTS_VECTORS_H

#include "core/bytes.h"

/* Lines of all files. Fewer means that a file is missing or was read wrongly. */
#define VECTORS_N 121

struct vector {
        const char *file;
        char *name;
        char *config;
        char *datagram;
        size_t datagram_n;
        char *plaintext;
        size_t plaintext_n;
};

/* Reads one line of a file: a JSON object whose values are strings. False if it is anything else or
 * lacks a field. */
bool vector_parse(struct span line, struct vector *ret_vector);
void vector_deinit(struct vector *v);

/* Calls @each for every line of every file in the directory $VECTORS, or tests/vectors if that is
 * not set, and returns how many there were. Fails the running test on a line that it cannot read. */
unsigned vectors_each(void (*each)(const struct vector *v));

#endif
