/*
 * outgoing.c - datagrams in one growing ring.
 *
 * A record is its header and its octets, in one piece: when it does not fit behind the newest
 * before the end of the ring, the rest stays unused (`wrap`) and it goes to the start.
 */
#include "outgoing.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "../mbus.h"
#include "limits.h"

#define RING_MIN 16384

struct record {
        struct endpoint to;
        uint32_t n;
};

/* Records begin where their header may be read from. */
static size_t record_size(size_t n)
{
        return (sizeof(struct record) + n + 7) / 8 * 8;
}

void outgoing_deinit(struct outgoing *out)
{
        free(out->ring);
        *out = OUTGOING_INIT;
}

/* The octets from the oldest to the end, then those from the start, become one piece. */
static int grow(struct outgoing *out, size_t want)
{
        size_t size = out->size ? out->size : RING_MIN;
        size_t front = 0, back = 0;
        char *ring;

        while (size < want)
                size *= 2;
        ring = malloc(size);
        if (!ring)
                return -ENOMEM;
        if (out->n) {
                size_t end = out->wrap ? out->wrap : out->head + out->used;

                front = end - out->head;
                back = out->used - front;
                memcpy(ring, out->ring + out->head, front);
                memcpy(ring + front, out->ring, back);
        }
        free(out->ring);
        out->ring = ring;
        out->size = size;
        out->head = 0;
        out->wrap = 0;
        return 0;
}

/* Where @size octets can go, or out->size. */
static size_t find_room(struct outgoing *out, size_t size)
{
        size_t tail;

        if (out->n == 0)
                return out->head = out->wrap = 0;
        if (out->wrap) {
                tail = out->used - (out->wrap - out->head);
                return size <= out->head - tail ? tail : out->size;
        }
        tail = out->head + out->used;
        if (size <= out->size - tail)
                return tail;
        if (size <= out->head) {
                out->wrap = tail;
                return 0;
        }
        return out->size;
}

int outgoing_push(struct outgoing *out, struct span bytes, const struct endpoint *to)
{
        struct record record = { .to = *to, .n = (uint32_t)bytes.n };
        size_t size = record_size(bytes.n);
        size_t at;

        if (size > OUTGOING_BYTES_MAX - out->used)
                return MBUS_E_FULL;
        at = out->size ? find_room(out, size) : 0;
        if (at > out->size || size > out->size - at) {
                int r = grow(out, out->used + size);

                if (r < 0)
                        return r;
                at = find_room(out, size);
        }
        assert(at <= out->size && size <= out->size - at);
        memcpy(out->ring + at, &record, sizeof(record));
        memcpy(out->ring + at + sizeof(record), bytes.at, bytes.n);
        out->used += size;
        ++out->n;
        return 0;
}

bool outgoing_peek(const struct outgoing *out, size_t *cursor, struct datagram *ret_datagram)
{
        size_t front = out->wrap ? out->wrap - out->head : out->used;
        const struct record *record;
        size_t at;

        if (*cursor >= out->used)
                return false;
        at = *cursor < front ? out->head + *cursor : *cursor - front;
        record = (const struct record *)(const void *)(out->ring + at);
        *ret_datagram = (struct datagram){
                .bytes = { out->ring + at + sizeof(*record), record->n },
                .to = &record->to,
        };
        *cursor += record_size(record->n);
        return true;
}

void outgoing_pop(struct outgoing *out, size_t n)
{
        assert(n <= out->n);
        for (; n > 0; --n) {
                const struct record *record =
                        (const struct record *)(const void *)(out->ring + out->head);
                size_t size = record_size(record->n);

                assert(size <= out->used);
                out->head += size;
                out->used -= size;
                --out->n;
                if (out->wrap && out->head == out->wrap)
                        out->head = out->wrap = 0;
                assert((out->used == 0) == (out->n == 0));
        }
}
