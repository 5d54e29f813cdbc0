/*
 * trial.c - see trial.h. Nothing here takes memory, for there may be none.
 */
#include "trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool trial_ok(struct trial *t, int r)
{
        if (r != 0)
                trial_notice(t);
        return r == 0;
}

void trial_note(struct trial *t, const char *format, ...)
{
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(t->outcome + t->n, sizeof(t->outcome) - t->n, format, ap);
        va_end(ap);
        trial_must(t, n >= 0 && (size_t)n + 2 < sizeof(t->outcome) - t->n);
        t->n += (size_t)n;
        t->outcome[t->n++] = '\n';
        t->outcome[t->n] = '\0';
}

void trial_begin(struct trial *t, const char *name, const char *what)
{
        t->name = name;
        snprintf(t->what, sizeof(t->what), "%s", what);
        t->noticed = false;
        t->any_order = t->any_outcome = false;
        t->n = 0;
        t->outcome[0] = '\0';
}

static size_t line_size(const char *line)
{
        return strcspn(line, "\n") + 1;
}

static size_t count_line(const char *text, const char *line)
{
        size_t n = line_size(line), found = 0;

        for (; *text; text += line_size(text))
                found += strncmp(text, line, n) == 0;
        return found;
}

/* Whether @a and @b have the same lines, whatever their order. */
static bool has_same_lines(const struct trial *a, const struct trial *b)
{
        if (a->n != b->n)
                return false;
        for (const char *line = a->outcome; *line; line += line_size(line))
                if (count_line(a->outcome, line) != count_line(b->outcome, line))
                        return false;
        return true;
}

void trial_check(const struct trial *t, const struct trial *good)
{
        if (t->noticed || t->any_outcome || strcmp(t->outcome, good->outcome) == 0)
                return;
        if (!t->any_order || !has_same_lines(t, good))
                trial_fail(t, __FILE__, __LINE__,
                           "no sign of trouble, but another outcome\n--- without:\n%s--- with:\n%s",
                           good->outcome, t->outcome);
}

void trial_fail(const struct trial *t, const char *file, int line, const char *format, ...)
{
        va_list ap;

        fprintf(stderr, "%s:%d: %s, %s: ", file, line, t->name, t->what);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputc('\n', stderr);
        abort();
}
