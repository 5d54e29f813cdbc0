/*
 * deadline.c - a binary heap of deadlines; the root is due first.
 *
 * All timers of RFC 3259 (sections 7, 8 and 9) are in one. Invariants: n <= reserved <= size; no
 * deadline is due before its parent; heap[i]->slot is i + 1; a deadline that is not in the heap has
 * slot 0, and `at` TIME_NEVER once the heap has let it go.
 */
#include "deadline.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "limits.h"

#define SIZE_MIN 16

void deadlines_deinit(struct deadlines *ds)
{
        free(ds->heap);
        *ds = DEADLINES_INIT;
}

int deadlines_reserve(struct deadlines *ds)
{
        if (ds->reserved == ds->size) {
                size_t size = ds->size ? 2 * ds->size : SIZE_MIN;
                struct deadline **heap = realloc(ds->heap, size * sizeof(*heap));

                if (!heap)
                        return -ENOMEM;
                ds->heap = heap;
                ds->size = size;
        }
        ds->reserved++;
        return 0;
}

void deadlines_release(struct deadlines *ds)
{
        assert(ds->n < ds->reserved);
        ds->reserved--;
}

static void put(struct deadlines *ds, size_t i, struct deadline *d)
{
        ds->heap[i] = d;
        d->slot = i + 1;
}

/* Finds the place for @d from the hole at @i towards the root. */
static void sift_up(struct deadlines *ds, size_t i, struct deadline *d)
{
        while (i > 0) {
                size_t parent = (i - 1) / 2;

                if (ds->heap[parent]->at <= d->at)
                        break;
                put(ds, i, ds->heap[parent]);
                i = parent;
        }
        put(ds, i, d);
}

/* The same away from the root. */
static void sift_down(struct deadlines *ds, size_t i, struct deadline *d)
{
        for (;;) {
                size_t child = 2 * i + 1;

                if (child >= ds->n)
                        break;
                if (child + 1 < ds->n && ds->heap[child + 1]->at < ds->heap[child]->at)
                        child++;
                if (d->at <= ds->heap[child]->at)
                        break;
                put(ds, i, ds->heap[child]);
                i = child;
        }
        put(ds, i, d);
}

/* Puts @d into the hole at @i, wherever from there it belongs. */
static void sift(struct deadlines *ds, size_t i, struct deadline *d)
{
        if (i > 0 && d->at < ds->heap[(i - 1) / 2]->at)
                sift_up(ds, i, d);
        else
                sift_down(ds, i, d);
}

static void take_out(struct deadlines *ds, struct deadline *d)
{
        size_t i = d->slot - 1;
        struct deadline *last;

        assert(i < ds->n && ds->heap[i] == d);
        last = ds->heap[--ds->n];
        *d = DEADLINE_INIT;
        if (last != d)
                sift(ds, i, last);
}

void deadlines_set(struct deadlines *ds, struct deadline *d, uint64_t at)
{
        if (at == TIME_NEVER) {
                if (d->slot > 0)
                        take_out(ds, d);
                *d = DEADLINE_INIT;
                return;
        }
        d->at = at;
        if (d->slot > 0) {
                assert(d->slot <= ds->n && ds->heap[d->slot - 1] == d);
                sift(ds, d->slot - 1, d);
        } else {
                assert(ds->n < ds->reserved);
                sift_up(ds, ds->n++, d);
        }
}

uint64_t deadlines_next(const struct deadlines *ds)
{
        return ds->n > 0 ? ds->heap[0]->at : TIME_NEVER;
}

struct deadline *deadlines_pop(struct deadlines *ds, uint64_t now)
{
        struct deadline *d;

        if (ds->n == 0 || ds->heap[0]->at > now)
                return NULL;
        d = ds->heap[0];
        take_out(ds, d);
        return d;
}
