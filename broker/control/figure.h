/*
 * figure.h - one number that tells how the broker is doing, for broker.stats() and for /metrics.
 *
 * Names are those of Prometheus without the "mbus_broker_" in front: counters end in _total, units
 * are seconds and bytes. Figures of one name stand behind each other and differ in their label.
 */
#ifndef BROKER_CONTROL_FIGURE_H
#define BROKER_CONTROL_FIGURE_H

#include <stdbool.h>

#include <core/bytes.h>

#include <broker/config/config.h>

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

/* Appends the value: "12", and "12.345" for a time. */
void figure_format_value(const struct figure *figure, struct buffer *out);
/* Appends the name as one symbol: link_messages_total{direction="in"} is link-messages-in. The
 * name of a bus other than main stands behind that, as in bus-datagrams-in-studio. */
void figure_format_symbol(const struct figure *figure, struct buffer *out);

#endif
