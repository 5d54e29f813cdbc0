/*
 * log-out.h - puts lines of the log on stderr and never waits for whoever reads it.
 */
#ifndef BROKER_BASE_LOG_OUT_H
#define BROKER_BASE_LOG_OUT_H

#include <stdbool.h>
#include <stddef.h>

/* Finds out what stderr is; to be called before the first line, and where it may have changed. */
void log_out_open(void);

/* Writes @n octets, a line with its end, less than PIPE_BUF. False: it was not, or not all of it
 * was. Where stderr is closed nothing is ever lost. */
bool log_out_put(const char *line, size_t n);

#endif
