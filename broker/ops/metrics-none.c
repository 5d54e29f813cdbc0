/*
 * metrics-none.c - a broker that was built without libmicrohttpd serves no metrics, and says so
 * rather than to leave somebody waiting for them.
 */
#include <broker/broker.h>
#include <broker/base/exit.h>
#include "metrics.h"
#include <broker/config/sections.h>

int metrics_open(struct broker *b)
{
        if (b->options.metrics[0] == '\0')
                return 0;
        section_log_error(b->config_path, b->options.lines.metrics, "METRICS",
                          "this mbus-broker was built without libmicrohttpd, write no");
        return EXIT_CONFIG;
}

int metrics_start(struct broker *b)
{
        (void)b;
        return 0;
}

void metrics_check(struct broker *b)
{
        (void)b;
}

void metrics_stop(struct broker *b)
{
        (void)b;
}

void metrics_close(struct broker *b)
{
        (void)b;
}
