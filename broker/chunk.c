/*
 * chunk.c - memory that messages pass through, counted by reference.
 */
#include "chunk.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

struct chunk *chunk_new(size_t size)
{
        struct chunk *chunk = malloc(sizeof(*chunk) + size);

        if (!chunk)
                return NULL;
        chunk->refs = 1;
        chunk->size = size;
        chunk->n = 0;
        return chunk;
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
        if (--chunk->refs == 0)
                free(chunk);
        return NULL;
}
