/*
 * fork.h - which process this is, for what belongs to the one that opened it.
 */
#ifndef MBUS_BUS_FORK_H
#define MBUS_BUS_FORK_H

#include <stdatomic.h>
#include <stdint.h>

/* A number that is another in a child, 0 until fork_number() is called there. */
extern _Atomic uint32_t *fork_mark;

/* The same, not 0. */
uint32_t fork_number(void);

#endif
