/*
 * reliable.c - who waits for whose acknowledgement (RFC 3259, section 7, on links).
 *
 * Section 7: a reliable message is acknowledged by its receiver, or its sender is told after T_k
 * that it was not. Over a link nothing is lost, so nothing is repeated; T_k is left.
 *
 * The pending acknowledgements of one source stand in a ring in the order of their SeqNums. All
 * have the same time-out, so that is the order of their deadlines, too, and one timer a source is
 * enough: it is set for the oldest, and not moved when that ends in time. A busy source so costs a
 * timer operation each 600 ms and not each message. Messages that waited for their destination
 * (patience.h) have a ring of their own, for their SeqNums are in no order; they are looked for one
 * by one, since acknowledgements come in the order of the messages.
 */
#include "reliable.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "replies.h"

/* ---- what a client owes -------------------------------------------------------------------- */

int reliable_check(struct session *s, size_t bytes)
{
        enum limit limit = quota_check(s->link.user, QUOTA_TICKETS, s->n_tickets, 1, 1);
        bool too_many = limit != LIMIT_NONE;

        if (!too_many && bytes > 0)
                limit = quota_check(s->link.user, QUOTA_BYTES, s->bytes_in_flight, bytes, 1);
        if (limit == LIMIT_NONE)
                return 0;
        connection_log_limit(&s->link, limit, "no more reliable messages are taken");
        return too_many ? MBUS_E_FULL : MBUS_E_TOO_LARGE;
}

void reliable_charge(struct session *s, size_t bytes)
{
        s->n_tickets++;
        quota_take(s->link.user, QUOTA_TICKETS, 1);
        if (bytes == 0)
                return;
        if (s->bytes_in_flight == 0)
                s->link.user->n_backlogs++;
        s->bytes_in_flight += bytes;
        quota_take(s->link.user, QUOTA_BYTES, bytes);
}

void reliable_discharge(struct session *s, size_t bytes)
{
        assert(s->n_tickets > 0);
        assert(s->bytes_in_flight >= bytes);
        s->n_tickets--;
        quota_give_back(s->link.user, QUOTA_TICKETS, 1);
        if (bytes == 0)
                return;
        s->bytes_in_flight -= bytes;
        quota_give_back(s->link.user, QUOTA_BYTES, bytes);
        if (s->bytes_in_flight > 0)
                return;
        assert(s->link.user->n_backlogs > 0);
        s->link.user->n_backlogs--;
}

/* ---- who waits for local entities ---------------------------------------------------------- */

static void pending_begin(struct local_entity *e)
{
        if (e->pending.is_waiting)
                return;
        e->pending.is_waiting = true;
        list_push_first(&e->all->senders, &e->pending.node);
}

static bool pending_is_over(const struct pending *p)
{
        return ack_ring_is_empty(&p->local) && ack_ring_is_empty(&p->late);
}

static inline void pending_end(struct local_entity *e)
{
        /* Acknowledgements are waited for in rings, or not at all. */
        assert(e->pending.is_waiting || pending_is_over(&e->pending));
        if (!e->pending.is_waiting || !pending_is_over(&e->pending))
                return;
        e->pending.is_waiting = false;
        list_remove(&e->all->senders, &e->pending.node);
}

/* ---- local entities ------------------------------------------------------------------------ */

/* SeqNums go on at 0 after 4294967295, keys do not. */
static uint64_t pending_key(const struct local_entity *src, uint32_t seq)
{
        int32_t step = (int32_t)(seq - (uint32_t)src->pending.last_key);

        return src->pending.last_key + (uint64_t)(int64_t)step;
}

/* Room for one more in @ring of @src. */
static int reserve_for(struct local_entity *src, struct ack_ring *ring)
{
        int r = ack_ring_reserve(ring);

        if (r == MBUS_E_FULL)
                connection_log_fixed_limit(&src->session->link, FIXED_OUTSTANDING,
                                           "no more reliable messages of its entity are taken");
        return r;
}

int reliable_prepare_local(struct local_entity *src, uint32_t seq)
{
        int r;

        if (ack_ring_is_empty(&src->pending.local))
                src->pending.last_key = (UINT64_C(1) << 32) + seq - 1;
        if (pending_key(src, seq) <= src->pending.last_key)
                return MBUS_E_MALFORMED;
        r = reliable_check(src->session, 0);
        return r ? r : reserve_for(src, &src->pending.local);
}

int reliable_prepare_late(struct local_entity *src)
{
        int r = reliable_check(src->session, 0);

        return r ? r : reserve_for(src, &src->pending.late);
}

static inline void await_in(struct local_entity *src, struct ack_ring *ring, uint64_t key,
                            uint32_t seq, struct local_entity *target)
{
        struct sessions *all = src->all;
        struct pending_ack ack = { .key = key,
                                   .deadline = all->it->now + RELIABLE_TIMEOUT_NS,
                                   .target = target,
                                   .seq = seq };

        /* The broker and proxies acknowledge by other ways. */
        assert(src->session && target->session && target->all == all);
        ack_ring_push(ring, &ack);
        reliable_charge(src->session, 0);
        target->pending.n_owed++;
        pending_begin(src);
        if (src->pending.deadline.slot == 0)
                deadlines_set(&all->acknowledgements, &src->pending.deadline, ack.deadline);
        assert(src->pending.deadline.at <= ack.deadline);
}

void reliable_await_local(struct local_entity *src, uint32_t seq, struct local_entity *target)
{
        uint64_t key = pending_key(src, seq);

        assert(key > src->pending.last_key);
        await_in(src, &src->pending.local, key, seq, target);
        src->pending.last_key = key;
}

void reliable_await_late(struct local_entity *src, uint32_t seq, struct local_entity *target)
{
        await_in(src, &src->pending.late, seq, seq, target);
}

static void end_local(const struct local_entity *src, struct pending_ack *ack)
{
        assert(ack->target && ack->target->pending.n_owed > 0);
        ack->target->pending.n_owed--;
        ack->target = NULL;
        reliable_discharge(src->session, 0);
}

bool reliable_acknowledge(struct local_entity *src, uint32_t seq, const struct local_entity *by)
{
        struct ack_ring *ring = &src->pending.local;
        struct pending_ack *ack = ack_ring_find(ring, pending_key(src, seq));

        if (!ack || ack->target != by) {
                ring = &src->pending.late;
                ack = ack_ring_find_seq(ring, seq);
        }
        if (!ack || ack->target != by)
                return false;
        end_local(src, ack);
        ack_ring_trim(ring);
        pending_end(src);
        return true;
}

static void fail_local(struct local_entity *src, struct pending_ack *ack, enum mbus_reason reason,
                       const char *why)
{
        uint32_t seq = ack->seq;

        end_local(src, ack);
        reply_undelivered(src->session, local_entity_text(src), seq, reason, why);
}

/* Ends what is over in @ring; returns when the next is, or TIME_NEVER. */
static uint64_t expire_ring(struct local_entity *src, struct ack_ring *ring)
{
        for (; ring->head < ring->tail; ring->head++) {
                struct pending_ack *ack = ack_ring_at(ring, ring->head);

                if (pending_ack_is_finished(ack))
                        continue;
                if (ack->deadline > src->all->it->now)
                        break;
                fail_local(src, ack, MBUS_REASON_TIMEOUT, "it was not acknowledged within 600 ms");
        }
        ack_ring_trim(ring);
        return ack_ring_is_empty(ring) ? TIME_NEVER : ack_ring_at(ring, ring->head)->deadline;
}

void reliable_expire(struct sessions *all)
{
        struct deadline *d;

        while ((d = deadlines_pop(&all->acknowledgements, all->it->now))) {
                struct local_entity *src = container_of(d, struct local_entity, pending.deadline);
                uint64_t next = expire_ring(src, &src->pending.local);
                uint64_t late = expire_ring(src, &src->pending.late);

                pending_end(src);
                next = next < late ? next : late;
                /* There is a timer for whoever waits, and for nobody else. */
                assert((next != TIME_NEVER) == src->pending.is_waiting);
                deadlines_set(&all->acknowledgements, d, next);
        }
}

uint64_t reliable_deadline(const struct sessions *all)
{
        return deadlines_next(&all->acknowledgements);
}

/* ---- remote entities ----------------------------------------------------------------------- */

int reliable_prepare_remote(struct local_entity *src, size_t bytes)
{
        int r = reliable_check(src->session, bytes);

        return r ? r : reserve_for(src, &src->pending.remote);
}

void reliable_await_remote(struct local_entity *src, uint32_t seq, uint64_t ticket,
                           struct remote_address *remote, size_t bytes)
{
        struct pending_ack ack = { .key = ticket,
                                   .seq = seq,
                                   .bytes = (uint32_t)bytes,
                                   .remote = remote_address_ref(remote) };

        /* The engine counts its tickets on. */
        assert(ack_ring_is_empty(&src->pending.remote) ||
               ack_ring_last(&src->pending.remote)->key < ticket);
        reliable_charge(src->session, ack.bytes);
        ack_ring_push(&src->pending.remote, &ack);
}

static void end_remote(const struct local_entity *src, struct pending_ack *ack)
{
        assert(ack->remote && !ack->target);
        ack->remote = remote_address_unref(ack->remote);
        reliable_discharge(src->session, ack->bytes);
}

void reliable_finish(struct local_entity *src, uint64_t ticket, enum mbus_reason reason)
{
        struct pending_ack *ack = ack_ring_find(&src->pending.remote, ticket);

        if (!ack)
                return;
        reply_ended(src->session, (struct span){ ack->remote->text, ack->remote->n },
                    local_entity_text(src), ack->seq, reason);
        end_remote(src, ack);
        ack_ring_trim(&src->pending.remote);
}

/* ---- entities that go ---------------------------------------------------------------------- */

static void end_all(const struct local_entity *e, const struct ack_ring *ring)
{
        for (uint64_t i = ring->head; i < ring->tail; i++)
                if (!pending_ack_is_finished(ack_ring_at(ring, i)))
                        end_local(e, ack_ring_at(ring, i));
}

static void forget_own(struct local_entity *e)
{
        struct pending *p = &e->pending;

        end_all(e, &p->local);
        end_all(e, &p->late);
        for (uint64_t i = p->remote.head; i < p->remote.tail; i++)
                if (!pending_ack_is_finished(ack_ring_at(&p->remote, i)))
                        end_remote(e, ack_ring_at(&p->remote, i));
        ack_ring_deinit(&p->local);
        ack_ring_deinit(&p->late);
        ack_ring_deinit(&p->remote);
        pending_end(e);
        assert(!p->is_waiting);
        deadlines_set(&e->all->acknowledgements, &p->deadline, TIME_NEVER);
}

static void fail_owed(struct local_entity *src, struct ack_ring *ring,
                      const struct local_entity *target)
{
        for (uint64_t i = ring->head; i < ring->tail && target->pending.n_owed > 0; i++)
                if (ack_ring_at(ring, i)->target == target)
                        fail_local(src, ack_ring_at(ring, i), MBUS_REASON_BYE,
                                   "the entity left before it acknowledged");
        ack_ring_trim(ring);
}

static void reliable_on_forget(struct session_listener *l, struct local_entity *e)
{
        struct list_node *node, *next;

        (void)l;
        forget_own(e);
        for (node = e->all->senders.first; node && e->pending.n_owed > 0; node = next) {
                struct local_entity *src = container_of(node, struct local_entity, pending.node);

                next = node->next;
                fail_owed(src, &src->pending.local, e);
                fail_owed(src, &src->pending.late, e);
                pending_end(src);
        }
        /* Whoever waited for it has been told, once each. */
        assert(e->pending.n_owed == 0);
}

void reliable_init(struct sessions *all)
{
        static struct session_listener listener = { .on_forget = reliable_on_forget };

        sessions_listen(all, &listener);
}
