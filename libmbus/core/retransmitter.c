/*
 * retransmitter.c - the books of the reliable exchange, sending side (section 7, "Sender").
 */
#include "retransmitter.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "limits.h"

#define BUCKETS_MIN 16

void retransmitter_init(struct retransmitter *rt, uint64_t t_r, unsigned n_r, size_t in_flight_max,
                        size_t bytes_max)
{
        *rt = (struct retransmitter){ .t_r = t_r,
                                      .n_r = n_r,
                                      .in_flight_max = in_flight_max,
                                      .bytes_max = bytes_max,
                                      .deadlines = DEADLINES_INIT };
}

void retransmitter_deinit(struct retransmitter *rt)
{
        assert(rt->n == 0);
        deadlines_deinit(&rt->deadlines);
        free(rt->buckets);
        rt->buckets = NULL;
        rt->n_buckets = 0;
}

static struct delivery **bucket_of(const struct retransmitter *rt, const struct entity *entity,
                                   uint32_t seq)
{
        uint64_t hash = ((uint64_t)(uintptr_t)entity >> 4) * UINT64_C(0x9e3779b97f4a7c15) + seq;

        return &rt->buckets[hash & (rt->n_buckets - 1)];
}

static int grow_buckets(struct retransmitter *rt)
{
        size_t old_n = rt->n_buckets;
        struct delivery **old = rt->buckets, **buckets;

        if (rt->n_in_flight < rt->n_buckets)
                return 0;
        buckets = calloc(old_n ? old_n * 2 : BUCKETS_MIN, sizeof(*buckets));
        if (!buckets)
                return -ENOMEM;
        rt->buckets = buckets;
        rt->n_buckets = old_n ? old_n * 2 : BUCKETS_MIN;
        for (size_t i = 0; i < old_n; ++i) {
                for (struct delivery *delivery = old[i], *next; delivery; delivery = next) {
                        struct delivery **bucket = bucket_of(rt, delivery->entity, delivery->seq);

                        next = delivery->next_hashed;
                        delivery->next_hashed = *bucket;
                        *bucket = delivery;
                }
        }
        free(old);
        return 0;
}

int retransmitter_add(struct retransmitter *rt, struct send_queue *queue, struct entity *entity,
                      uint64_t ticket, struct span payload, struct delivery **ret_delivery)
{
        struct delivery *delivery;

        if (rt->bytes > rt->bytes_max || payload.n > rt->bytes_max - rt->bytes)
                return MBUS_E_FULL;
        delivery = malloc(sizeof(*delivery));
        if (!delivery)
                return -ENOMEM;
        *delivery = (struct delivery){ .deadline = DEADLINE_INIT,
                                       .entity = entity,
                                       .queue = queue,
                                       .ticket = ticket,
                                       .bytes = BUFFER_INIT };
        buffer_add_span(&delivery->bytes, payload);
        if (delivery->bytes.failed || deadlines_reserve(&rt->deadlines) < 0) {
                buffer_deinit(&delivery->bytes);
                free(delivery);
                return -ENOMEM;
        }
        list_push(&queue->waiting, &delivery->node);
        ++rt->n;
        assert(rt->deadlines.reserved == rt->n);
        rt->bytes += delivery->bytes.n;
        *ret_delivery = delivery;
        return 0;
}

struct delivery *retransmitter_next(const struct retransmitter *rt, const struct send_queue *queue)
{
        return queue->n_in_flight < rt->in_flight_max ? delivery_of_node(queue->waiting.first)
                                                      : NULL;
}

static void put_in_flight(struct retransmitter *rt, struct send_queue *queue,
                          struct delivery *delivery)
{
        struct delivery **bucket = bucket_of(rt, delivery->entity, delivery->seq);

        delivery->next_hashed = *bucket;
        *bucket = delivery;
        list_push(&queue->in_flight, &delivery->node);
        ++queue->n_in_flight;
        ++rt->n_in_flight;
        assert(queue->n_in_flight <= rt->in_flight_max);
        assert(rt->n_in_flight <= rt->n && rt->n_in_flight <= rt->n_buckets);
}

static void take_out_of_flight(struct retransmitter *rt, struct send_queue *queue,
                               struct delivery *delivery)
{
        struct delivery **p = bucket_of(rt, delivery->entity, delivery->seq);

        while (*p != delivery)
                p = &(*p)->next_hashed;
        *p = delivery->next_hashed;
        list_remove(&queue->in_flight, &delivery->node);
        assert(queue->n_in_flight > 0);
        --queue->n_in_flight;
        --rt->n_in_flight;
}

int retransmitter_launch(struct retransmitter *rt, struct delivery *delivery, uint64_t now,
                         uint32_t seq, struct span datagram)
{
        struct buffer copy = BUFFER_INIT;

        assert(delivery->n_sent == 0);
        buffer_add_span(&copy, datagram);
        if (copy.failed || grow_buckets(rt) < 0) {
                buffer_deinit(&copy);
                return -ENOMEM;
        }
        assert(rt->bytes >= delivery->bytes.n);
        rt->bytes = rt->bytes - delivery->bytes.n + copy.n;
        buffer_deinit(&delivery->bytes);
        delivery->bytes = copy;
        delivery->seq = seq;
        delivery->n_sent = 1;
        delivery->sent_at = now;
        list_remove(&delivery->queue->waiting, &delivery->node);
        put_in_flight(rt, delivery->queue, delivery);
        deadlines_set(&rt->deadlines, &delivery->deadline, now + rt->t_r);
        return 0;
}

struct delivery *retransmitter_due(struct retransmitter *rt, uint64_t now)
{
        return container_of(deadlines_pop(&rt->deadlines, now), struct delivery, deadline);
}

bool retransmitter_is_lost(const struct retransmitter *rt, const struct delivery *delivery)
{
        return delivery->n_sent >= rt->n_r;
}

/* The n-th transmission is waited for n T_r: so they go at 0, T_r and 3 T_r, and it has failed at 6
 * T_r (section 7; REL-05). */
void retransmitter_repeated(struct retransmitter *rt, struct delivery *delivery, uint64_t now)
{
        assert(delivery->n_sent > 0 && delivery->n_sent < rt->n_r);
        ++delivery->n_sent;
        deadlines_set(&rt->deadlines, &delivery->deadline, now + delivery->n_sent * rt->t_r);
}

struct delivery *retransmitter_find(const struct retransmitter *rt, const struct entity *entity,
                                    uint32_t seq)
{
        struct delivery *delivery;

        if (rt->n_buckets == 0)
                return NULL;
        delivery = *bucket_of(rt, entity, seq);
        while (delivery && (delivery->entity != entity || delivery->seq != seq))
                delivery = delivery->next_hashed;
        return delivery;
}

void retransmitter_remove(struct retransmitter *rt, struct delivery *delivery)
{
        assert(rt->n > 0 && rt->bytes >= delivery->bytes.n);
        if (delivery->n_sent == 0)
                list_remove(&delivery->queue->waiting, &delivery->node);
        else
                take_out_of_flight(rt, delivery->queue, delivery);
        deadlines_set(&rt->deadlines, &delivery->deadline, TIME_NEVER);
        deadlines_release(&rt->deadlines);
        rt->bytes -= delivery->bytes.n;
        --rt->n;
        buffer_deinit(&delivery->bytes);
        free(delivery);
}

struct delivery *send_queue_oldest(const struct send_queue *queue)
{
        return delivery_of_node(queue->in_flight.first ? queue->in_flight.first
                                                       : queue->waiting.first);
}

size_t retransmitter_bytes(const struct retransmitter *rt)
{
        return rt->n * sizeof(struct delivery) + rt->bytes + rt->n_buckets * sizeof(*rt->buckets) +
               rt->deadlines.size * sizeof(*rt->deadlines.heap);
}
