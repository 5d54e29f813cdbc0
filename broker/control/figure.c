/*
 * figure.c - one number that tells how the broker is doing.
 */
#include "figure.h"

#include <assert.h>
#include <string.h>

void figure_format_value(const struct figure *f, struct buffer *out)
{
        unsigned ms = (unsigned)(f->value % 1000);

        if (!f->in_ms) {
                buffer_add_uint(out, f->value);
                return;
        }
        buffer_add_uint(out, f->value / 1000);
        buffer_add_char(out, '.');
        for (unsigned digit = 100; digit > 0; digit /= 10)
                buffer_add_char(out, (char)('0' + ms / digit % 10));
}

static void add_symbol(struct buffer *out, const char *text, size_t n)
{
        for (size_t i = 0; i < n; i++)
                buffer_add_char(out, text[i] == '_' ? '-' : text[i]);
}

void figure_format_symbol(const struct figure *f, struct buffer *out)
{
        static const char total[] = "_total";
        size_t n = strlen(f->name), n_total = sizeof(total) - 1;

        assert(!f->label || f->labels);
        if (n > n_total && strcmp(f->name + n - n_total, total) == 0)
                n -= n_total;
        add_symbol(out, f->name, n);
        if (f->label) {
                buffer_add_char(out, '-');
                add_symbol(out, f->labels, strlen(f->labels));
        }
        if (f->bus && strcmp(f->bus, BUS_MAIN) != 0) {
                buffer_add_char(out, '-');
                buffer_add_text(out, f->bus);
        }
}
