/*
 * engine-delivery.c - see engine-delivery.h.
 */
#include "engine-delivery.h"

#include <assert.h>
#include <stdlib.h>

#include "engine-local.h"

void finish_delivery(struct engine *e, struct delivery *delivery, enum mbus_reason reason)
{
        struct event event = { .type = reason ? EVENT_FAILED : EVENT_DELIVERED,
                               .entity = delivery->entity,
                               .ticket = delivery->ticket,
                               .reason = reason,
                               .round_trip = delivery->round_trip };

        retransmitter_remove(&e->retransmitter, delivery);
        events_push_reserved(&e->events, &event);
}

void fail_deliveries_to(struct engine *e, struct peer *peer, enum mbus_reason reason)
{
        struct delivery *delivery;

        while ((delivery = send_queue_oldest(&peer->queue)))
                finish_delivery(e, delivery, reason);
}

/* Those of @entity in @list fail. */
static void fail_listed(struct engine *e, const struct list *list, const struct entity *entity,
                        enum mbus_reason reason)
{
        for (struct list_node *node = list->first, *next; node; node = next) {
                struct delivery *delivery = delivery_of_node(node);

                next = node->next;
                if (delivery->entity == entity)
                        finish_delivery(e, delivery, reason);
        }
}

void fail_deliveries_of(struct engine *e, struct entity *entity, enum mbus_reason reason)
{
        for (size_t i = 0; i < e->peers.known.n; ++i) {
                struct send_queue *queue = &peer_of_entry(e->peers.known.all[i])->queue;

                fail_listed(e, &queue->waiting, entity, reason);
                fail_listed(e, &queue->in_flight, entity, reason);
        }
}

static void forget_listed(struct engine *e, const struct list *list, struct entity *entity)
{
        for (struct list_node *node = list->first, *next; node; node = next) {
                struct delivery *delivery = delivery_of_node(node);

                next = node->next;
                if (delivery->entity != entity)
                        continue;
                retransmitter_remove(&e->retransmitter, delivery);
                events_release(&e->events);
                assert(entity->n_reliable > 0);
                --entity->n_reliable;
        }
}

void forget_deliveries_of(struct engine *e, struct entity *entity, struct peer *peer)
{
        forget_listed(e, &peer->queue.waiting, entity);
        forget_listed(e, &peer->queue.in_flight, entity);
}

static int launch(struct engine *e, uint64_t now, uint64_t wall_ms, struct delivery *delivery)
{
        const struct peer *peer = peer_of_queue(delivery->queue);
        struct outbound out = { .from = delivery->entity,
                                .dest = peer->entry.address,
                                .reliable = true,
                                .payload = buffer_span(&delivery->bytes) };
        struct endpoint to = endpoint_for(e, out.dest);
        int error = outbound_seal(e, wall_ms, &out);

        if (error == 0)
                error = retransmitter_launch(&e->retransmitter, delivery, now,
                                             delivery->entity->seq, buffer_span(&e->sealed));
        if (error != 0)
                return error;
        /* With a full queue this transmission is lost; the next comes in T_r. */
        if (outgoing_push(&e->outgoing, buffer_span(&delivery->bytes), &to) != 0)
                ++e->dropped[MBUS_DROP_SENT];
        outbound_sent(e, wall_ms, &out);
        return 0;
}

void pump_queue(struct engine *e, uint64_t now, uint64_t wall_ms, struct send_queue *queue)
{
        struct delivery *delivery;

        while ((delivery = retransmitter_next(&e->retransmitter, queue))) {
                if (launch(e, now, wall_ms, delivery) != 0)
                        finish_delivery(e, delivery, MBUS_REASON_FULL);
        }
}

void repeat_deliveries(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        struct delivery *delivery;

        while ((delivery = retransmitter_due(&e->retransmitter, now))) {
                struct send_queue *queue = delivery->queue;
                struct endpoint to;

                if (retransmitter_is_lost(&e->retransmitter, delivery)) {
                        finish_delivery(e, delivery, MBUS_REASON_TIMEOUT);
                        pump_queue(e, now, wall_ms, queue);
                        continue;
                }
                to = endpoint_for(e, peer_of_queue(queue)->entry.address);
                if (outgoing_push(&e->outgoing, buffer_span(&delivery->bytes), &to) != 0)
                        ++e->dropped[MBUS_DROP_SENT];
                retransmitter_repeated(&e->retransmitter, delivery, now);
        }
}

/* A ticket between two entities of this engine needs no bus. */
static int send_reliable_locally(struct engine *e, uint64_t wall_ms, const struct outbound *out,
                                 struct entity *to, uint64_t ticket)
{
        struct entity **recipients = malloc(sizeof(*recipients));
        int r = recipients ? outbound_seal(e, wall_ms, out) : -ENOMEM;

        if (r != 0) {
                free(recipients);
                return r;
        }
        recipients[0] = to;
        r = deliver_locally(e, recipients, 1);
        if (r != 0)
                return r;
        outbound_sent(e, wall_ms, out);
        events_push_reserved(
                &e->events,
                &(struct event){ .type = EVENT_DELIVERED, .entity = out->from, .ticket = ticket });
        return 0;
}

static int send_reliable_to_peer(struct engine *e, uint64_t now, uint64_t wall_ms,
                                 const struct outbound *out, struct peer *peer, uint64_t ticket)
{
        struct delivery *delivery;
        int r;

        /* Only to an address that is known (section 7; REL-01). */
        assert(peer);
        r = retransmitter_add(&e->retransmitter, &peer->queue, out->from, ticket, out->payload,
                              &delivery);
        if (r != 0)
                return r;
        if (retransmitter_next(&e->retransmitter, &peer->queue) == delivery)
                r = launch(e, now, wall_ms, delivery);
        else
                /* Too large? Now the caller can still be told. */
                r = outbound_seal(e, wall_ms, out);
        if (r != 0) {
                retransmitter_remove(&e->retransmitter, delivery);
                return r;
        }
        return 0;
}

int send_reliable_to(struct engine *e, uint64_t now, uint64_t wall_ms, const struct outbound *out,
                     struct entity *local, uint64_t ticket)
{
        if (local)
                return send_reliable_locally(e, wall_ms, out, local, ticket);
        return send_reliable_to_peer(e, now, wall_ms, out, peers_find(&e->peers, out->dest),
                                     ticket);
}
