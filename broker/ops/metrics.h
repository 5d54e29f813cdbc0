/*
 * metrics.h - /metrics and /healthz over HTTP, for Prometheus and for those who ask whether the
 * broker lives.
 *
 * It serves within the loop, a few connections at a time, so that a scraper cannot keep it from its
 * work for longer than the page takes to be written. Without libmicrohttpd metrics-none.c stands in
 * for metrics.c; the page itself, metrics-page.c, is always there.
 */
#ifndef BROKER_OPS_METRICS_H
#define BROKER_OPS_METRICS_H

#include "state.h"

/* Listens at options.metrics, if that names a place. 0 or the exit status, with a line in the
 * log. */
int metrics_open(struct ops *ops);
/* Serves from the loop. 0 or an error of libuv. */
int metrics_start(struct ops *ops);
/* Makes a Unix socket again whose file was removed. */
void metrics_check(struct ops *ops);
/* Serves no more; the loop may be closed then. */
void metrics_stop(struct ops *ops);
void metrics_close(struct ops *ops);

/* Appends the page, in the text format 0.0.4 of Prometheus. */
void metrics_format_page(struct ops *ops, struct buffer *out);

#endif
