/*
 * log.h - one line on stderr for what an administrator should know.
 *
 * On its way to the journal a line begins with its priority, "<4>", as sd-daemon(3) wants it; with
 * --foreground, on a terminal or in a file it does not. Nothing is logged per message.
 *
 * A line is never worth the bus: what stderr does not take at once is lost, counted, and told of
 * when it takes lines again. What others wrote stands in a line as it is shown
 * (programs/visible.h).
 */
#ifndef BROKER_BASE_LOG_H
#define BROKER_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
        LOG_LEVEL_ERROR,
        LOG_LEVEL_WARNING,
        LOG_LEVEL_INFO,
        LOG_LEVEL_DEBUG,
        LOG_LEVEL_MAX,
};

/* Logs @level and what is graver. @plain: no priorities. */
void log_init(enum log_level level, bool plain);
/* "error", "warning", "info", "debug". False if @name is none of them. */
bool log_level_parse(const char *name, enum log_level *ret_level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Logs the error "FILE:LINE: KEY: ..." of a value that proved to be wrong only when it was used. */
void log_error_at(const char *file, unsigned line, const char *key, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* When lines were lost, and stderr is to be told: then log_tick() tries to. TIME_NEVER: none
 * was. */
uint64_t log_deadline(void);
void log_tick(uint64_t now);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* @held: lines are dropped, for work that is tried again and again until it is said that it is
 * not. */
void log_set_held(bool held);

/*
 * One line of the log: LOG_INTERVAL_MS must pass before it is logged again, with the number of
 * times that it was not. All zero at first.
 */
struct log_ratelimit {
        uint64_t until;
        uint64_t n_suppressed;
};

/* Whether to log now; *@ret_n_suppressed is how often it was not since the last time. */
bool log_ratelimit_is_due(struct log_ratelimit *ratelimit, uint64_t now,
                          uint64_t *ret_n_suppressed);

/*
 * Trouble that lasts: it is said when it begins and when it is over, and not in between. What comes
 * and goes is said no more often than its rate limit lets it. All zero at first.
 */
struct log_trouble {
        struct log_ratelimit ratelimit;
        bool said;
};

/* It is there: whether to log that now. */
bool log_trouble_is_due(struct log_trouble *trouble, uint64_t now);
/* It is not there any more: whether to log that, since it was said that it is. */
bool log_trouble_is_over(struct log_trouble *trouble);

#endif
