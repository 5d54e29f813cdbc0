/*
 * pending-relays.c - reliable messages that are under way from one bus to another, and how they
 * end.
 */
#include "pending-relays.h"

#include <assert.h>
#include <stdlib.h>

struct relay *relay_new(struct proxy *by, struct proxy *to, uint32_t seq)
{
        struct deadlines *ds = &by->bridge->all->relays;
        struct relay *relay;

        assert(by->bridge == to->bridge && by->side != to->side);
        if (by->n_sent >= RELIABLE_OUTSTANDING_MAX || deadlines_reserve(ds) < 0)
                return NULL;
        relay = malloc(sizeof(*relay));
        if (!relay) {
                deadlines_release(ds);
                return NULL;
        }
        *relay = (struct relay){ .deadline = DEADLINE_INIT,
                                 .by = by,
                                 .to = to,
                                 .seq = seq,
                                 .previous = by->sent_end,
                                 .next_awaited = to->awaited };
        *(by->sent_end ? &by->sent_end->next : &by->sent) = relay;
        by->sent_end = relay;
        by->n_sent++;
        if (to->awaited)
                to->awaited->previous_awaited = relay;
        to->awaited = relay;
        return relay;
}

void relay_charge(struct relay *relay, struct session *session, size_t bytes)
{
        assert(!relay->session);
        reliable_charge(session, bytes);
        relay->session = session;
        relay->bytes = bytes;
}

struct relay *relay_free(struct relay *relay)
{
        struct deadlines *ds = &relay->by->bridge->all->relays;

        assert(relay->by->n_sent > 0);
        if (relay->session)
                reliable_discharge(relay->session, relay->bytes);
        *(relay->previous ? &relay->previous->next : &relay->by->sent) = relay->next;
        *(relay->next ? &relay->next->previous : &relay->by->sent_end) = relay->previous;
        relay->by->n_sent--;
        assert(!relay->by->sent == (relay->by->n_sent == 0));
        *(relay->previous_awaited ? &relay->previous_awaited->next_awaited : &relay->to->awaited) =
                relay->next_awaited;
        if (relay->next_awaited)
                relay->next_awaited->previous_awaited = relay->previous_awaited;
        deadlines_set(ds, &relay->deadline, TIME_NEVER);
        deadlines_release(ds);
        free(relay);
        return NULL;
}

void relay_await_session(struct relay *relay)
{
        struct bridges *all = relay->by->bridge->all;

        /* On a bus the engine has the time-out. */
        assert(relay->local && relay->deadline.slot == 0);
        deadlines_set(&all->relays, &relay->deadline, all->it->now + RELIABLE_TIMEOUT_NS);
}

/* Nearly always the first: acknowledgements come in order. */
static struct relay *relay_find(const struct proxy *by, bool local, uint64_t ticket)
{
        struct relay *relay = by->sent;

        while (relay && (relay->local != local || relay->ticket != ticket))
                relay = relay->next;
        return relay;
}

/* The entity of a session that sent what @relay carries, or NULL: it came from a bus, or the sender
 * left. */
static struct local_entity *local_sender_of(const struct relay *relay)
{
        struct bus *home = proxy_home(relay->by);
        struct local_entity *e;

        if (!bus_is_main(home))
                return NULL;
        e = local_entity_find(relay->by->bridge->all->sessions, proxy_address(relay->by));
        return e && e->session ? e : NULL;
}

static void relay_end(struct relay *relay, enum mbus_reason reason, bool told)
{
        struct bus *home = proxy_home(relay->by);
        struct local_entity *src = local_sender_of(relay);

        if (src && told)
                reply_ended(src->session, proxy_address(relay->to)->text, local_entity_text(src),
                            relay->seq, reason);
        else if (!src && reason == MBUS_REASON_NONE)
                engine_acknowledge(home->engine, home->buses->it->now, relay->to->hosted.entity,
                                   proxy_address(relay->by), relay->seq);
        else if (!src)
                engine_refuse(home->engine, relay->to->hosted.entity, proxy_address(relay->by),
                              relay->seq);
        relay_free(relay);
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
        struct relay *relay = relay_find(by, false, ticket);

        if (relay)
                relay_end(relay, reason, true);
}

bool relay_acknowledge(struct proxy *by, uint32_t seq, const struct local_entity *from)
{
        struct relay *relay = relay_find(by, true, seq);

        if (!relay || !address_equal(proxy_address(relay->to), entity_address(from->entity)))
                return false;
        relay_end(relay, MBUS_REASON_NONE, true);
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
