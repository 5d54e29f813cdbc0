/*
 * trial.h - one run of a scenario in which something fails, and what is asked of it.
 *
 * A scenario does what it does whether or not the environment plays along: it takes errors as they
 * come, frees all it made, and writes what an owner can see of its outcome into the trial. It tells
 * the trial of each sign of trouble: an error, a failed ticket, a counted drop. After the run
 *
 *      either there was a sign, or the outcome is that of a run in which nothing failed;
 *      no block of memory and no descriptor is left.
 */
#ifndef MBUS_TESTS_TRIAL_H
#define MBUS_TESTS_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

#define TRIAL_OUTCOME_MAX 32768

struct trial {
        const char *name;
        char what[128]; /* which failure this run has */
        bool noticed;
        bool any_order;   /* the same outcome later is the same outcome */
        bool any_outcome; /* it depends on time, so only what the scenario itself asks counts */
        size_t n;
        char outcome[TRIAL_OUTCOME_MAX];
};

/* Something went wrong where the owner can see it. */
static inline void trial_notice(struct trial *t)
{
        t->noticed = true;
}

/* True if @r is 0; an error is a sign of trouble. */
bool trial_ok(struct trial *t, int r);
/* Adds to the outcome. */
void trial_note(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Begins a run. */
void trial_begin(struct trial *t, const char *name, const char *what);
/* Ends it: @t is to be as @good unless there was a sign. */
void trial_check(const struct trial *t, const struct trial *good);
/* Fails the test. Never comes back. */
void trial_fail(const struct trial *t, const char *file, int line, const char *format, ...)
        __attribute__((format(printf, 4, 5), noreturn));

/* As ck_assert(), but takes no memory while it holds. */
#define trial_must(t, condition)                                                                   \
        do {                                                                                       \
                if (!(condition))                                                                  \
                        trial_fail(t, __FILE__, __LINE__, "%s", #condition);                       \
        } while (false)

#endif
