/*
 * text.h - texts for people: error messages with a caret, and foreign text on a terminal.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Prints "mbus-cli: " and a line to stderr, all of it as it is shown. */
void text_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Says what is wrong at offset @at of @text: a line "mbus-cli: WHERE: WHAT", the line of @text that
 * holds the place, and a caret under it.
 */
void text_error_at(FILE *file, const char *where, const char *what, const char *text, size_t at);

/* The columns that @n octets take on a terminal as text_print_visible() writes them. */
size_t text_width(const char *text, size_t n);

/* Writes what another entity or the command line said as it is shown (programs/visible.h), so that
 * it stays on its line and cannot command the terminal. Tabs pass. */
void text_print_visible(FILE *file, const char *text, size_t n);
/* The same of a string. */
void text_print(FILE *file, const char *text);

/* Parameters as they were written are printed in pieces, each up to white space before a ")", which
 * the old programs need and nobody else. Takes the next piece of *@n octets at *@text; its length,
 * 0 at the end. */
size_t text_next_piece(const char **text, size_t *n, const char **ret_piece);

#endif
