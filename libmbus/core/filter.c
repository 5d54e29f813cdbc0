/*
 * filter.c - which messages an observer wants a copy of (spec/attach.md, "Filters").
 *
 * They are few, and in the order in which they were added: no index would be faster.
 */
#include "filter.h"

#include <errno.h>
#include <stdlib.h>

#include "limits.h"
#include "value-format.h"

/* ---- making them --------------------------------------------------------------------------- */

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

static struct filter *filter_new(const struct address *address, struct span beginning,
                                 struct span bus)
{
        struct filter *f = malloc(sizeof(*f) + beginning.n + bus.n + 1);

        if (!f)
                return NULL;
        *f = (struct filter){ .address = address_dup(address), .n = beginning.n };
        if (!f->address) {
                free(f);
                return NULL;
        }
        if (beginning.n > 0)
                memcpy(f->text, beginning.at, beginning.n);
        memcpy(f->text + f->n, bus.at, bus.n);
        f->text[f->n + bus.n] = '\0';
        f->bus = f->text + f->n;
        return f;
}

int filters_add(struct filter **filters, const struct address *address, struct span beginning,
                struct span bus)
{
        size_t n = 0;

        if (beginning.n > 0 && !value_is_symbol(beginning))
                return MBUS_E_MALFORMED;
        if (bus.n == 0)
                bus = span_of(BUS_MAIN);
        if (!span_is_utf8(bus, NULL))
                return MBUS_E_MALFORMED;
        for (; *filters; filters = &(*filters)->next)
                n++;
        if (n >= OBSERVE_FILTERS_MAX)
                return MBUS_E_FULL;
        *filters = filter_new(address, beginning, bus);
        return *filters ? 0 : -ENOMEM;
}

int filters_copy(const struct filter *filters, struct filter **ret_filters)
{
        struct filter *copy = NULL;

        for (const struct filter *f = filters; f; f = f->next) {
                int r = filters_add(&copy, f->address, (struct span){ f->text, f->n },
                                    span_of(f->bus));

                if (r) {
                        filters_free(copy);
                        return r;
                }
        }
        *ret_filters = copy;
        return 0;
}

/* ---- on a link ----------------------------------------------------------------------------- */

static int parse_one(const struct value *list, struct filter **filters)
{
        struct span parts[3] = { SPAN_NULL, SPAN_NULL, SPAN_NULL };
        const struct value *part = list + 1;
        struct address address;

        if (list->type != MBUS_VALUE_LIST || list->items < 1 || list->items > 3)
                return MBUS_E_MALFORMED;
        for (uint32_t i = 0; i < list->items; i++, part += part->nodes) {
                if (part->type != MBUS_VALUE_STRING)
                        return MBUS_E_MALFORMED;
                parts[i] = part->text;
        }
        if (address_parse(parts[0], LENIENT, &address, NULL, NULL))
                return MBUS_E_MALFORMED;
        return filters_add(filters, &address, parts[1], parts[2]);
}

int filters_parse(const struct value *args, size_t n, struct filter **ret_filters)
{
        struct filter *filters = NULL;

        for (size_t i = 0; i < n; i++, args += args->nodes) {
                int r = parse_one(args, &filters);

                if (r) {
                        filters_free(filters);
                        return r;
                }
        }
        *ret_filters = filters;
        return 0;
}

void filters_format(const struct filter *filters, struct buffer *out)
{
        for (const struct filter *f = filters; f; f = f->next) {
                buffer_add_text(out, " (");
                value_format_string(f->address->text, out);
                buffer_add_char(out, ' ');
                value_format_string((struct span){ f->text, f->n }, out);
                buffer_add_char(out, ' ');
                value_format_string(span_of(f->bus), out);
                buffer_add_char(out, ')');
        }
}

/* ---- asking them --------------------------------------------------------------------------- */

bool filters_name_bus(const struct filter *filters, const char *bus)
{
        if (!filters)
                return span_equal_nocase(span_of(bus), BUS_MAIN);
        for (const struct filter *f = filters; f; f = f->next)
                if (span_equal_nocase(span_of(bus), f->bus))
                        return true;
        return false;
}

static bool has_command(struct span payload, const struct filter *f)
{
        struct span name;

        if (f->n == 0)
                return true;
        while (payload_next_name(&payload, &name))
                if (name.n >= f->n && memcmp(name.at, f->text, f->n) == 0)
                        return true;
        return false;
}

static bool passes(const struct filter *f, const char *bus, const struct header *h,
                   struct span payload)
{
        return span_equal_nocase(span_of(bus), f->bus) &&
               (address_is_subset(f->address, &h->src) ||
                address_is_subset(f->address, &h->dest)) &&
               has_command(payload, f);
}

bool filters_pass(const struct filter *filters, const char *bus, const struct header *h,
                  struct span payload)
{
        for (const struct filter *f = filters; f; f = f->next)
                if (passes(f, bus, h, payload))
                        return true;
        return !filters && filters_name_bus(NULL, bus);
}
