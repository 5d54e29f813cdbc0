/*
 * entropy.h - numbers that nobody can guess, from the operating system.
 */
#ifndef MBUS_IO_ENTROPY_H
#define MBUS_IO_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/* Fills @bytes, for keys and nonces. 0, or -errno: then nothing is to be made of them. */
int entropy_fill(void *bytes, size_t n);
/* A number for seeds, delays and ids. Where the system has none, one made of clocks and the
 * process. */
uint64_t entropy_number(void);

#endif
