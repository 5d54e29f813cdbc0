/*
 * failure.h - the first claim of a run that broke.
 */
#ifndef MBUS_TESTS_SIM_FAILURE_H
#define MBUS_TESTS_SIM_FAILURE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

struct failure {
        const char *claim; /* NULL: none */
        uint64_t at;
        char text[240];
};

/* Later ones are consequences of the first, and not kept. */
static inline void failure_note(struct failure *f, uint64_t at, const char *claim,
                                const char *format, va_list args)
{
        if (f->claim)
                return;
        f->claim = claim;
        f->at = at;
        vsnprintf(f->text, sizeof(f->text), format, args);
}

#endif
