/*
 * text.h - texts for people: error messages with a caret, and foreign text on a terminal.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Prints "mbus-cli: " and a line to stderr. */
void text_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Says what is wrong at offset @at of @text: a line "mbus-cli: WHERE: WHAT", the line of @text that
 * holds the place, and a caret under it.
 */
void text_error_at(FILE *file, const char *where, const char *what, const char *text, size_t at);

/* The columns that @n octets of UTF-8 take on a terminal. */
size_t text_width(const char *text, size_t n);

/*
 * Writes what another entity said so that it stays on its line and cannot command the terminal: a
 * line feed as \n, other control characters as their pictures (U+2400), C1 controls and broken
 * UTF-8 as U+FFFD. Tabs pass.
 */
void text_print_visible(FILE *file, const char *text, size_t n);

/* The octets of the UTF-8 character at the start of @text, 0 if it is none; @n is at least 1. */
size_t text_decode(const char *text, size_t n, unsigned *ret_character);

#endif
