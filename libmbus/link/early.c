/*
 * early.c - see early.h.
 */
#include "early.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t early_cost(const struct early *m)
{
        return sizeof(*m) + address_dup_size(m->dest) + m->n;
}

static int early_new(const struct address *dest, struct span payload, struct early **ret_early)
{
        struct early *m = malloc(sizeof(*m) + payload.n);

        if (!m)
                return -ENOMEM;
        *m = (struct early){ .node = LIST_NODE_INIT, .dest = address_dup(dest), .n = payload.n };
        if (!m->dest) {
                free(m);
                return -ENOMEM;
        }
        memcpy(m->payload, payload.at, payload.n);
        *ret_early = m;
        return 0;
}

static void early_free(struct early *m)
{
        free(m->dest);
        free(m);
}

static struct early *early_of(struct list_node *node)
{
        return container_of(node, struct early, node);
}

/* Takes the first one out, which there is. */
static struct early *early_take(struct link_entity *entity)
{
        struct link *l = link_of_entity(entity);
        struct early *m = early_of(list_pop(&entity->early));

        assert(l->n_early > 0 && l->early_bytes >= early_cost(m));
        l->early_bytes -= early_cost(m);
        --l->n_early;
        if (m->ticket) {
                assert(entity->n_early_reliable > 0);
                --entity->n_early_reliable;
                event_queue_redeem(link_events(l));
        }
        return m;
}

int early_add(struct link_entity *entity, const struct address *dest, struct span payload,
              uint64_t *ret_ticket)
{
        struct link *l = link_of_entity(entity);
        struct early *m;
        int r = early_new(dest, payload, &m);

        if (r == 0 && (early_cost(m) > LINK_OUTPUT_MAX - l->early_bytes ||
                       (ret_ticket &&
                        entity->n_tickets + entity->n_early_reliable >= RELIABLE_OUTSTANDING_MAX)))
                r = MBUS_E_FULL;
        else if (r == 0 && ret_ticket)
                r = event_queue_promise(link_events(l));
        else if (r < 0)
                return r;
        if (r != 0) {
                early_free(m);
                return r;
        }
        if (ret_ticket) {
                *ret_ticket = m->ticket = l->next_ticket++;
                ++entity->n_early_reliable;
        }
        assert(!entity->attached.address || !list_is_empty(&entity->early));
        list_push(&entity->early, &m->node);
        l->early_bytes += early_cost(m);
        ++l->n_early;
        return 0;
}

const struct early *early_first(const struct link_entity *entity)
{
        return early_of(entity->early.first);
}

void early_drop_first(struct link_entity *entity)
{
        early_free(early_take(entity));
}

/* What was sent without a ticket is lost: that is told once for all. */
static void early_report_lost(struct link *l, uint64_t n)
{
        struct mbus_event event = { .type = MBUS_EVENT_DROPPED,
                                    .drop = MBUS_DROP_SENT,
                                    .count = n };

        l->dropped[MBUS_DROP_SENT] += n;
        if (n > 0)
                event_queue_push(link_events(l), &event, NULL);
}

/* How many were lost without a ticket: one, or none. */
static uint64_t early_end_first(struct link_entity *entity, enum mbus_reason reason,
                                struct span why)
{
        struct early *m = early_take(entity);
        struct ticket ticket = { .entity = entity, .ticket = m->ticket };
        bool lost = m->ticket == 0;

        if (!lost && reason != MBUS_REASON_NONE)
                ticket_end(link_events(link_of_entity(entity)), &ticket, reason, why);
        early_free(m);
        return lost;
}

void early_fail_first(struct link_entity *entity, enum mbus_reason reason)
{
        early_report_lost(link_of_entity(entity), early_end_first(entity, reason, SPAN_NULL));
}

void early_fail(struct link_entity *entity, enum mbus_reason reason, struct span why)
{
        uint64_t n = 0;

        while (!list_is_empty(&entity->early))
                n += early_end_first(entity, reason, why);
        early_report_lost(link_of_entity(entity), n);
}

void early_forget(struct link_entity *entity)
{
        early_fail(entity, MBUS_REASON_NONE, SPAN_NULL);
}
