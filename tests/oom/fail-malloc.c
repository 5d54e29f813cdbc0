/*
 * fail-malloc.c - malloc() and its relatives, counted, failing on demand, and checked for leaks.
 *
 * Live blocks stand in a table beside the heap, so that blocks that libc made and we free are
 * recognised as such, and a block that is left can be told from others by its number.
 */
#include "fail-malloc.h"

#include <errno.h>
#include <gcrypt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SIZE 65536 /* a power of two; a test with more blocks than that says so */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t n);
void __real_free(void *at);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t n);
void __wrap_free(void *at);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_vasprintf(char **ret_text, const char *format, va_list ap);
int __wrap_asprintf(char **ret_text, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct block {
        void *at; /* NULL: free */
        size_t number;
        const void *caller;
};

static struct block table[TABLE_SIZE];
static size_t n_live;
static size_t n_all; /* since the process began */

static bool counts;     /* the part of a run in which something may fail */
static size_t n_armed;  /* allocations in it */
static size_t fails_at; /* 0: none does */
static bool fails_all;
static bool has_failed;

/* ---- the table ---- */

static size_t home(const void *at)
{
        return (size_t)(((uint64_t)(uintptr_t)at >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 40) %
               TABLE_SIZE;
}

static void *enter(void *at, const void *caller)
{
        size_t i = home(at);

        if (!at)
                return NULL;
        if (n_live > TABLE_SIZE / 2) {
                fputs("fail-malloc.c: TABLE_SIZE is too small\n", stderr);
                abort();
        }
        while (table[i].at)
                i = (i + 1) % TABLE_SIZE;
        table[i] = (struct block){ .at = at, .number = n_all, .caller = caller };
        ++n_live;
        return at;
}

/* Takes @at out, if it is in: what libc allocated is not. */
static void leave(const void *at)
{
        size_t i = home(at), gap;

        while (table[i].at && table[i].at != at)
                i = (i + 1) % TABLE_SIZE;
        if (!table[i].at)
                return;
        --n_live;
        gap = i;
        for (i = (i + 1) % TABLE_SIZE; table[i].at; i = (i + 1) % TABLE_SIZE) {
                size_t from_home = (i + TABLE_SIZE - home(table[i].at)) % TABLE_SIZE;

                if (from_home < (i + TABLE_SIZE - gap) % TABLE_SIZE)
                        continue;
                table[gap] = table[i];
                gap = i;
        }
        table[gap].at = NULL;
}

static bool fails(void)
{
        ++n_all;
        n_armed += counts;
        if (!counts || fails_at == 0 || n_armed < fails_at || (n_armed > fails_at && !fails_all))
                return false;
        has_failed = true;
        errno = ENOMEM;
        return true;
}

/* ---- what is wrapped ---- */

void *__wrap_malloc(size_t n)
{
        return fails() ? NULL : enter(__real_malloc(n), __builtin_return_address(0));
}

void *__wrap_calloc(size_t n, size_t size)
{
        return fails() ? NULL : enter(__real_calloc(n, size), __builtin_return_address(0));
}

void *__wrap_realloc(void *at, size_t n)
{
        void *moved;

        if (fails())
                return NULL;
        if (at)
                leave(at);
        moved = __real_realloc(at, n);
        return enter(moved, __builtin_return_address(0));
}

void __wrap_free(void *at)
{
        int error = errno;

        if (at)
                leave(at);
        __real_free(at);
        errno = error;
}

char *__wrap_strndup(const char *text, size_t n)
{
        size_t length = strnlen(text, n);
        char *copy = fails() ? NULL : enter(__real_malloc(length + 1), __builtin_return_address(0));

        if (copy) {
                memcpy(copy, text, length);
                copy[length] = '\0';
        }
        return copy;
}

char *__wrap_strdup(const char *text)
{
        return __wrap_strndup(text, SIZE_MAX);
}

int __wrap_vasprintf(char **ret_text, const char *format, va_list ap)
{
        va_list again;
        char *text;
        int n;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        text = n < 0 || fails() ? NULL
                                : enter(__real_malloc((size_t)n + 1), __builtin_return_address(0));
        if (!text)
                return -1;
        vsnprintf(text, (size_t)n + 1, format, ap);
        *ret_text = text;
        return n;
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
        va_list ap;
        int n;

        va_start(ap, format);
        n = __wrap_vasprintf(ret_text, format, ap);
        va_end(ap);
        return n;
}

static int is_secure(const void *at)
{
        (void)at;
        return 0;
}

void fail_malloc_init(void)
{
        gcry_set_allocation_handler(__wrap_malloc, __wrap_malloc, is_secure, __wrap_realloc,
                                    __wrap_free);
}

/* ---- the runs ---- */

static void arm(size_t at, bool all)
{
        counts = true;
        n_armed = 0;
        fails_at = at;
        fails_all = all;
        has_failed = false;
}

void fail_malloc_stop(void)
{
        counts = false;
}

void fail_malloc_pause(bool pause)
{
        static bool counted;

        if (pause)
                counted = counts;
        counts = !pause && counted;
}

size_t fail_malloc_live(void)
{
        return n_live;
}

size_t fail_malloc_n(void)
{
        return n_all;
}

void fail_malloc_report(size_t n)
{
        for (size_t i = 0; i < TABLE_SIZE; ++i) {
                if (table[i].at && table[i].number > n)
                        fprintf(stderr, "left: allocation %zu, called from %p\n",
                                table[i].number - n, table[i].caller);
        }
}

/* True if something failed. */
static bool run(struct trial *t, const char *name, void (*scenario)(struct trial *t), size_t at,
                bool all)
{
        size_t live = n_live, n = n_all;
        char what[64];

        snprintf(what, sizeof(what), at ? "%s %zu" : "nothing fails",
                 all ? "all allocations fail from" : "one allocation fails, number", at);
        trial_begin(t, name, what);
        arm(at, all);
        scenario(t);
        fail_malloc_stop();
        if (n_live != live) {
                fail_malloc_report(n);
                trial_fail(t, __FILE__, __LINE__, "%zu blocks before, %zu behind", live, n_live);
        }
        return has_failed;
}

void fail_each_malloc(const char *name, void (*scenario)(struct trial *t))
{
        static struct trial first, good, t;
        size_t n, runs = 0;

        /* The first run makes what libraries keep for the life of the process. */
        trial_begin(&first, name, "warming up");
        scenario(&first);
        run(&good, name, scenario, 0, false);
        n = n_armed;
        trial_must(&good, !good.noticed);
        trial_must(&good, n > 0);
        for (int all = 0; all < 2; ++all) {
                for (size_t at = 1; run(&t, name, scenario, at, all); ++at) {
                        trial_check(&t, &good);
                        ++runs;
                }
        }
        printf("%s: %zu allocations, %zu runs\n", name, n, runs);
        fflush(stdout);
}
