/*
 * chunk.c - memory that messages pass through, counted by reference.
 */
#include "chunk.h"

#include <assert.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

/* From this size on an allocation is a mapping of its own. */
#define MAPPED_MIN (128 << 10)

/* This is where glibc begins, too, but when the first mapping is freed it takes its size for the new
 * minimum: all further chunks would lie between small and lasting things, and a broker would stay as
 * large as it ever was. */
void chunk_global_init(void)
{
#ifdef M_MMAP_THRESHOLD
        mallopt(M_MMAP_THRESHOLD, MAPPED_MIN);
#endif
}

struct chunk *chunk_new(size_t size)
{
        struct chunk *chunk = malloc(sizeof(*chunk) + size);

        if (!chunk)
                return NULL;
        *chunk = (struct chunk){ .refs = 1, .size = size };
        return chunk;
}

struct chunk *chunk_take(struct chunk **spare, size_t size)
{
        struct chunk *chunk = *spare;

        if (!chunk) {
                chunk = chunk_new(size);
                if (chunk)
                        chunk->spare = spare;
                return chunk;
        }
        assert(chunk->size == size);
        *spare = NULL;
        chunk->refs = 1;
        chunk->n = 0;
        return chunk;
}

void chunk_forget_spare(struct chunk **spare)
{
        free(*spare);
        *spare = NULL;
}

struct chunk *chunk_ref(struct chunk *chunk)
{
        assert(chunk->refs > 0 && chunk->refs < UINT_MAX);
        chunk->refs++;
        return chunk;
}

struct chunk *chunk_unref(struct chunk *chunk)
{
        if (!chunk)
                return NULL;
        assert(chunk->refs > 0);
        if (--chunk->refs > 0)
                return NULL;
        if (chunk->spare && !*chunk->spare)
                *chunk->spare = chunk;
        else
                free(chunk);
        return NULL;
}
