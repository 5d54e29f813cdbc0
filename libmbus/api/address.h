/*
 * address.h - addresses between texts of the application and struct address (RFC 3259, section 4).
 */
#ifndef MBUS_API_ADDRESS_H
#define MBUS_API_ADDRESS_H

#include "public.h"

#include <core/address.h>
#include <core/error.h>

/* Parses an address of our own: by the grammar, and with an id of the form of 4.1, if any. */
int address_parse_own(struct span text, struct address *ret_address, struct parse_error *error);
/* The canonical text of @a as a string of its own, or NULL. */
char *address_string(const struct address *a);

#endif
