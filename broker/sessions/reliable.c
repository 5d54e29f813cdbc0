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

#include <broker/broker.h>
#include <broker/control/control.h>

#define WAITS_MIN 8
/* A ring that grew beyond this is given back when it is empty. */
#define WAITS_KEPT 64
/* T_k of the RFC: three transmissions, then as long again. */
#define TIMEOUT_NS (RELIABLE_T_R_MS * 6 * NSEC_PER_MSEC)

struct name *name_new(struct span text)
{
        struct name *name = malloc(sizeof(*name) + text.n);

        if (!name)
                return NULL;
        name->refs = 1;
        name->n = text.n;
        memcpy(name->text, text.at, text.n);
        return name;
}

struct name *name_ref(struct name *name)
{
        name->refs++;
        return name;
}

struct name *name_unref(struct name *name)
{
        if (name && --name->refs == 0)
                free(name);
        return NULL;
}

/* ---- what a client owes -------------------------------------------------------------------- */

int reliable_check(struct client *c, size_t bytes)
{
        enum limit limit = quota_check(c->user, QUOTA_TICKETS, c->n_tickets, 1, 1);
        bool too_many = limit != LIMIT_NONE;

        if (!too_many && bytes > 0)
                limit = quota_check(c->user, QUOTA_BYTES, c->kept, bytes, 1);
        if (limit == LIMIT_NONE)
                return 0;
        client_log_limit(c, limit, "no more reliable messages are taken");
        return too_many ? MBUS_E_FULL : MBUS_E_TOO_LARGE;
}

void reliable_charge(struct client *c, size_t bytes)
{
        c->n_tickets++;
        quota_take(c->user, QUOTA_TICKETS, 1);
        if (bytes > 0 && c->kept == 0)
                c->user->n_backlogs++;
        c->kept += bytes;
        quota_take(c->user, QUOTA_BYTES, bytes);
}

void reliable_discharge(struct client *c, size_t bytes)
{
        assert(c->n_tickets > 0 && c->kept >= bytes);
        c->n_tickets--;
        quota_give_back(c->user, QUOTA_TICKETS, 1);
        c->kept -= bytes;
        quota_give_back(c->user, QUOTA_BYTES, bytes);
        if (bytes > 0 && c->kept == 0)
                c->user->n_backlogs--;
}

/* ---- rings --------------------------------------------------------------------------------- */

static struct wait *slot(const struct waits *ws, uint64_t position)
{
        return &ws->ring[position & (ws->size - 1)];
}

static bool is_finished(const struct wait *w)
{
        return !w->target && !w->name;
}

static int reserve(struct waits *ws)
{
        uint32_t size = ws->size ? ws->size * 2 : WAITS_MIN;
        struct wait *ring;

        if (ws->tail - ws->head < ws->size)
                return 0;
        if (size > RELIABLE_OUTSTANDING_MAX)
                return MBUS_E_FULL;
        ring = malloc(size * sizeof(*ring));
        if (!ring)
                return -ENOMEM;
        for (uint64_t i = ws->head; i < ws->tail; i++)
                ring[i & (size - 1)] = *slot(ws, i);
        free(ws->ring);
        ws->ring = ring;
        ws->size = size;
        return 0;
}

/* The one with @seq where they are in no order, unless it is finished. */
static struct wait *find_late(const struct waits *ws, uint32_t seq)
{
        for (uint64_t i = ws->head; i < ws->tail; i++)
                if (slot(ws, i)->seq == seq && !is_finished(slot(ws, i)))
                        return slot(ws, i);
        return NULL;
}

static void push(struct waits *ws, const struct wait *w)
{
        assert(ws->tail - ws->head < ws->size);
        *slot(ws, ws->tail++) = *w;
}

/* The wait with @key, unless it is finished. */
static struct wait *find(const struct waits *ws, uint64_t key)
{
        uint64_t low = ws->head, high = ws->tail;

        while (low < high) {
                uint64_t middle = low + (high - low) / 2;

                if (slot(ws, middle)->key < key)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == ws->tail || slot(ws, low)->key != key || is_finished(slot(ws, low)))
                return NULL;
        return slot(ws, low);
}

/* Forgets what is finished at the front, and memory that a burst needed. */
static void trim(struct waits *ws)
{
        while (ws->head < ws->tail && is_finished(slot(ws, ws->head)))
                ws->head++;
        if (ws->head == ws->tail && ws->size > WAITS_KEPT) {
                free(ws->ring);
                *ws = (struct waits){ 0 };
        }
}

/* ---- the list of those that wait ----------------------------------------------------------- */

static void start_waiting(struct broker *b, struct attachment *a)
{
        if (a->waiting)
                return;
        a->waiting = true;
        a->previous_waiting = NULL;
        a->next_waiting = b->waiting;
        if (b->waiting)
                b->waiting->previous_waiting = a;
        b->waiting = a;
}

static void stop_waiting(struct broker *b, struct attachment *a)
{
        if (!a->waiting)
                return;
        a->waiting = false;
        if (a->previous_waiting)
                a->previous_waiting->next_waiting = a->next_waiting;
        else
                b->waiting = a->next_waiting;
        if (a->next_waiting)
                a->next_waiting->previous_waiting = a->previous_waiting;
}

/* ---- local entities ------------------------------------------------------------------------ */

/* SeqNums go on at 0 after 4294967295, keys do not. */
static uint64_t key_of(const struct attachment *src, uint32_t seq)
{
        int32_t step = (int32_t)(seq - (uint32_t)src->last_key);

        return src->last_key + (uint64_t)(int64_t)step;
}

/* Room for one more in @ws of @src. */
static int reserve_for(struct attachment *src, struct waits *ws)
{
        int r = reserve(ws);

        if (r == MBUS_E_FULL)
                client_log_fixed_limit(src->client, FIXED_OUTSTANDING,
                                       "no more reliable messages of its entity are taken");
        return r;
}

int reliable_prepare_local(struct attachment *src, uint32_t seq)
{
        int r;

        if (src->local.head == src->local.tail)
                src->last_key = (UINT64_C(1) << 32) + seq - 1;
        if (key_of(src, seq) <= src->last_key)
                return MBUS_E_MALFORMED;
        r = reliable_check(src->client, 0);
        return r ? r : reserve_for(src, &src->local);
}

int reliable_prepare_late(struct attachment *src)
{
        int r = reliable_check(src->client, 0);

        return r ? r : reserve_for(src, &src->late);
}

static void wait_in(struct broker *b, struct attachment *src, struct waits *ws, uint64_t key,
                    uint32_t seq, struct attachment *target)
{
        struct wait w = {
                .key = key, .deadline = b->it.now + TIMEOUT_NS, .target = target, .seq = seq
        };

        push(ws, &w);
        reliable_charge(src->client, 0);
        target->n_waited_on++;
        start_waiting(b, src);
        if (src->deadline.slot == 0)
                deadlines_set(&b->deadlines, &src->deadline, w.deadline);
}

void reliable_wait_local(struct broker *b, struct attachment *src, uint32_t seq,
                         struct attachment *target)
{
        uint64_t key = key_of(src, seq);

        wait_in(b, src, &src->local, key, seq, target);
        src->last_key = key;
}

void reliable_wait_late(struct broker *b, struct attachment *src, uint32_t seq,
                        struct attachment *target)
{
        wait_in(b, src, &src->late, seq, seq, target);
}

static bool waits_for_nobody(const struct attachment *src)
{
        return src->local.head == src->local.tail && src->late.head == src->late.tail;
}

static void end_local(const struct attachment *src, struct wait *w)
{
        assert(w->target->n_waited_on > 0);
        w->target->n_waited_on--;
        w->target = NULL;
        reliable_discharge(src->client, 0);
}

bool reliable_acknowledge(struct broker *b, struct attachment *src, uint32_t seq,
                          const struct attachment *by)
{
        struct waits *ws = &src->local;
        struct wait *w = find(ws, key_of(src, seq));

        if (!w || w->target != by) {
                ws = &src->late;
                w = find_late(ws, seq);
        }
        if (!w || w->target != by)
                return false;
        end_local(src, w);
        trim(ws);
        if (waits_for_nobody(src))
                stop_waiting(b, src);
        return true;
}

static void fail_local(struct broker *b, struct attachment *src, struct wait *w,
                       enum mbus_reason reason, const char *why)
{
        uint32_t seq = w->seq;

        end_local(src, w);
        control_undelivered(b, src->client, attachment_text(src), seq, reason, why);
}

/* Ends what is over in @ws; returns when the next is, or TIME_NEVER. */
static uint64_t expire(struct broker *b, struct attachment *src, struct waits *ws)
{
        for (; ws->head < ws->tail; ws->head++) {
                struct wait *w = slot(ws, ws->head);

                if (is_finished(w))
                        continue;
                if (w->deadline > b->it.now)
                        break;
                fail_local(b, src, w, MBUS_REASON_TIMEOUT, "it was not acknowledged within 600 ms");
        }
        trim(ws);
        return ws->head < ws->tail ? slot(ws, ws->head)->deadline : TIME_NEVER;
}

void reliable_expire(struct broker *b)
{
        struct deadline *d;

        while ((d = deadlines_pop(&b->deadlines, b->it.now))) {
                struct attachment *src = (struct attachment *)(void *)d;
                uint64_t next = expire(b, src, &src->local);
                uint64_t late = expire(b, src, &src->late);

                if (waits_for_nobody(src))
                        stop_waiting(b, src);
                deadlines_set(&b->deadlines, d, next < late ? next : late);
        }
}

/* ---- remote entities ----------------------------------------------------------------------- */

int reliable_prepare_remote(struct attachment *src, size_t bytes)
{
        int r = reliable_check(src->client, bytes);

        return r ? r : reserve_for(src, &src->remote);
}

void reliable_wait_remote(struct attachment *src, uint32_t seq, uint64_t ticket, struct name *name,
                          size_t bytes)
{
        struct wait w = {
                .key = ticket, .seq = seq, .bytes = (uint32_t)bytes, .name = name_ref(name)
        };

        reliable_charge(src->client, w.bytes);
        push(&src->remote, &w);
}

static void end_remote(const struct attachment *src, struct wait *w)
{
        w->name = name_unref(w->name);
        reliable_discharge(src->client, w->bytes);
}

void reliable_finish(struct broker *b, struct attachment *src, uint64_t ticket,
                     enum mbus_reason reason)
{
        struct wait *w = find(&src->remote, ticket);

        if (!w)
                return;
        if (reason == MBUS_REASON_NONE)
                control_delivered(b, src->client, w->name, attachment_text(src), w->seq);
        else
                control_undelivered(b, src->client, attachment_text(src), w->seq, reason,
                                    reason == MBUS_REASON_BYE
                                            ? "the entity left the bus"
                                            : "the entity did not acknowledge it");
        end_remote(src, w);
        trim(&src->remote);
}

/* ---- entities that go ---------------------------------------------------------------------- */

static void end_all(const struct attachment *a, const struct waits *ws)
{
        for (uint64_t i = ws->head; i < ws->tail; i++)
                if (!is_finished(slot(ws, i)))
                        end_local(a, slot(ws, i));
}

static void forget_own(struct broker *b, struct attachment *a)
{
        end_all(a, &a->local);
        end_all(a, &a->late);
        for (uint64_t i = a->remote.head; i < a->remote.tail; i++)
                if (!is_finished(slot(&a->remote, i)))
                        end_remote(a, slot(&a->remote, i));
        free(a->local.ring);
        free(a->late.ring);
        free(a->remote.ring);
        a->local = a->late = a->remote = (struct waits){ 0 };
        stop_waiting(b, a);
        deadlines_set(&b->deadlines, &a->deadline, TIME_NEVER);
}

static void fail_waits_on(struct broker *b, struct attachment *src, struct waits *ws,
                          const struct attachment *target)
{
        for (uint64_t i = ws->head; i < ws->tail && target->n_waited_on > 0; i++)
                if (slot(ws, i)->target == target)
                        fail_local(b, src, slot(ws, i), MBUS_REASON_BYE,
                                   "the entity left before it acknowledged");
        trim(ws);
}

void reliable_forget(struct broker *b, struct attachment *a)
{
        struct attachment *next;

        forget_own(b, a);
        for (struct attachment *src = b->waiting; src && a->n_waited_on > 0; src = next) {
                next = src->next_waiting;
                fail_waits_on(b, src, &src->local, a);
                fail_waits_on(b, src, &src->late, a);
                if (waits_for_nobody(src))
                        stop_waiting(b, src);
        }
        assert(a->n_waited_on == 0);
}
