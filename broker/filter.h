/*
 * filter.h - which messages an observer wants a copy of.
 *
 * A filter is an address and the beginning of a command's name. A message passes if the address
 * matches its source, or if its destination has all elements of the address, and if the name of one
 * of its commands begins so. Of several filters one is enough; none at all lets everything pass.
 */
#ifndef BROKER_FILTER_H
#define BROKER_FILTER_H

#include <core/message.h>

struct filter;

/* Makes filters of the @n values at @args: pairs of strings, address and beginning. 0,
 * MBUS_E_MALFORMED, MBUS_E_FULL (more than OBSERVE_FILTERS_MAX) or -ENOMEM. */
int filters_new(const struct value *args, size_t n, struct filter **ret_filters);
/* Takes NULL, returns NULL. */
struct filter *filters_free(struct filter *filters);
/* Whether the message with the header @h and @payload passes. */
bool filters_pass(const struct filter *filters, const struct header *h, struct span payload);

#endif
