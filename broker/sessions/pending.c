/*
 * pending.c - reliable messages whose end is not known yet, in the order in which they were sent.
 */
#include "pending.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/limits.h>
#include <mbus.h>

#define ACK_RING_MIN 8
/* A ring that grew beyond this is given back when it is empty. */
#define ACK_RING_KEPT 64

_Static_assert((ACK_RING_MIN & (ACK_RING_MIN - 1)) == 0, "a position is masked with the size");

/* ---- addresses ----------------------------------------------------------------------------- */

struct remote_address *remote_address_new(struct span text)
{
        struct remote_address *remote = malloc(sizeof(*remote) + text.n);

        if (!remote)
                return NULL;
        remote->refs = 1;
        remote->n = text.n;
        memcpy(remote->text, text.at, text.n);
        return remote;
}

struct remote_address *remote_address_ref(struct remote_address *remote)
{
        assert(remote->refs > 0);
        remote->refs++;
        return remote;
}

struct remote_address *remote_address_unref(struct remote_address *remote)
{
        if (!remote)
                return NULL;
        assert(remote->refs > 0);
        if (--remote->refs == 0)
                free(remote);
        return NULL;
}

/* ---- rings --------------------------------------------------------------------------------- */

int ack_ring_reserve(struct ack_ring *ring)
{
        uint32_t size = ring->size ? ring->size * 2 : ACK_RING_MIN;
        struct pending_ack *slots;

        assert(ring->tail - ring->head <= ring->size);
        if (ring->tail - ring->head < ring->size)
                return 0;
        if (size > RELIABLE_OUTSTANDING_MAX)
                return MBUS_E_FULL;
        slots = malloc(size * sizeof(*slots));
        if (!slots)
                return -ENOMEM;
        for (uint64_t i = ring->head; i < ring->tail; i++)
                slots[i & (size - 1)] = *ack_ring_at(ring, i);
        free(ring->slots);
        ring->slots = slots;
        ring->size = size;
        return 0;
}

struct pending_ack *ack_ring_find(const struct ack_ring *ring, uint64_t key)
{
        uint64_t low = ring->head, high = ring->tail;

        while (low < high) {
                uint64_t middle = low + (high - low) / 2;

                if (ack_ring_at(ring, middle)->key < key)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == ring->tail || ack_ring_at(ring, low)->key != key ||
            pending_ack_is_finished(ack_ring_at(ring, low)))
                return NULL;
        return ack_ring_at(ring, low);
}

struct pending_ack *ack_ring_find_seq(const struct ack_ring *ring, uint32_t seq)
{
        for (uint64_t i = ring->head; i < ring->tail; i++)
                if (ack_ring_at(ring, i)->seq == seq &&
                    !pending_ack_is_finished(ack_ring_at(ring, i)))
                        return ack_ring_at(ring, i);
        return NULL;
}

void ack_ring_trim(struct ack_ring *ring)
{
        while (ring->head < ring->tail && pending_ack_is_finished(ack_ring_at(ring, ring->head)))
                ring->head++;
        if (ring->head == ring->tail && ring->size > ACK_RING_KEPT)
                ack_ring_deinit(ring);
}

void ack_ring_deinit(struct ack_ring *ring)
{
        free(ring->slots);
        *ring = (struct ack_ring){ 0 };
}
