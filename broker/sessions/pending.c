/*
 * pending.c - reliable messages whose end is not known yet, in the order in which they were sent.
 */
#include "pending.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/limits.h>
#include <mbus.h>

#define WAITS_MIN 8
/* A ring that grew beyond this is given back when it is empty. */
#define WAITS_KEPT 64

struct name *name_new(struct span text)
{
        struct name *name = malloc(sizeof(*name) + text.n);

        if (!name)
                return NULL;
        name->refs = 1;
        name->n = text.n;
        memcpy(name->text, text.at, text.n);
        return name;
}

struct name *name_ref(struct name *name)
{
        name->refs++;
        return name;
}

struct name *name_unref(struct name *name)
{
        if (name && --name->refs == 0)
                free(name);
        return NULL;
}

int waits_reserve(struct waits *ws)
{
        uint32_t size = ws->size ? ws->size * 2 : WAITS_MIN;
        struct wait *ring;

        if (ws->tail - ws->head < ws->size)
                return 0;
        if (size > RELIABLE_OUTSTANDING_MAX)
                return MBUS_E_FULL;
        ring = malloc(size * sizeof(*ring));
        if (!ring)
                return -ENOMEM;
        for (uint64_t i = ws->head; i < ws->tail; i++)
                ring[i & (size - 1)] = *waits_at(ws, i);
        free(ws->ring);
        ws->ring = ring;
        ws->size = size;
        return 0;
}

/* The one with @seq where they are in no order, unless it is finished. */
struct wait *waits_find_seq(const struct waits *ws, uint32_t seq)
{
        for (uint64_t i = ws->head; i < ws->tail; i++)
                if (waits_at(ws, i)->seq == seq && !wait_is_finished(waits_at(ws, i)))
                        return waits_at(ws, i);
        return NULL;
}

void waits_push(struct waits *ws, const struct wait *w)
{
        assert(ws->tail - ws->head < ws->size);
        *waits_at(ws, ws->tail++) = *w;
}

/* The wait with @key, unless it is finished. */
struct wait *waits_find(const struct waits *ws, uint64_t key)
{
        uint64_t low = ws->head, high = ws->tail;

        while (low < high) {
                uint64_t middle = low + (high - low) / 2;

                if (waits_at(ws, middle)->key < key)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == ws->tail || waits_at(ws, low)->key != key || wait_is_finished(waits_at(ws, low)))
                return NULL;
        return waits_at(ws, low);
}

/* Forgets what is finished at the front, and memory that a burst needed. */
void waits_trim(struct waits *ws)
{
        while (ws->head < ws->tail && wait_is_finished(waits_at(ws, ws->head)))
                ws->head++;
        if (ws->head == ws->tail && ws->size > WAITS_KEPT) {
                free(ws->ring);
                *ws = (struct waits){ 0 };
        }
}
