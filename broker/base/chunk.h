/*
 * chunk.h - memory that messages pass through, counted by reference.
 *
 * What a client sent is read into a chunk and never moves again: every recipient's queue refers to
 * the same octets. A chunk is filled from the front; what is filled does not change while anybody
 * else refers to it.
 *
 * Invariants: n <= size. Whoever holds a pointer to a chunk has a reference, and refs counts them;
 * with the last one a chunk goes back to its pool, where refs is 0, or is freed. A pool has at most
 * CHUNKS_SPARE_MAX to spare, and outlives its chunks: n_out of them are still to come back.
 */
#ifndef BROKER_BASE_CHUNK_H
#define BROKER_BASE_CHUNK_H

#include <assert.h>
#include <stddef.h>

struct chunk {
        unsigned refs;
        size_t size;
        size_t n;                /* octets filled */
        struct chunk_pool *pool; /* it comes from, or NULL */
        struct chunk *next;      /* in the pool, when nobody refers to it */
        char bytes[];
};

/* Chunks of one size that are shared by all. A busy broker goes round with a few, whose pages the
 * system need not clear each time. */
struct chunk_pool {
        size_t size;         /* of each */
        struct chunk *spare; /* the last one that came back is in the cache, and goes out first */
        size_t n_spare;
        size_t n_out; /* those that somebody refers to */
};

/* To be called once, before the first chunk is made: sees to it that the memory of large chunks
 * goes back to the system when they are freed. */
void chunk_global_init(void);
/* An empty chunk with one reference, or NULL when memory is short. */
struct chunk *chunk_new(size_t size);
/* The same of @pool, one that is there or a new one. */
struct chunk *chunk_take(struct chunk_pool *pool);
/* Frees those that are there. All have come back. */
void chunk_pool_deinit(struct chunk_pool *pool);
struct chunk *chunk_ref(struct chunk *chunk);
/* Takes NULL, returns NULL. */
struct chunk *chunk_unref(struct chunk *chunk);

static inline size_t chunk_room(const struct chunk *chunk)
{
        assert(chunk->n <= chunk->size);
        return chunk->size - chunk->n;
}

#endif
