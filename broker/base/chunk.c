/*
 * chunk.c - memory that messages pass through, counted by reference.
 */
#include "chunk.h"

#include <assert.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#include "limits.h"

/* From this size on an allocation is a mapping of its own. */
#define MAPPED_MIN (128 << 10)

/* This is where glibc begins, too, but when the first mapping is freed it takes its size for the
 * new minimum: all further chunks would lie between small and lasting things, and a broker would
 * stay as large as it ever was. */
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

struct chunk *chunk_take(struct chunk_pool *pool)
{
        struct chunk *chunk = pool->spare;

        assert(!chunk == (pool->n_spare == 0));
        if (chunk) {
                assert(chunk->refs == 0 && chunk->pool == pool);
                pool->spare = chunk->next;
                pool->n_spare--;
                chunk->refs = 1;
                chunk->n = 0;
        } else {
                chunk = chunk_new(pool->size);
                if (!chunk)
                        return NULL;
                chunk->pool = pool;
        }
        pool->n_out++;
        return chunk;
}

static void pool_give_back(struct chunk_pool *pool, struct chunk *chunk)
{
        assert(chunk->refs == 0 && pool->n_out > 0);
        pool->n_out--;
        assert(pool->n_spare <= CHUNKS_SPARE_MAX);
        if (pool->n_spare == CHUNKS_SPARE_MAX) {
                free(chunk);
                return;
        }
        chunk->next = pool->spare;
        pool->spare = chunk;
        pool->n_spare++;
}

void chunk_pool_deinit(struct chunk_pool *pool)
{
        assert(pool->n_out == 0);
        while (pool->spare) {
                struct chunk *next = pool->spare->next;

                free(pool->spare);
                pool->spare = next;
        }
        pool->n_spare = 0;
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
        if (chunk->pool)
                pool_give_back(chunk->pool, chunk);
        else
                free(chunk);
        return NULL;
}
