/*
 * letter.h - what simulated applications write: commands that hold the number of the message and their
 * own.
 */
#ifndef MBUS_TESTS_SIM_LETTER_H
#define MBUS_TESTS_SIM_LETTER_H

#include "core/bytes.h"

#define LETTER_COMMAND "sim.letter"

/* Message @serial of @n commands, one of which is long now and then. */
void letter_write(uint64_t serial, unsigned n, struct buffer *out);

#endif
