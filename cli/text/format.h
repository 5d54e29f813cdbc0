/*
 * format.h - how received messages are written: one line each, in a format of letters.
 *
 * The letters are close to those of mosquitto_sub where the meaning is the same.
 */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <stdint.h>
#include <stdio.h>

#include <mbus/mbus.h>

#define FORMAT_DEFAULT "%I %y %s -> %t  %p"

/* 0, or -1 with the offset of what is no letter or escape, and a sentence about it. */
int format_check(const char *format, size_t *ret_at, const char **ret_what);

/* Writes @message and a line end. @format was checked. */
void format_print(FILE *file, const char *format, const struct mbus_message *message,
                  uint64_t time);

/* The table of letters for --help, "%t  destination" a line. */
void format_print_letters(FILE *file);

#endif
