/*
 * early.c - what an entity sends before it is attached for the first time.
 *
 * Over the network an entity can send at once. Through a broker it has no address until it is attached,
 * so that its messages wait in the order of the calls; they go out with the answer, or fail with it,
 * which is told. Together they are bounded by what may wait for the broker anyway, LINK_OUTPUT_MAX.
 * Whoever was attached once does not wait again: that a link is down is told, and who sends meanwhile too.
 */
#include "link.h"

#include <stdlib.h>

struct early {
        struct early *next;
        struct address *dest;
        uint64_t ticket; /* 0: it is unreliable */
        size_t n;
        char payload[];
};

static size_t cost_of(const struct early *m)
{
        return sizeof(*m) + address_dup_size(m->dest) + m->n;
}

static int early_new(const struct address *dest, struct span payload, struct early **ret_early)
{
        struct early *m = malloc(sizeof(*m) + payload.n);

        if (!m)
                return -ENOMEM;
        *m = (struct early){ .dest = address_dup(dest), .n = payload.n };
        if (!m->dest) {
                free(m);
                return -ENOMEM;
        }
        memcpy(m->payload, payload.at, payload.n);
        *ret_early = m;
        return 0;
}

/* Takes the first one out. */
static struct early *take(struct mbus_entity *entity)
{
        struct link *l = entity->bus->impl;
        struct early *m = entity->early;

        entity->early = m->next;
        if (!entity->early)
                entity->early_last = NULL;
        l->early_bytes -= cost_of(m);
        --entity->bus->n_early;
        if (m->ticket) {
                --entity->n_early_reliable;
                event_queue_redeem(&entity->bus->queue);
        }
        return m;
}

static void early_free(struct early *m)
{
        free(m->dest);
        free(m);
}

int early_add(struct mbus_entity *entity, const struct address *dest, struct span payload,
              uint64_t *ret_ticket)
{
        struct mbus_bus *bus = entity->bus;
        struct link *l = bus->impl;
        struct early *m;
        int r = early_new(dest, payload, &m);

        if (r == 0 && (cost_of(m) > LINK_OUTPUT_MAX - l->early_bytes ||
                       (ret_ticket &&
                        entity->n_tickets + entity->n_early_reliable >= RELIABLE_OUTSTANDING_MAX)))
                r = MBUS_E_FULL;
        else if (r == 0 && ret_ticket)
                r = event_queue_promise(&bus->queue);
        else if (r < 0)
                return r;
        if (r != 0) {
                early_free(m);
                return r;
        }
        if (ret_ticket) {
                *ret_ticket = m->ticket = bus->next_ticket++;
                ++entity->n_early_reliable;
        }
        if (entity->early_last)
                entity->early_last->next = m;
        else
                entity->early = m;
        entity->early_last = m;
        l->early_bytes += cost_of(m);
        ++bus->n_early;
        return 0;
}

/* What was sent without a ticket is lost: that is told once for all. */
static void tell_lost(struct mbus_bus *bus, uint64_t n)
{
        struct mbus_event event = { .type = MBUS_EVENT_DROPPED,
                                    .drop = MBUS_DROP_SENT,
                                    .count = n };

        bus->dropped[MBUS_DROP_SENT] += n;
        if (n > 0)
                event_queue_push(bus, &event, NULL);
}

static uint64_t fail(struct mbus_entity *entity, enum mbus_reason reason, struct span why)
{
        struct early *m = take(entity);
        struct ticket ticket = { .entity = entity, .ticket = m->ticket };
        bool lost = m->ticket == 0;

        if (!lost && reason != MBUS_REASON_NONE)
                link_finish(entity->bus, &ticket, reason, why);
        early_free(m);
        return lost;
}

void early_fail(struct mbus_entity *entity, enum mbus_reason reason, struct span why)
{
        uint64_t n = 0;

        while (entity->early)
                n += fail(entity, reason, why);
        tell_lost(entity->bus, n);
}

void early_forget(struct mbus_entity *entity)
{
        early_fail(entity, MBUS_REASON_NONE, SPAN_NULL);
}

void early_go(struct mbus_entity *entity)
{
        while (entity->early && entity->attached.address) {
                const struct early *m = entity->early;
                struct span payload = { m->payload, m->n };
                int r = link_put(entity, m->dest, payload, m->ticket);

                if (r == MBUS_E_TOO_LARGE)
                        tell_lost(entity->bus, fail(entity, MBUS_REASON_MALFORMED, SPAN_NULL));
                else if (r != 0)
                        return; /* there is no room now: later */
                else
                        early_free(take(entity));
        }
}

void early_go_all(struct mbus_bus *bus)
{
        struct mbus_entity *entity = bus->n_early > 0 ? bus->entities : NULL;

        for (; entity; entity = entity->next)
                early_go(entity);
}
