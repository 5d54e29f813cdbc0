/*
 * reliable.c - who waits for whose acknowledgement (RFC 3259, section 7, on links).
 *
 * Waits of one source stand in a ring in the order of their SeqNums, so one is found by halving.
 * All have the same time-out, so the ring is in the order of their deadlines, too, and one timer a
 * source is enough: it is set for the oldest wait, and not moved when that ends in time. A busy
 * source so costs a timer operation each 600 ms and not each message. Messages that waited for their
 * destination (patience.h) have a ring of their own, for their SeqNums are in no order; they are looked for
 * one by one, since acknowledgements come in the order of the messages.
 */
#include "reliable.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "replies.h"

/* T_k of the RFC: three transmissions, then as long again. */
#define TIMEOUT_NS (RELIABLE_T_R_MS * 6 * NSEC_PER_MSEC)

/* ---- what a client owes -------------------------------------------------------------------- */

int reliable_check(struct session *s, size_t bytes)
{
        enum limit limit = quota_check(s->link.user, QUOTA_TICKETS, s->n_tickets, 1, 1);
        bool too_many = limit != LIMIT_NONE;

        if (!too_many && bytes > 0)
                limit = quota_check(s->link.user, QUOTA_BYTES, s->kept, bytes, 1);
        if (limit == LIMIT_NONE)
                return 0;
        connection_log_limit(&s->link, limit, "no more reliable messages are taken");
        return too_many ? MBUS_E_FULL : MBUS_E_TOO_LARGE;
}

void reliable_charge(struct session *s, size_t bytes)
{
        s->n_tickets++;
        quota_take(s->link.user, QUOTA_TICKETS, 1);
        if (bytes > 0 && s->kept == 0)
                s->link.user->n_backlogs++;
        s->kept += bytes;
        quota_take(s->link.user, QUOTA_BYTES, bytes);
}

void reliable_discharge(struct session *s, size_t bytes)
{
        assert(s->n_tickets > 0 && s->kept >= bytes);
        s->n_tickets--;
        quota_give_back(s->link.user, QUOTA_TICKETS, 1);
        s->kept -= bytes;
        quota_give_back(s->link.user, QUOTA_BYTES, bytes);
        if (bytes > 0 && s->kept == 0)
                s->link.user->n_backlogs--;
}

/* ---- those that wait ----------------------------------------------------------------------- */

static void start_waiting(struct local_entity *e)
{
        if (e->pending.is_waiting)
                return;
        e->pending.is_waiting = true;
        list_push_first(&e->all->senders, &e->pending.node);
}

static bool waits_for_nobody(const struct pending *p)
{
        return waits_is_empty(&p->local) && waits_is_empty(&p->late);
}

static void stop_waiting(struct local_entity *e)
{
        if (!e->pending.is_waiting || !waits_for_nobody(&e->pending))
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

/* Room for one more in @ws of @src. */
static int reserve_for(struct local_entity *src, struct waits *ws)
{
        int r = waits_reserve(ws);

        if (r == MBUS_E_FULL)
                connection_log_fixed_limit(&src->session->link, FIXED_OUTSTANDING,
                                           "no more reliable messages of its entity are taken");
        return r;
}

int reliable_prepare_local(struct local_entity *src, uint32_t seq)
{
        int r;

        if (waits_is_empty(&src->pending.local))
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

static void wait_in(struct local_entity *src, struct waits *ws, uint64_t key, uint32_t seq,
                    struct local_entity *target)
{
        struct sessions *all = src->all;
        struct wait w = {
                .key = key, .deadline = all->it->now + TIMEOUT_NS, .target = target, .seq = seq
        };

        assert(target->session && target->all == all);
        waits_push(ws, &w);
        reliable_charge(src->session, 0);
        target->pending.n_waited_on++;
        start_waiting(src);
        if (src->pending.deadline.slot == 0)
                deadlines_set(&all->acknowledgements, &src->pending.deadline, w.deadline);
}

void reliable_wait_local(struct local_entity *src, uint32_t seq, struct local_entity *target)
{
        uint64_t key = pending_key(src, seq);

        wait_in(src, &src->pending.local, key, seq, target);
        src->pending.last_key = key;
}

void reliable_wait_late(struct local_entity *src, uint32_t seq, struct local_entity *target)
{
        wait_in(src, &src->pending.late, seq, seq, target);
}

static void end_local(const struct local_entity *src, struct wait *w)
{
        assert(w->target->pending.n_waited_on > 0);
        w->target->pending.n_waited_on--;
        w->target = NULL;
        reliable_discharge(src->session, 0);
}

bool reliable_acknowledge(struct local_entity *src, uint32_t seq, const struct local_entity *by)
{
        struct waits *ws = &src->pending.local;
        struct wait *w = waits_find(ws, pending_key(src, seq));

        if (!w || w->target != by) {
                ws = &src->pending.late;
                w = waits_find_seq(ws, seq);
        }
        if (!w || w->target != by)
                return false;
        end_local(src, w);
        waits_trim(ws);
        stop_waiting(src);
        return true;
}

static void fail_local(struct local_entity *src, struct wait *w, enum mbus_reason reason,
                       const char *why)
{
        uint32_t seq = w->seq;

        end_local(src, w);
        reply_undelivered(src->session, local_entity_text(src), seq, reason, why);
}

/* Ends what is over in @ws; returns when the next is, or TIME_NEVER. */
static uint64_t expire_ring(struct local_entity *src, struct waits *ws)
{
        for (; ws->head < ws->tail; ws->head++) {
                struct wait *w = waits_at(ws, ws->head);

                if (wait_is_finished(w))
                        continue;
                if (w->deadline > src->all->it->now)
                        break;
                fail_local(src, w, MBUS_REASON_TIMEOUT, "it was not acknowledged within 600 ms");
        }
        waits_trim(ws);
        return waits_is_empty(ws) ? TIME_NEVER : waits_at(ws, ws->head)->deadline;
}

void reliable_expire(struct sessions *all)
{
        struct deadline *d;

        while ((d = deadlines_pop(&all->acknowledgements, all->it->now))) {
                struct local_entity *src = container_of(d, struct local_entity, pending.deadline);
                uint64_t next = expire_ring(src, &src->pending.local);
                uint64_t late = expire_ring(src, &src->pending.late);

                stop_waiting(src);
                deadlines_set(&all->acknowledgements, d, next < late ? next : late);
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

void reliable_wait_remote(struct local_entity *src, uint32_t seq, uint64_t ticket,
                          struct name *name, size_t bytes)
{
        struct wait w = {
                .key = ticket, .seq = seq, .bytes = (uint32_t)bytes, .name = name_ref(name)
        };

        reliable_charge(src->session, w.bytes);
        waits_push(&src->pending.remote, &w);
}

static void end_remote(const struct local_entity *src, struct wait *w)
{
        w->name = name_unref(w->name);
        reliable_discharge(src->session, w->bytes);
}

void reliable_finish(struct local_entity *src, uint64_t ticket, enum mbus_reason reason)
{
        struct wait *w = waits_find(&src->pending.remote, ticket);

        if (!w)
                return;
        if (reason == MBUS_REASON_NONE)
                reply_acknowledge(src->session, (struct span){ w->name->text, w->name->n },
                                  local_entity_text(src), &w->seq, 1);
        else
                reply_undelivered(src->session, local_entity_text(src), w->seq, reason,
                                  reason == MBUS_REASON_BYE ? "the entity left the bus"
                                                            : "the entity did not acknowledge it");
        end_remote(src, w);
        waits_trim(&src->pending.remote);
}

/* ---- entities that go ---------------------------------------------------------------------- */

static void end_all(const struct local_entity *e, const struct waits *ws)
{
        for (uint64_t i = ws->head; i < ws->tail; i++)
                if (!wait_is_finished(waits_at(ws, i)))
                        end_local(e, waits_at(ws, i));
}

static void forget_own(struct local_entity *e)
{
        struct pending *p = &e->pending;

        end_all(e, &p->local);
        end_all(e, &p->late);
        for (uint64_t i = p->remote.head; i < p->remote.tail; i++)
                if (!wait_is_finished(waits_at(&p->remote, i)))
                        end_remote(e, waits_at(&p->remote, i));
        free(p->local.ring);
        free(p->late.ring);
        free(p->remote.ring);
        p->local = p->late = p->remote = (struct waits){ 0 };
        stop_waiting(e);
        deadlines_set(&e->all->acknowledgements, &p->deadline, TIME_NEVER);
}

static void fail_waits_on(struct local_entity *src, struct waits *ws,
                          const struct local_entity *target)
{
        for (uint64_t i = ws->head; i < ws->tail && target->pending.n_waited_on > 0; i++)
                if (waits_at(ws, i)->target == target)
                        fail_local(src, waits_at(ws, i), MBUS_REASON_BYE,
                                   "the entity left before it acknowledged");
        waits_trim(ws);
}

static void reliable_on_forget(struct session_listener *l, struct local_entity *e)
{
        struct list_node *node, *next;

        (void)l;
        forget_own(e);
        for (node = e->all->senders.first; node && e->pending.n_waited_on > 0; node = next) {
                struct local_entity *src = container_of(node, struct local_entity, pending.node);

                next = node->next;
                fail_waits_on(src, &src->pending.local, e);
                fail_waits_on(src, &src->pending.late, e);
                stop_waiting(src);
        }
        assert(e->pending.n_waited_on == 0);
}

void reliable_init(struct sessions *all)
{
        static struct session_listener listener = { .on_forget = reliable_on_forget };

        sessions_listen(all, &listener);
}
