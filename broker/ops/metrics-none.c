/*
 * metrics-none.c - a broker that was built without libmicrohttpd serves no metrics, and says so
 * rather than to leave somebody waiting for them.
 */
#include "metrics.h"

int metrics_open(struct ops *ops)
{
        if (ops->settings->options.metrics[0] == '\0')
                return 0;
        log_error_at(ops->settings->path, ops->settings->options.lines.metrics, "METRICS",
                     "this mbus-broker was built without libmicrohttpd, write no");
        return EXIT_CONFIG;
}

int metrics_start(struct ops *ops)
{
        (void)ops;
        return 0;
}

void metrics_check(struct ops *ops)
{
        (void)ops;
}

void metrics_stop(struct ops *ops)
{
        (void)ops;
}

void metrics_close(struct ops *ops)
{
        (void)ops;
}
