/*
 * engine-delivery.h - reliable messages on their way to one entity each (section 7, "Sender").
 *
 * retransmitter.h keeps the books; here they are sent, repeated, and end with their event. For each
 * there is an event reserved from when its ticket is given.
 */
#ifndef MBUS_CORE_ENGINE_DELIVERY_H
#define MBUS_CORE_ENGINE_DELIVERY_H

#include "engine-transmit.h"

/* Sends what is to be acknowledged to @local or, if that is NULL, to the peer with the address that
 * @out has as its destination; an event is reserved. As engine_send_reliable(). */
int send_reliable_to(struct engine *e, uint64_t now, uint64_t wall_ms, const struct outbound *out,
                     struct entity *local, uint64_t ticket);
/* Sends what may go now of a peer's queue. */
void pump_queue(struct engine *e, uint64_t now, uint64_t wall_ms, struct send_queue *queue);
/* Repeats what is due, and gives up what was repeated often enough. */
void repeat_deliveries(struct engine *e, uint64_t now, uint64_t wall_ms);
/* Ends a ticket with its event. */
void finish_delivery(struct engine *e, struct delivery *delivery, enum mbus_reason reason);
/* All tickets to @peer fail. */
void fail_deliveries_to(struct engine *e, struct peer *peer, enum mbus_reason reason);
/* All tickets of @entity to peers fail; or, to one peer, end without an event. */
void fail_deliveries_of(struct engine *e, struct entity *entity, enum mbus_reason reason);
void forget_deliveries_of(struct engine *e, struct entity *entity, struct peer *peer);

#endif
