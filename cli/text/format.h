/*
 * format.h - how received messages are written: one line each, in a format of letters.
 *
 * The letters are close to those of mosquitto_sub where the meaning is the same.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdint.h>
#include <stdio.h>

#include <mbus/mbus.h>

#define OUTPUT_FORMAT_DEFAULT "%I %y %s -> %t  %p"
/* Room for a time of output_time(). */
#define OUTPUT_TIME_SIZE 40

/* CLOCK_REALTIME ns as ISO 8601 in UTC with @digits (0 to 9) of a fraction. Returns @buffer. */
const char *output_time(uint64_t time, unsigned digits, char buffer[static OUTPUT_TIME_SIZE]);

/* 0, or -1 with the offset of what is no letter or escape, and a sentence about it. */
int output_check_format(const char *format, size_t *ret_at, const char **ret_what);

/* Writes @message and a line end. @format was checked. */
void output_print(FILE *file, const char *format, const struct mbus_message *message,
                  uint64_t time);

/* The table of letters for --help, "%t  destination" a line. */
void output_print_letters(FILE *file);

#endif
