/*
 * pending-relays.c - reliable messages that are under way from one bus to another, and how they end.
 */
#include "pending-relays.h"

#include <stdlib.h>

#include <broker/broker.h>
#include <broker/control/control.h>
#include <broker/sessions/reliable.h>

/* What a client has for its acknowledgement; T_k of the RFC. */
#define TIMEOUT_NS (RELIABLE_T_R_MS * 6 * NSEC_PER_MSEC)

struct relay *relay_new(struct proxy *by, struct proxy *to, uint32_t seq)
{
        struct deadlines *ds = &by->bridge->all->relays;
        struct relay *r;

        if (by->n_sent >= RELIABLE_OUTSTANDING_MAX || deadlines_reserve(ds) < 0)
                return NULL;
        r = malloc(sizeof(*r));
        if (!r) {
                deadlines_release(ds);
                return NULL;
        }
        *r = (struct relay){ .deadline = DEADLINE_INIT,
                             .by = by,
                             .to = to,
                             .seq = seq,
                             .previous = by->sent_end,
                             .next_awaited = to->awaited };
        *(by->sent_end ? &by->sent_end->next : &by->sent) = r;
        by->sent_end = r;
        by->n_sent++;
        if (to->awaited)
                to->awaited->previous_awaited = r;
        to->awaited = r;
        return r;
}

void relay_charge(struct relay *r, struct client *client, size_t bytes)
{
        reliable_charge(client, bytes);
        r->client = client;
        r->bytes = bytes;
}

struct relay *relay_free(struct relay *r)
{
        struct deadlines *ds = &r->by->bridge->all->relays;

        if (r->client)
                reliable_discharge(r->client, r->bytes);
        *(r->previous ? &r->previous->next : &r->by->sent) = r->next;
        *(r->next ? &r->next->previous : &r->by->sent_end) = r->previous;
        r->by->n_sent--;
        *(r->previous_awaited ? &r->previous_awaited->next_awaited : &r->to->awaited) =
                r->next_awaited;
        if (r->next_awaited)
                r->next_awaited->previous_awaited = r->previous_awaited;
        deadlines_set(ds, &r->deadline, TIME_NEVER);
        deadlines_release(ds);
        free(r);
        return NULL;
}

void relay_await_client(struct relay *r)
{
        struct bridges *all = r->by->bridge->all;

        deadlines_set(&all->relays, &r->deadline, all->broker->it.now + TIMEOUT_NS);
}

/* Nearly always the first: acknowledgements come in order. */
static struct relay *relay_find(const struct proxy *by, bool local, uint64_t ticket)
{
        struct relay *r = by->sent;

        while (r && (r->local != local || r->ticket != ticket))
                r = r->next;
        return r;
}

/* The client's entity that sent what @r carries, or NULL: it came from a bus, or the sender left. */
static struct attachment *client_of(const struct relay *r)
{
        struct bus *home = proxy_home(r->by);
        struct attachment *a;

        if (!bus_is_main(home))
                return NULL;
        a = attachment_find(home->broker, proxy_address(r->by));
        return a && a->client ? a : NULL;
}

static void tell_client(const struct attachment *src, const struct relay *r,
                        enum mbus_reason reason)
{
        struct broker *b = src->client->broker;

        if (reason == MBUS_REASON_NONE)
                control_acknowledge(b, src->client, proxy_address(r->to)->text,
                                    attachment_text(src), &r->seq, 1);
        else
                control_undelivered(b, src->client, attachment_text(src), r->seq, reason,
                                    reason == MBUS_REASON_BYE
                                            ? "the entity left the bus"
                                            : "the entity did not acknowledge it");
}

static void finish(struct relay *r, enum mbus_reason reason, bool told)
{
        struct bus *home = proxy_home(r->by);
        struct attachment *src = client_of(r);

        if (src && told)
                tell_client(src, r, reason);
        else if (!src && reason == MBUS_REASON_NONE)
                engine_acknowledge(home->engine, home->broker->it.now, r->to->stand.entity,
                                   proxy_address(r->by), r->seq);
        else if (!src)
                engine_refuse(home->engine, r->to->stand.entity, proxy_address(r->by), r->seq);
        relay_free(r);
}

void relay_forget(struct proxy *p, bool told)
{
        while (p->sent)
                finish(p->sent, MBUS_REASON_BYE, told);
        while (p->awaited)
                finish(p->awaited, MBUS_REASON_BYE, true);
}

void bridge_finish(struct proxy *by, uint64_t ticket, enum mbus_reason reason)
{
        struct relay *r = relay_find(by, false, ticket);

        if (r)
                finish(r, reason, true);
}

bool bridge_acknowledge(struct proxy *by, uint32_t seq, const struct attachment *from)
{
        struct relay *r = relay_find(by, true, seq);

        if (!r || !address_equal(proxy_address(r->to), entity_address(from->entity)))
                return false;
        finish(r, MBUS_REASON_NONE, true);
        return true;
}

bool bridges_expire(struct bridges *all)
{
        struct deadline *d;
        bool any = false;

        while ((d = deadlines_pop(&all->relays, all->broker->it.now))) {
                finish((struct relay *)(void *)d, MBUS_REASON_TIMEOUT, true);
                any = true;
        }
        return any;
}
