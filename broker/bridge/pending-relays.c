/*
 * pending-relays.c - reliable messages that are under way from one bus to another, and how they end.
 */
#include "pending-relays.h"

#include <stdlib.h>

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

void relay_charge(struct relay *r, struct session *session, size_t bytes)
{
        reliable_charge(session, bytes);
        r->session = session;
        r->bytes = bytes;
}

struct relay *relay_free(struct relay *r)
{
        struct deadlines *ds = &r->by->bridge->all->relays;

        if (r->session)
                reliable_discharge(r->session, r->bytes);
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

void relay_await_session(struct relay *r)
{
        struct bridges *all = r->by->bridge->all;

        deadlines_set(&all->relays, &r->deadline, all->it->now + TIMEOUT_NS);
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
static struct local_entity *local_sender_of(const struct relay *r)
{
        struct bus *home = proxy_home(r->by);
        struct local_entity *e;

        if (!bus_is_main(home))
                return NULL;
        e = local_entity_find(r->by->bridge->all->sessions, proxy_address(r->by));
        return e && e->session ? e : NULL;
}

static void tell_session(const struct local_entity *src, const struct relay *r,
                         enum mbus_reason reason)
{
        if (reason == MBUS_REASON_NONE)
                reply_acknowledge(src->session, proxy_address(r->to)->text, local_entity_text(src),
                                  &r->seq, 1);
        else
                reply_undelivered(src->session, local_entity_text(src), r->seq, reason,
                                  reason == MBUS_REASON_BYE ? "the entity left the bus"
                                                            : "the entity did not acknowledge it");
}

static void relay_end(struct relay *r, enum mbus_reason reason, bool told)
{
        struct bus *home = proxy_home(r->by);
        struct local_entity *src = local_sender_of(r);

        if (src && told)
                tell_session(src, r, reason);
        else if (!src && reason == MBUS_REASON_NONE)
                engine_acknowledge(home->engine, home->all->it->now, r->to->hosted.entity,
                                   proxy_address(r->by), r->seq);
        else if (!src)
                engine_refuse(home->engine, r->to->hosted.entity, proxy_address(r->by), r->seq);
        relay_free(r);
}

void relay_forget(struct proxy *p, bool told)
{
        while (p->sent)
                relay_end(p->sent, MBUS_REASON_BYE, told);
        while (p->awaited)
                relay_end(p->awaited, MBUS_REASON_BYE, true);
}

void relay_finish(struct proxy *by, uint64_t ticket, enum mbus_reason reason)
{
        struct relay *r = relay_find(by, false, ticket);

        if (r)
                relay_end(r, reason, true);
}

bool relay_acknowledge(struct proxy *by, uint32_t seq, const struct local_entity *from)
{
        struct relay *r = relay_find(by, true, seq);

        if (!r || !address_equal(proxy_address(r->to), entity_address(from->entity)))
                return false;
        relay_end(r, MBUS_REASON_NONE, true);
        return true;
}

bool relays_expire(struct bridges *all)
{
        struct deadline *d;
        bool any = false;

        while ((d = deadlines_pop(&all->relays, all->it->now))) {
                relay_end(container_of(d, struct relay, deadline), MBUS_REASON_TIMEOUT, true);
                any = true;
        }
        return any;
}
