/*
 * iteration.c - one iteration of the loop: its clocks, and memory that all may use until it ends.
 */
#include "iteration.h"

#include <assert.h>
#include <string.h>

#include <core/frame.h>
#include <io/clock.h>

#include "limits.h"

void iteration_init(struct iteration *it)
{
        *it = (struct iteration){ .chunks = { .size = CHUNK_SIZE }, .text = BUFFER_INIT };
        iteration_wake(it);
}

void iteration_deinit(struct iteration *it)
{
        it->chunk = chunk_unref(it->chunk);
        /* Nobody refers to one any more: chunk_pool_deinit() asserts it. */
        chunk_pool_deinit(&it->chunks);
        buffer_deinit(&it->text);
}

void iteration_wake(struct iteration *it)
{
        uint64_t now = clock_now();

        assert(now >= it->now);
        it->now = now;
        it->wall_ms = clock_wall_ms();
}

void iteration_stop(struct iteration *it, bool asked)
{
        it->stopping |= asked;
        uv_stop(&it->loop);
}

char *iteration_reserve(struct iteration *it, size_t n)
{
        assert(n <= it->chunks.size);
        if (it->chunk && it->chunk->refs == 1)
                it->chunk->n = 0;
        if (it->chunk && chunk_room(it->chunk) < n)
                it->chunk = chunk_unref(it->chunk);
        if (!it->chunk)
                it->chunk = chunk_take(&it->chunks);
        return it->chunk ? it->chunk->bytes + it->chunk->n : NULL;
}

bool iteration_put_frame(struct iteration *it, struct span text, bool is_copy,
                         struct frame_slice *ret_frame)
{
        size_t n = FRAME_HEADER_SIZE + text.n;
        char *at = text.n <= FRAME_MAX ? iteration_reserve(it, n) : NULL;

        if (!at)
                return false;
        frame_put_length(at, text.n, is_copy);
        memcpy(at + FRAME_HEADER_SIZE, text.at, text.n);
        assert(n <= chunk_room(it->chunk));
        *ret_frame = (struct frame_slice){ it->chunk, it->chunk->n, n };
        it->chunk->n += n;
        return true;
}
