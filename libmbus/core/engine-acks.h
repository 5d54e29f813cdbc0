/*
 * engine-acks.h - acknowledgements that we owe: gathered until the next tick, sent, sent again.
 *
 * acks.h keeps the books of one entity and one peer; here is which of them are due, and what goes
 * out.
 */
#ifndef MBUS_CORE_ENGINE_ACKS_H
#define MBUS_CORE_ENGINE_ACKS_H

#include "engine-state.h"

/* What @entity owes @peer, or NULL: nothing yet. */
struct acks *find_acks(const struct peer *peer, const struct entity *entity);
/* The same for @seq, which was just accepted, and perhaps is the first for @entity. NULL without
 * memory. */
struct acks *get_acks(struct peer *peer, struct entity *entity, uint32_t seq);
/* @seq is acknowledged at the next tick. */
void owe_ack(struct engine *e, struct acks *acks, uint32_t seq);
/* The message @seq of @peer came again: so does the list of acknowledgements that it was in. */
void repeat_acks(struct engine *e, uint64_t now, struct peer *peer, struct entity *entity,
                 uint32_t seq);
/* @peer started again, and only now it shows. What is owed, is owed to its new life. */
void forget_ack_copies(struct peer *peer);
/* @peer is owed nothing any more; nor is it by @entity. */
void drop_all_acks(struct engine *e, struct peer *peer);
void drop_acks_of(struct engine *e, struct peer *peer, const struct entity *entity);
/* See engine_acknowledge() and engine_refuse(). */
void acknowledge(struct engine *e, struct entity *entity, const struct address *src, uint32_t seq);
void refuse_message(struct engine *e, struct entity *entity, const struct address *src,
                    uint32_t seq);
/* Sends the acknowledgements that are owed. */
void flush_acks(struct engine *e, uint64_t now, uint64_t wall_ms);

#endif
