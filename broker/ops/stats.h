/*
 * stats.h - the figures of the broker, in one table for broker.stats() and for /metrics.
 *
 * Names are those of Prometheus without the "mbus_broker_" in front: counters end in _total, units
 * are seconds and bytes. Figures of one name stand behind each other and differ in their label.
 */
#ifndef BROKER_OPS_STATS_H
#define BROKER_OPS_STATS_H

#include <core/bytes.h>

struct broker;

enum figure_type {
        FIGURE_GAUGE,
        FIGURE_COUNTER,
};

struct figure {
        const char *name;
        const char *help; /* a sentence, the same for all of one name */
        enum figure_type type;
        const char *bus;    /* NULL: it is not about one of the buses */
        const char *label;  /* NULL: it has none but `bus` */
        const char *labels; /* its value */
        uint64_t value;
        bool in_ms; /* shown in seconds */
};

/* Octets and messages, or datagrams, that went one way. */
struct traffic {
        uint64_t n;
        uint64_t bytes;
};

const char *stats_version(void);
/* Calls @put for each figure. */
void stats_each(struct broker *b, void (*put)(void *data, const struct figure *figure), void *data);
/* Appends the value: "12", and "12.345" for a time. */
void stats_format_value(const struct figure *figure, struct buffer *out);
/* Appends the name as one symbol: link_messages_total{direction="in"} is link-messages-in. The name of a
 * bus other than main stands behind that, as in bus-datagrams-in-studio. */
void stats_format_symbol(const struct figure *figure, struct buffer *out);

#endif
