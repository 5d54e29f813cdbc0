/*
 * visible.h - what others wrote, on a terminal and in a log.
 *
 * A string of the bus, a name of a file, an argument may hold any character (RFC 3259, 5.3). One
 * that commands a terminal, begins a line, turns the direction of the text around or takes no room
 * could make people see what is not there: it is shown as something that does nothing.
 */
#ifndef PROGRAMS_VISIBLE_H
#define PROGRAMS_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

/* The octets that one character is shown as, at most: "\U000e0001". */
#define VISIBLE_SIZE 10

/* The octets of the UTF-8 character at the start of @text, 0 if it is none; @n is at least 1. */
size_t visible_decode(const char *text, size_t n, unsigned *ret_character);

/* Whether a terminal shows @character, where it stands, in the direction of the text, and does
 * nothing else. A tab and a line feed do more. */
bool visible_is_plain(unsigned character);

/*
 * How the character at the start of @text is shown, octets without a zero behind: a plain one and a
 * tab as it is, a line feed as \n, other control characters as their pictures (U+2400), what is no
 * UTF-8 as U+FFFD, and all else that is not plain as \uXXXX or \UXXXXXXXX. Returns how many octets
 * of @text that were; @n is at least 1.
 */
size_t visible_next(const char *text, size_t n, char ret_visible[static VISIBLE_SIZE],
                    size_t *ret_visible_n);

/* The columns that those octets take. */
size_t visible_width(const char *visible, size_t n);

/* Copies @text as it is shown, as many whole characters as fit, with a zero octet behind. Returns
 * their octets. @size is at least 1. */
size_t visible_copy(const char *text, size_t n, char *ret_visible, size_t size);

#endif
