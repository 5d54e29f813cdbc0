/*
 * pool.c - see pool.h.
 */
#include "pool.h"

#include <assert.h>
#include <stdlib.h>

void *pool_take(struct message_pool *p, size_t size)
{
        if (size > POOL_PIECE)
                return malloc(size);
        return p->n > 0 ? p->pieces[--p->n] : malloc(POOL_PIECE);
}

void pool_put(struct message_pool *p, void *memory, size_t size)
{
        assert(p->n <= POOL_MAX);
        if (size <= POOL_PIECE && p->n < POOL_MAX)
                p->pieces[p->n++] = memory;
        else
                free(memory);
}

void pool_put_message(struct message_pool *p, struct message *m)
{
        if (m->refs > 1) {
                message_unref(m);
                return;
        }
        if (!payload_is_lent(&m->payload))
                payload_deinit(&m->payload);
        pool_put(p, m, message_size(m->text));
}

void pool_deinit(struct message_pool *p)
{
        while (p->n > 0)
                free(p->pieces[--p->n]);
}
