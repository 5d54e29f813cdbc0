/*
 * iso8601.h - when something was, as people and programs read it: 2026-11-23T03:01:16.129Z.
 */
#ifndef CLI_ISO8601_H
#define CLI_ISO8601_H

#include <stdint.h>

/* Room for a text of iso8601_format(). */
#define ISO8601_SIZE 40

/* CLOCK_REALTIME ns in UTC with @digits (0 to 9) of a fraction. Returns @buffer. */
const char *iso8601_format(uint64_t time, unsigned digits, char buffer[static ISO8601_SIZE]);

#endif
