/*
 * raw.h - a client of the broker that is a socket and an address and nothing else (spec/attach.md),
 * so that a process can hold ten thousand.
 */
#ifndef MBUS_BENCH_RAW_H
#define MBUS_BENCH_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

struct raw {
        int fd;
        uint32_t seq; /* of its next message */
        char address[120];
        size_t n; /* octets read and not taken */
        size_t size;
        char *in;
};

/* Connects; @size octets of input are kept, a frame must fit. */
void raw_open(struct raw *c, const char *path, size_t size);
void raw_close(struct raw *c);
/* Sends a message of type @type, 'R' or 'U'. */
void raw_send(struct raw *c, char type, const char *from, const char *to, const char *payload);
/* Asks to be @address. */
void raw_attach(struct raw *c, const char *address);
/* Reads what is there, without waiting. False if the link is closed. */
bool raw_read(struct raw *c);
/* Takes the text of a whole frame that was read; it is valid until the next read. The answer to
 * raw_attach() sets c->address. */
bool raw_take(struct raw *c, size_t *cursor, struct span *ret_text);
/* Forgets the frames before @cursor. */
void raw_drop(struct raw *c, size_t cursor);

#endif
