/*
 * metrics-page.c - the figures of the broker in the text format of Prometheus.
 */
#include "metrics.h"
#include "stats.h"

#define PREFIX "mbus_broker_"

struct page {
        struct buffer *out;
        const char *name; /* of the figure before */
};

static void put_head(struct buffer *out, const struct figure *f)
{
        buffer_add_text(out, "# HELP " PREFIX);
        buffer_add_text(out, f->name);
        buffer_add_char(out, ' ');
        buffer_add_text(out, f->help);
        buffer_add_text(out, "\n# TYPE " PREFIX);
        buffer_add_text(out, f->name);
        buffer_add_text(out, f->type == FIGURE_COUNTER ? " counter\n" : " gauge\n");
}

static void put_label(struct buffer *out, const char *separator, const char *label,
                      const char *value)
{
        buffer_add_text(out, separator);
        buffer_add_text(out, label);
        buffer_add_text(out, "=\"");
        buffer_add_text(out, value);
        buffer_add_char(out, '"');
}

/* Labels are words of ours and names of buses, in which nothing has to be escaped. */
static void put_figure(void *data, const struct figure *f)
{
        struct page *page = data;

        if (!page->name || strcmp(page->name, f->name) != 0)
                put_head(page->out, f);
        page->name = f->name;
        buffer_add_text(page->out, PREFIX);
        buffer_add_text(page->out, f->name);
        if (f->bus)
                put_label(page->out, "{", "bus", f->bus);
        if (f->label)
                put_label(page->out, f->bus ? "," : "{", f->label, f->labels);
        if (f->bus || f->label)
                buffer_add_char(page->out, '}');
        buffer_add_char(page->out, ' ');
        figure_format_value(f, page->out);
        buffer_add_char(page->out, '\n');
}

void metrics_format_page(struct ops *ops, struct buffer *out)
{
        struct page page = { .out = out };
        struct figure build = { .name = "build_info",
                                .help = "Always 1; the label tells the version.",
                                .label = "version",
                                .labels = BROKER_VERSION,
                                .value = 1 };

        put_figure(&page, &build);
        stats_each(ops, put_figure, &page);
}
