/*
 * queue.c - what waits for one client (queue.h says how and why).
 */
#include "queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/frame.h>
#include <mbus.h>

#define SLICES_MIN 8
/* A ring that grew beyond this is given back when the queue is empty. */
#define SLICES_KEPT 16
/* Positions begin here, so that there is always one before the first. */
#define POSITION_FIRST (UINT64_C(1) << 32)

void queue_init(struct queue *q, struct quota_user *user)
{
        *q = (struct queue){ .user = user };
        q->head = q->tail = q->settled = POSITION_FIRST;
}

static struct slice *slot(const struct queue *q, uint64_t position)
{
        return &q->slices[position & (q->size - 1)];
}

static size_t frame_size(const struct slice *s)
{
        return FRAME_HEADER_SIZE + frame_get_length(s->chunk->bytes + s->at);
}

static void queue_discharge(struct queue *q, enum kind kind, size_t n_messages, size_t bytes)
{
        assert(q->n[kind] >= n_messages && q->bytes >= bytes && q->user->n_backlogs > 0);
        q->n[kind] -= n_messages;
        q->n_messages -= n_messages;
        q->bytes -= bytes;
        quota_give_back(q->user, QUOTA_BYTES, bytes);
        quota_give_back(q->user, QUOTA_MESSAGES, n_messages);
        if (n_messages > 0 && q->n_messages == 0)
                q->user->n_backlogs--;
}

static void empty_slice(struct queue *q, struct slice *s)
{
        queue_discharge(q, s->kind, s->n, s->end - s->at);
        s->n = 0;
        s->at = s->end;
        s->chunk = chunk_unref(s->chunk);
}

void queue_deinit(struct queue *q)
{
        for (; q->head < q->tail; q->head++)
                if (slot(q, q->head)->chunk)
                        empty_slice(q, slot(q, q->head));
        assert(q->n_messages == 0 && q->bytes == 0);
        chunk_unref(q->compacted);
        free(q->slices);
        *q = (struct queue){ .user = q->user };
}

/* ---- the ring ------------------------------------------------------------------------------ */

/* Takes the slots of emptied slices back. */
static void squeeze_ring(struct queue *q)
{
        uint64_t to = q->head, settled = q->head;

        for (uint64_t from = q->head; from < q->tail; from++) {
                if (!slot(q, from)->chunk)
                        continue;
                if (to != from)
                        *slot(q, to) = *slot(q, from);
                to++;
                if (from < q->settled)
                        settled = to;
        }
        q->settled = settled;
        q->tail = to;
        for (unsigned kind = 0; kind < KIND_MAX; kind++)
                q->oldest[kind] = q->head;
}

static int grow_ring(struct queue *q)
{
        size_t size = q->size ? q->size * 2 : SLICES_MIN;
        struct slice *slices = malloc(size * sizeof(*slices));

        if (!slices)
                return -ENOMEM;
        for (uint64_t i = q->head; i < q->tail; i++)
                slices[i & (size - 1)] = *slot(q, i);
        free(q->slices);
        q->slices = slices;
        q->size = size;
        return 0;
}

/* Makes room for one more slice and the one that queue_pop() may need. */
static int reserve_slots(struct queue *q)
{
        if (q->tail - q->head + 2 <= q->size)
                return 0;
        if (q->size > SLICES_MIN) {
                squeeze_ring(q);
                if (q->tail - q->head <= q->size / 2)
                        return 0;
        }
        return grow_ring(q);
}

/* ---- limits -------------------------------------------------------------------------------- */

enum limit queue_check(const struct queue *q, size_t n, enum kind kind)
{
        unsigned factor = kind == KIND_ANSWER ? QUEUE_ANSWERS_FACTOR : 1;
        enum limit limit;

        if (q->n_messages == 0)
                return LIMIT_NONE;
        limit = quota_check(q->user, QUOTA_BYTES, q->bytes, n, factor);
        return limit ? limit : quota_check(q->user, QUOTA_MESSAGES, q->n_messages, 1, factor);
}

/* Drops the oldest message of @kind. False if there is none. */
static bool drop_oldest(struct queue *q, enum kind kind)
{
        uint64_t i = q->oldest[kind] > q->head ? q->oldest[kind] : q->head;
        struct slice *s;
        size_t n;

        if (q->n[kind] == 0)
                return false;
        while (!slot(q, i)->chunk || slot(q, i)->kind != kind)
                i++;
        assert(i < q->tail);
        q->oldest[kind] = i;
        q->n_dropped[kind]++;
        s = slot(q, i);
        n = frame_size(s);
        q->bytes_dropped += n;
        if (s->n == 1) {
                empty_slice(q, s);
                return true;
        }
        s->at += (uint32_t)n;
        s->n--;
        queue_discharge(q, kind, 1, n);
        return true;
}

/* Makes room for @n octets of @kind; false if there is none. */
static bool queue_make_room(struct queue *q, size_t n, enum kind kind)
{
        while (queue_check(q, n, kind)) {
                if (kind == KIND_ANSWER)
                        return false;
                if (drop_oldest(q, KIND_COPY))
                        continue;
                if (kind != KIND_UNRELIABLE || !drop_oldest(q, KIND_UNRELIABLE))
                        return false;
        }
        return true;
}

enum kind queue_gap(const struct queue *q)
{
        uint64_t i = q->head;

        while (i < q->tail && !slot(q, i)->chunk)
                i++;
        if (i < q->tail)
                return q->n_dropped[slot(q, i)->kind] > 0 ? slot(q, i)->kind : KIND_MAX;
        if (q->n_dropped[KIND_UNRELIABLE] > 0)
                return KIND_UNRELIABLE;
        return q->n_dropped[KIND_COPY] > 0 ? KIND_COPY : KIND_MAX;
}

uint64_t queue_take_dropped(struct queue *q, enum kind kind)
{
        uint64_t n = q->n_dropped[kind];

        assert(kind == KIND_UNRELIABLE || kind == KIND_COPY);
        q->n_dropped[kind] = 0;
        return n;
}

/* ---- in and out ---------------------------------------------------------------------------- */

static bool joins(const struct slice *s, const struct slice *next)
{
        return s->chunk == next->chunk && s->end == next->at && s->kind == next->kind &&
               !s->partial && !next->partial;
}

static inline void queue_charge(struct queue *q, enum kind kind, size_t n)
{
        assert(kind < KIND_MAX && kind != KIND_RELIABLE);
        q->n[kind]++;
        q->user->n_backlogs += q->n_messages++ == 0;
        q->bytes += n;
        quota_take(q->user, QUOTA_BYTES, n);
        quota_take(q->user, QUOTA_MESSAGES, 1);
}

int queue_push(struct queue *q, struct chunk *chunk, size_t at, size_t n, enum kind kind)
{
        if (queue_make_room(q, n, kind))
                return queue_append(q, chunk, at, n, kind);
        if (kind == KIND_ANSWER || kind == KIND_RELIABLE)
                return MBUS_E_FULL;
        q->n_dropped[kind]++;
        return 0;
}

int queue_append(struct queue *q, struct chunk *chunk, size_t at, size_t n, enum kind kind)
{
        struct slice s = { .chunk = chunk, .at = (uint32_t)at, .end = (uint32_t)(at + n), .n = 1 };
        int r;

        /* What waits is whole frames that do not change any more. */
        assert(at + n <= chunk->n && n == FRAME_HEADER_SIZE + frame_get_length(chunk->bytes + at));
        s.kind = kind == KIND_RELIABLE ? KIND_ANSWER : kind;
        if (q->tail > q->head && joins(slot(q, q->tail - 1), &s)) {
                slot(q, q->tail - 1)->end = s.end;
                slot(q, q->tail - 1)->n++;
        } else {
                r = reserve_slots(q);
                if (r)
                        return r;
                chunk_ref(chunk);
                *slot(q, q->tail++) = s;
        }
        queue_charge(q, s.kind, n);
        return 0;
}

/* Room for @n octets in the chunk that messages are copied into. */
static bool reserve_compacted(struct queue *q, size_t n)
{
        struct chunk *fresh;

        if (q->compacted && chunk_room(q->compacted) >= n)
                return true;
        fresh = chunk_new(n > CHUNK_COMPACTED_SIZE ? n : CHUNK_COMPACTED_SIZE);
        if (!fresh)
                return false;
        chunk_unref(q->compacted);
        q->compacted = fresh;
        return true;
}

int queue_insert(struct queue *q, struct span frame)
{
        struct slice s = { .n = 1, .kind = KIND_ANSWER };
        int r = reserve_slots(q);

        /* Nothing comes between the two halves of a frame. */
        assert(q->head == q->tail || !slot(q, q->head)->partial);
        if (r == 0 && !reserve_compacted(q, frame.n))
                r = -ENOMEM;
        if (r)
                return r;
        memcpy(q->compacted->bytes + q->compacted->n, frame.at, frame.n);
        s.chunk = chunk_ref(q->compacted);
        s.at = (uint32_t)q->compacted->n;
        s.end = (uint32_t)(q->compacted->n + frame.n);
        q->compacted->n += frame.n;
        *slot(q, --q->head) = s;
        queue_charge(q, s.kind, frame.n);
        return 0;
}

size_t queue_peek(const struct queue *q, struct iovec *iov, size_t size)
{
        size_t n = 0;

        for (uint64_t i = q->head; i < q->tail && n < size; i++) {
                const struct slice *s = slot(q, i);

                if (s->chunk && q->n_dropped[s->kind] > 0)
                        break;
                if (s->chunk)
                        iov[n++] = (struct iovec){ s->chunk->bytes + s->at, s->end - s->at };
        }
        return n;
}

/* The first @n octets of the first slice were written, which has more. A frame that is now half
 * written becomes a slice of its own: it must not be dropped any more. */
static void pop_within(struct queue *q, struct slice *s, size_t n)
{
        struct slice half;
        size_t size;

        if (s->partial) {
                s->at += (uint32_t)n;
                queue_discharge(q, s->kind, 0, n);
                return;
        }
        for (size = frame_size(s); size <= n; size = frame_size(s)) {
                s->at += (uint32_t)size;
                s->n--;
                queue_discharge(q, s->kind, 1, size);
                n -= size;
        }
        if (n == 0)
                return;
        assert(s == slot(q, q->head) && s->n > 0 && q->tail - q->head < q->size);
        q->n[s->kind]--;
        q->n[KIND_ANSWER]++;
        queue_discharge(q, KIND_ANSWER, 0, n);
        half = (struct slice){ .chunk = s->chunk,
                               .at = s->at + (uint32_t)n,
                               .end = s->at + (uint32_t)size,
                               .n = 1,
                               .kind = KIND_ANSWER,
                               .partial = true };
        if (s->n == 1) {
                *s = half;
                return;
        }
        chunk_ref(s->chunk);
        s->at += (uint32_t)size;
        s->n--;
        *slot(q, --q->head) = half;
}

static void queue_drained(struct queue *q)
{
        assert(q->bytes == 0);
        q->compacted = chunk_unref(q->compacted);
        q->head = q->tail = q->settled = POSITION_FIRST;
        q->bytes_dropped = 0;
        for (unsigned kind = 0; kind < KIND_MAX; kind++)
                q->oldest[kind] = POSITION_FIRST;
        if (q->size > SLICES_KEPT) {
                free(q->slices);
                q->slices = NULL;
                q->size = 0;
        }
}

void queue_pop(struct queue *q, size_t n)
{
        assert(n <= q->bytes);
        while (n > 0) {
                struct slice *s = slot(q, q->head);
                size_t left = s->end - s->at;

                assert(q->head < q->tail && (s->chunk ? s->n > 0 : left == 0));
                if (s->chunk && n < left) {
                        pop_within(q, s, n);
                        return;
                }
                if (s->chunk) {
                        empty_slice(q, s);
                        n -= left;
                }
                q->head++;
        }
        if (queue_is_empty(q))
                queue_drained(q);
}

/* ---- copies -------------------------------------------------------------------------------- */

/* Octets that the slices from @i on have of the chunk of the first, until another chunk follows. */
static size_t run_size(const struct queue *q, uint64_t i)
{
        const struct chunk *chunk = slot(q, i)->chunk;
        size_t n = 0;

        for (; i < q->tail; i++) {
                const struct slice *s = slot(q, i);

                if (s->chunk && s->chunk != chunk)
                        break;
                if (s->chunk)
                        n += s->end - s->at;
        }
        return n;
}

/* Moves @s into the chunk that messages are copied into. If memory is short it stays where it
 * is. */
static void compact_slice(struct queue *q, struct slice *s)
{
        size_t n = s->end - s->at;

        if (!reserve_compacted(q, n))
                return;
        memcpy(q->compacted->bytes + q->compacted->n, s->chunk->bytes + s->at, n);
        chunk_unref(s->chunk);
        s->chunk = chunk_ref(q->compacted);
        s->at = (uint32_t)q->compacted->n;
        s->end = (uint32_t)(q->compacted->n + n);
        q->compacted->n += n;
}

void queue_compact(struct queue *q)
{
        uint64_t from, to;
        struct chunk *judged = NULL;
        bool copy = false;

        if (queue_is_sparse(q)) {
                q->settled = q->head;
                q->bytes_dropped = 0;
        }
        from = to = q->settled > q->head ? q->settled : q->head;
        for (uint64_t i = from; i < q->tail; i++) {
                struct slice s = *slot(q, i);

                if (!s.chunk)
                        continue;
                if (s.chunk != judged) {
                        judged = s.chunk;
                        copy = s.chunk != q->compacted && run_size(q, i) < s.chunk->size / 2;
                }
                if (copy)
                        compact_slice(q, &s);
                if (to > q->head && slot(q, to - 1)->chunk && joins(slot(q, to - 1), &s)) {
                        slot(q, to - 1)->end = s.end;
                        slot(q, to - 1)->n += s.n;
                        chunk_unref(s.chunk);
                } else {
                        *slot(q, to++) = s;
                }
        }
        assert(to <= q->tail);
        q->tail = to;
        q->settled = to;
        for (unsigned kind = 0; kind < KIND_MAX; kind++)
                if (q->oldest[kind] > from)
                        q->oldest[kind] = from;
}
