/*
 * log.c - one line on stderr for what an administrator should know.
 */
#include "log.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <core/limits.h>
#include <programs/visible.h>

#include "limits.h"
#include "log-out.h"

/* Longer lines are cut: an address has at most 3 KByte, and nobody reads that. */
#define LINE_MAX_SIZE 1024
/* What others wrote takes more room as it is shown. A pipe takes so much in one piece. */
#define SHOWN_MAX_SIZE 2048

_Static_assert(SHOWN_MAX_SIZE + 32 < PIPE_BUF, "a line is whole, or it is not there");

static enum log_level max_level = LOG_LEVEL_INFO;
static bool with_priority;
static bool is_held;
/* Lines that stderr did not take, and that it was not told of; and when it is to be told. */
static uint64_t n_lost, tell_at;

/* Whether stderr is the stream to the journal that the service manager made: it names device and
 * inode, since whoever was started by a service inherits the variable, too. */
static bool is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        uintmax_t device, inode;
        struct stat s;
        char rest;

        return stream &&
               sscanf(stream, "%" SCNuMAX ":%" SCNuMAX "%c", &device, &inode, &rest) == 2 &&
               fstat(STDERR_FILENO, &s) == 0 && s.st_dev == device && s.st_ino == inode;
}

void log_init(enum log_level level, bool plain)
{
        max_level = level;
        with_priority = !plain && is_journal();
        log_out_open();
}

void log_set_held(bool held)
{
        is_held = held;
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
        static const char *const names[LOG_LEVEL_MAX] = { "error", "warning", "info", "debug" };

        for (unsigned i = 0; i < LOG_LEVEL_MAX; i++) {
                if (strcmp(name, names[i]) == 0) {
                        *ret_level = (enum log_level)i;
                        return true;
                }
        }
        return false;
}

/* What others wrote may be in it: it must neither begin another line nor command a terminal. */
static bool put_line(enum log_level level, const char *text)
{
        static const char *const priorities[LOG_LEVEL_MAX] = { "<3>", "<4>", "<6>", "<7>" };
        char shown[SHOWN_MAX_SIZE], line[SHOWN_MAX_SIZE + 32];
        int n;

        visible_copy(text, strlen(text), shown, sizeof(shown));
        n = snprintf(line, sizeof(line), "%smbus-broker: %s\n",
                     with_priority ? priorities[level] : "", shown);
        return log_out_put(line, (size_t)n);
}

static bool tell_lost(void)
{
        char text[64];

        if (n_lost == 0)
                return true;
        snprintf(text, sizeof(text), "%" PRIu64 " %s of the log %s lost", n_lost,
                 n_lost == 1 ? "line" : "lines", n_lost == 1 ? "was" : "were");
        if (!put_line(LOG_LEVEL_WARNING, text))
                return false;
        n_lost = 0;
        return true;
}

uint64_t log_deadline(void)
{
        return n_lost > 0 ? tell_at : TIME_NEVER;
}

void log_tick(uint64_t now)
{
        if (now < log_deadline())
                return;
        tell_lost();
        tell_at = now + LOG_RETRY_MS * NSEC_PER_MSEC;
}

void log_line(enum log_level level, const char *format, ...)
{
        char line[LINE_MAX_SIZE];
        va_list args;

        assert(level < LOG_LEVEL_MAX);
        if (level > max_level || is_held)
                return;
        va_start(args, format);
        vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        if (!tell_lost() || !put_line(level, line))
                n_lost++;
}

void log_error_at(const char *file, unsigned line, const char *key, const char *format, ...)
{
        char what[LINE_MAX_SIZE / 2];
        va_list args;

        va_start(args, format);
        vsnprintf(what, sizeof(what), format, args);
        va_end(args);
        log_error("%s:%u: %s: %s", file, line, key, what);
}

bool log_ratelimit_is_due(struct log_ratelimit *ratelimit, uint64_t now, uint64_t *ret_n_suppressed)
{
        if (now < ratelimit->until) {
                ratelimit->n_suppressed++;
                return false;
        }
        *ret_n_suppressed = ratelimit->n_suppressed;
        ratelimit->n_suppressed = 0;
        ratelimit->until = now + LOG_INTERVAL_MS * NSEC_PER_MSEC;
        return true;
}

bool log_trouble_is_due(struct log_trouble *trouble, uint64_t now)
{
        uint64_t n_suppressed;

        if (trouble->said || !log_ratelimit_is_due(&trouble->ratelimit, now, &n_suppressed))
                return false;
        trouble->said = true;
        return true;
}

bool log_trouble_is_over(struct log_trouble *trouble)
{
        bool said = trouble->said;

        trouble->said = false;
        return said;
}
