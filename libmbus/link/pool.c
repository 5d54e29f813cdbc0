/*
 * pool.c - the memory of messages that the application is done with, for the next ones.
 *
 * Messages come by the dozen and go in the order in which they came, which is what costs a general
 * allocator most. Pieces of one size are kept here; whatever does not fit into one, or is held by the
 * application when the bus lets go of it, is none of ours.
 */
#include "link.h"

#include <stdlib.h>

void *stock_take(struct stock *s, size_t size)
{
        if (size > STOCK_PIECE)
                return malloc(size);
        return s->n > 0 ? s->pieces[--s->n] : malloc(STOCK_PIECE);
}

void stock_put(struct stock *s, void *memory, size_t size)
{
        if (size <= STOCK_PIECE && s->n < STOCK_MAX)
                s->pieces[s->n++] = memory;
        else
                free(memory);
}

void stock_put_message(struct stock *s, struct message *m)
{
        if (m->refs > 1) {
                message_unref(m);
                return;
        }
        if (!payload_is_lent(&m->payload))
                payload_deinit(&m->payload);
        stock_put(s, m, message_size(m->text));
}

void stock_deinit(struct stock *s)
{
        while (s->n > 0)
                free(s->pieces[--s->n]);
}
