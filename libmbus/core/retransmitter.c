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

void sender_init(struct sender *s, uint64_t t_r, unsigned n_r, size_t window, size_t bytes_max)
{
        *s = (struct sender){ .t_r = t_r,
                              .n_r = n_r,
                              .window = window,
                              .bytes_max = bytes_max,
                              .deadlines = DEADLINES_INIT };
}

void sender_deinit(struct sender *s)
{
        assert(s->n == 0);
        deadlines_deinit(&s->deadlines);
        free(s->buckets);
        s->buckets = NULL;
        s->n_buckets = 0;
}

static struct reliable **bucket_of(const struct sender *s, const struct entity *entity,
                                   uint32_t seq)
{
        uint64_t hash = ((uint64_t)(uintptr_t)entity >> 4) * UINT64_C(0x9e3779b97f4a7c15) + seq;

        return &s->buckets[hash & (s->n_buckets - 1)];
}

static int grow_buckets(struct sender *s)
{
        size_t old_n = s->n_buckets;
        struct reliable **old = s->buckets, **buckets;

        if (s->n_flying < s->n_buckets)
                return 0;
        buckets = calloc(old_n ? old_n * 2 : BUCKETS_MIN, sizeof(*buckets));
        if (!buckets)
                return -ENOMEM;
        s->buckets = buckets;
        s->n_buckets = old_n ? old_n * 2 : BUCKETS_MIN;
        for (size_t i = 0; i < old_n; ++i) {
                for (struct reliable *r = old[i], *next; r; r = next) {
                        struct reliable **bucket = bucket_of(s, r->entity, r->seq);

                        next = r->next_hashed;
                        r->next_hashed = *bucket;
                        *bucket = r;
                }
        }
        free(old);
        return 0;
}

int sender_add(struct sender *s, struct lane *lane, struct entity *entity, uint64_t ticket,
               struct span payload, struct reliable **ret_reliable)
{
        struct reliable *r;

        if (s->bytes > s->bytes_max || payload.n > s->bytes_max - s->bytes)
                return MBUS_E_FULL;
        r = malloc(sizeof(*r));
        if (!r)
                return -ENOMEM;
        *r = (struct reliable){ .deadline = DEADLINE_INIT,
                                .entity = entity,
                                .lane = lane,
                                .ticket = ticket,
                                .bytes = BUFFER_INIT };
        buffer_add_span(&r->bytes, payload);
        if (r->bytes.failed || deadlines_reserve(&s->deadlines) < 0) {
                buffer_deinit(&r->bytes);
                free(r);
                return -ENOMEM;
        }
        r->previous = lane->line_end;
        if (lane->line_end)
                lane->line_end->next = r;
        else
                lane->line = r;
        lane->line_end = r;
        ++s->n;
        s->bytes += r->bytes.n;
        *ret_reliable = r;
        return 0;
}

struct reliable *sender_next(const struct sender *s, const struct lane *lane)
{
        return lane->n_flying < s->window ? lane->line : NULL;
}

static void leave_line(struct lane *lane, struct reliable *r)
{
        if (r->previous)
                r->previous->next = r->next;
        else
                lane->line = r->next;
        if (r->next)
                r->next->previous = r->previous;
        else
                lane->line_end = r->previous;
        r->previous = r->next = NULL;
}

static void enter_flight(struct sender *s, struct lane *lane, struct reliable *r)
{
        struct reliable **bucket = bucket_of(s, r->entity, r->seq);

        r->next_hashed = *bucket;
        *bucket = r;
        r->previous = lane->flying_end;
        if (r->previous)
                r->previous->next = r;
        else
                lane->flying = r;
        lane->flying_end = r;
        ++lane->n_flying;
        ++s->n_flying;
}

static void leave_flight(struct sender *s, struct lane *lane, struct reliable *r)
{
        struct reliable **p = bucket_of(s, r->entity, r->seq);

        while (*p != r)
                p = &(*p)->next_hashed;
        *p = r->next_hashed;
        if (r->previous)
                r->previous->next = r->next;
        else
                lane->flying = r->next;
        if (r->next)
                r->next->previous = r->previous;
        else
                lane->flying_end = r->previous;
        --lane->n_flying;
        --s->n_flying;
}

int sender_launch(struct sender *s, struct reliable *r, uint64_t now, uint32_t seq,
                  struct span datagram)
{
        struct buffer copy = BUFFER_INIT;

        assert(r->n_sent == 0);
        buffer_add_span(&copy, datagram);
        if (copy.failed || grow_buckets(s) < 0) {
                buffer_deinit(&copy);
                return -ENOMEM;
        }
        s->bytes = s->bytes - r->bytes.n + copy.n;
        buffer_deinit(&r->bytes);
        r->bytes = copy;
        r->seq = seq;
        r->n_sent = 1;
        leave_line(r->lane, r);
        enter_flight(s, r->lane, r);
        deadlines_set(&s->deadlines, &r->deadline, now + s->t_r);
        return 0;
}

struct reliable *sender_due(struct sender *s, uint64_t now)
{
        struct deadline *d = deadlines_pop(&s->deadlines, now);

        /* The deadline is the first member. */
        return (struct reliable *)(void *)d;
}

bool sender_is_lost(const struct sender *s, const struct reliable *r)
{
        return r->n_sent >= s->n_r;
}

void sender_repeated(struct sender *s, struct reliable *r, uint64_t now)
{
        ++r->n_sent;
        deadlines_set(&s->deadlines, &r->deadline, now + r->n_sent * s->t_r);
}

struct reliable *sender_find(const struct sender *s, const struct entity *entity, uint32_t seq)
{
        struct reliable *r;

        if (s->n_buckets == 0)
                return NULL;
        r = *bucket_of(s, entity, seq);
        while (r && (r->entity != entity || r->seq != seq))
                r = r->next_hashed;
        return r;
}

void sender_remove(struct sender *s, struct reliable *r)
{
        if (r->n_sent == 0)
                leave_line(r->lane, r);
        else
                leave_flight(s, r->lane, r);
        deadlines_set(&s->deadlines, &r->deadline, TIME_NEVER);
        deadlines_release(&s->deadlines);
        s->bytes -= r->bytes.n;
        --s->n;
        buffer_deinit(&r->bytes);
        free(r);
}

struct reliable *lane_oldest(const struct lane *lane)
{
        return lane->flying ? lane->flying : lane->line;
}

size_t sender_bytes(const struct sender *s)
{
        return s->n * sizeof(struct reliable) + s->bytes + s->n_buckets * sizeof(*s->buckets) +
               s->deadlines.size * sizeof(*s->deadlines.heap);
}
