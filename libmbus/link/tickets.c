/*
 * tickets.c - see tickets.h.
 *
 * Bounded by what the application may have outstanding (RELIABLE_OUTSTANDING_MAX an entity).
 * SeqNums are consecutive, so mostly nothing moves at all, in however long a run.
 */
#include "tickets.h"

#include <assert.h>
#include <stdlib.h>

#define TICKETS_MIN 64

static size_t tickets_home(const struct tickets *ts, uint32_t seq)
{
        return seq & (ts->size - 1);
}

/* How far the entry in slot @i is from its home. */
static size_t tickets_distance(const struct tickets *ts, size_t i)
{
        return (i - tickets_home(ts, ts->slots[i].seq)) & (ts->size - 1);
}

static void tickets_place(struct tickets *ts, const struct ticket *ticket)
{
        struct ticket moved = *ticket;
        size_t n = 0;

        for (size_t i = tickets_home(ts, moved.seq);; i = (i + 1) & (ts->size - 1), n++) {
                struct ticket *slot = &ts->slots[i];
                struct ticket other = *slot;

                if (slot->entity && tickets_distance(ts, i) >= n)
                        continue;
                n = slot->entity ? tickets_distance(ts, i) : 0;
                *slot = moved;
                if (!other.entity)
                        return;
                moved = other;
        }
}

static int tickets_grow(struct tickets *ts)
{
        struct tickets bigger = { .size = ts->size ? ts->size * 2 : TICKETS_MIN,
                                  .n = ts->n,
                                  .n_attaches = ts->n_attaches,
                                  .events = ts->events };

        bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
        if (!bigger.slots)
                return -ENOMEM;
        for (size_t i = 0; i < ts->size; i++)
                if (ts->slots[i].entity)
                        tickets_place(&bigger, &ts->slots[i]);
        free(ts->slots);
        *ts = bigger;
        return 0;
}

int tickets_add(struct tickets *ts, const struct ticket *ticket)
{
        int r = ts->n < ts->size / 2 ? 0 : tickets_grow(ts);

        if (r == 0)
                r = event_queue_promise(ts->events);
        if (r < 0)
                return r;
        tickets_place(ts, ticket);
        ts->n++;
        assert(ts->n <= ts->size / 2);
        ts->n_attaches += ticket->attach;
        ticket->entity->n_tickets++;
        return 0;
}

const struct ticket *tickets_find(const struct tickets *ts, uint32_t seq)
{
        size_t n = 0;

        if (ts->n == 0)
                return NULL;
        for (size_t i = tickets_home(ts, seq); ts->slots[i].entity;
             i = (i + 1) & (ts->size - 1), n++) {
                if (ts->slots[i].seq == seq)
                        return &ts->slots[i];
                if (tickets_distance(ts, i) < n)
                        return NULL;
        }
        return NULL;
}

static void tickets_remove_at(struct tickets *ts, size_t gap)
{
        size_t mask = ts->size - 1;

        assert(ts->slots[gap].entity && ts->slots[gap].entity->n_tickets > 0);
        event_queue_redeem(ts->events);
        ts->slots[gap].entity->n_tickets--;
        ts->n--;
        ts->n_attaches -= ts->slots[gap].attach;
        for (size_t i = (gap + 1) & mask; ts->slots[i].entity && tickets_distance(ts, i) > 0;
             i = (i + 1) & mask) {
                ts->slots[gap] = ts->slots[i];
                gap = i;
        }
        ts->slots[gap].entity = NULL;
}

void tickets_remove(struct tickets *ts, uint32_t seq)
{
        const struct ticket *ticket = tickets_find(ts, seq);

        if (ticket)
                tickets_remove_at(ts, (size_t)(ticket - ts->slots));
}

bool tickets_take(struct tickets *ts, const struct link_entity *entity, size_t *cursor,
                  struct ticket *ret_ticket)
{
        if (entity->n_tickets == 0)
                return false;
        /* Removal at the start of the table may have moved one behind where the walk had been. */
        while (ts->slots[*cursor & (ts->size - 1)].entity != entity)
                ++*cursor;
        *cursor &= ts->size - 1;
        *ret_ticket = ts->slots[*cursor];
        tickets_remove_at(ts, *cursor);
        return true;
}

void tickets_forget(struct tickets *ts, const struct link_entity *entity)
{
        struct ticket ticket;
        size_t cursor = 0;

        while (tickets_take(ts, entity, &cursor, &ticket))
                ;
}

static int by_ticket(const void *a, const void *b)
{
        uint64_t x = ((const struct ticket *)a)->ticket, y = ((const struct ticket *)b)->ticket;

        return x < y ? -1 : x > y;
}

struct ticket *tickets_drain(struct tickets *ts, size_t *ret_n)
{
        struct ticket *all = ts->slots;
        size_t n = 0;

        for (size_t i = 0; i < ts->size; i++) {
                if (!all[i].entity)
                        continue;
                event_queue_redeem(ts->events);
                all[i].entity->n_tickets--;
                all[n++] = all[i];
        }
        assert(n == ts->n);
        *ts = (struct tickets){ .events = ts->events };
        if (n > 0)
                qsort(all, n, sizeof(*all), by_ticket);
        *ret_n = n;
        return all;
}

void tickets_deinit(struct tickets *ts)
{
        free(ts->slots);
        *ts = (struct tickets){ .slots = NULL };
}

void ticket_end(struct event_queue *events, const struct ticket *ticket, enum mbus_reason reason,
                struct span why)
{
        struct mbus_event event = { .type = reason ? MBUS_EVENT_FAILED : MBUS_EVENT_DELIVERED,
                                    .entity = &ticket->entity->base,
                                    .ticket = ticket->ticket,
                                    .reason = reason,
                                    .round_trip = ticket->round_trip,
                                    .why = why.n > 0 ? why_string(why) : NULL };

        assert(!ticket->attach);
        event_queue_push(events, &event, NULL);
}
