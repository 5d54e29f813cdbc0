/*
 * filter.c - which messages an observer wants a copy of.
 */
#include "filter.h"

#include <errno.h>
#include <stdlib.h>

#include "limits.h"

struct filter {
        struct filter *next;
        struct address *address;
        size_t n;
        char prefix[];
};

struct filter *filters_free(struct filter *filters)
{
        struct filter *next;

        for (; filters; filters = next) {
                next = filters->next;
                free(filters->address);
                free(filters);
        }
        return NULL;
}

static int filter_new(const struct address *address, struct span prefix, struct filter **ret_filter)
{
        struct filter *f = malloc(sizeof(*f) + prefix.n);

        if (!f)
                return -ENOMEM;
        *f = (struct filter){ .address = address_dup(address), .n = prefix.n };
        if (!f->address) {
                free(f);
                return -ENOMEM;
        }
        if (prefix.n > 0)
                memcpy(f->prefix, prefix.at, prefix.n);
        *ret_filter = f;
        return 0;
}

int filters_new(const struct value *args, size_t n, struct filter **ret_filters)
{
        struct filter *filters = NULL;

        if (n % 2 != 0)
                return MBUS_E_MALFORMED;
        if (n / 2 > OBSERVE_FILTERS_MAX)
                return MBUS_E_FULL;
        for (size_t i = 0; i < n; i += 2) {
                const struct value *name = args + args->nodes;
                struct filter *filter;
                struct address address;
                int r = MBUS_E_MALFORMED;

                if (args->type == MBUS_VALUE_STRING && name->type == MBUS_VALUE_STRING &&
                    address_parse(args->text, LENIENT, &address, NULL, NULL) == 0)
                        r = filter_new(&address, name->text, &filter);
                if (r) {
                        filters_free(filters);
                        return r;
                }
                filter->next = filters;
                filters = filter;
                args = name + name->nodes;
        }
        *ret_filters = filters;
        return 0;
}

static bool has_command(struct span payload, const struct filter *f)
{
        struct span name;

        if (f->n == 0)
                return true;
        while (payload_next_name(&payload, &name))
                if (name.n >= f->n && memcmp(name.at, f->prefix, f->n) == 0)
                        return true;
        return false;
}

bool filters_pass(const struct filter *filters, const struct header *h, struct span payload)
{
        if (!filters)
                return true;
        for (const struct filter *f = filters; f; f = f->next)
                if ((address_is_subset(f->address, &h->src) ||
                     address_is_subset(f->address, &h->dest)) &&
                    has_command(payload, f))
                        return true;
        return false;
}
