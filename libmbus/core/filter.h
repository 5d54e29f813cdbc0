/*
 * filter.h - which messages an observer wants a copy of (spec/attach.md, "Filters").
 *
 * A filter is an address, the beginning of a command's name, and the name of a bus. A message
 * passes if it is on that bus, if the address matches its source, or if its destination has all
 * elements of the address, and if the name of one of its commands begins so. Of several filters one
 * is enough; none at all lets everything on the bus main pass.
 */
#ifndef MBUS_CORE_FILTER_H
#define MBUS_CORE_FILTER_H

#include "message.h"

/* The bus that clients of a broker are on, and the only one that there is without a broker. */
#define BUS_MAIN "main"

struct filter {
        struct filter *next;
        struct address *address;
        const char *bus; /* behind the beginning, in `text` */
        size_t n;
        char text[]; /* the beginning, @n octets */
};

/*
 * Adds a filter behind those in *@filters; an empty @bus is BUS_MAIN. 0, MBUS_E_MALFORMED (nothing
 * is called so), MBUS_E_FULL (there are OBSERVE_FILTERS_MAX) or -ENOMEM.
 */
int filters_add(struct filter **filters, const struct address *address, struct span beginning,
                struct span bus);
/* Makes filters of the @n values at @args: lists of one to three strings, address, beginning and
 * bus. As filters_add(). */
int filters_parse(const struct value *args, size_t n, struct filter **ret_filters);
/* Appends the parameters that filters_parse() reads, a space before each. */
void filters_format(const struct filter *filters, struct buffer *out);
/* 0 or -ENOMEM. */
int filters_copy(const struct filter *filters, struct filter **ret_filters);
/* Takes NULL, returns NULL. */
struct filter *filters_free(struct filter *filters);

/* Whether some message on @bus can pass. */
bool filters_name_bus(const struct filter *filters, const char *bus);
/* Whether the message on @bus with the header @h and @payload passes. */
bool filters_pass(const struct filter *filters, const char *bus, const struct header *h,
                  struct span payload);

#endif
