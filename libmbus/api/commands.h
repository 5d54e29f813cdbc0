/*
 * commands.h - what struct mbus_commands has become.
 */
#ifndef MBUS_API_COMMANDS_H
#define MBUS_API_COMMANDS_H

#include "public.h"

#include <stdbool.h>

#include <core/bytes.h>
#include <core/error.h>

/* Adds whole commands (as mbus_commands_add_text()), or, where a command is open, values to the
 * innermost open list. 0, or what is wrong with @text, which *@error tells; @c's first mistake is
 * for the caller to note with commands_fail(). @c has no mistake yet. */
int commands_add(struct mbus_commands *c, struct span text, struct parse_error *error);
int commands_add_values(struct mbus_commands *c, struct span text, struct parse_error *error);
/* Notes @mistake, if it is @c's first. */
void commands_fail(struct mbus_commands *c, int mistake, struct parse_error why);
int commands_mistake(const struct mbus_commands *c);
/* Whether a command is not ended. */
bool commands_are_open(const struct mbus_commands *c);

/* The payload that @c has become; MBUS_E_MALFORMED if it is empty, MBUS_E_RESERVED if it may not
 * be sent so (9.5, 9.6), else as mbus_commands_check(). */
int commands_payload(const struct mbus_commands *c, bool reliable, struct span *ret_payload);

#endif
