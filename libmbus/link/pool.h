/*
 * pool.h - the memory of messages that the application is done with, for the next ones.
 *
 * Messages come by the dozen and go in the order in which they came, which is what costs a general
 * allocator most. Pieces of one size are kept here; whatever does not fit into one, or is held by
 * the application when the bus lets go of it, is none of ours.
 */
#ifndef MBUS_LINK_POOL_H
#define MBUS_LINK_POOL_H

#include <core/message.h>

/* Messages that one mbus_bus_process() takes in: few enough to be in the cache still when the
 * application looks at them. */
#define LINK_PROCESS_MAX 32

/* Memory for messages: a piece holds one of some 450 octets, more than most have. */
#define POOL_PIECE 2048
#define POOL_MAX LINK_PROCESS_MAX

struct message_pool {
        void *pieces[POOL_MAX];
        size_t n;
};

/* Memory of @size octets, from the pool or from malloc(); NULL when that is short. */
void *pool_take(struct message_pool *p, size_t size);
/* What pool_take() gave for @size. */
void pool_put(struct message_pool *p, void *memory, size_t size);
/* Drops a reference to a message that was made in memory of pool_take(). */
void pool_put_message(struct message_pool *p, struct message *m);
void pool_deinit(struct message_pool *p);

#endif
