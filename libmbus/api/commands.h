/*
 * commands.h - what struct mbus_commands has become.
 */
#ifndef MBUS_API_COMMANDS_H
#define MBUS_API_COMMANDS_H

#include "public.h"

#include <stdbool.h>

#include <core/bytes.h>

/* The payload that @c has become; MBUS_E_MALFORMED if it is empty, MBUS_E_RESERVED if it may not
 * be sent so (9.5, 9.6), else as mbus_commands_check(). */
int commands_payload(const struct mbus_commands *c, bool reliable, struct span *ret_payload);

#endif
