/*
 * dedup.c - see dedup.h.
 */
#include "dedup.h"

#include <stdlib.h>

#include <core/limits.h>
#include <io/clock.h>

/* The longest that a sender repeats, in either dialect, and as much again for what is on its
 * way. */
#define REPEATED_MS (RELIABLE_T_R_UCL_MS * RELIABLE_N_R_UCL * (RELIABLE_N_R_UCL + 1))

void dedup_expect(struct dedup_cache *c, uint64_t now)
{
        c->until = now + REPEATED_MS * NSEC_PER_MSEC;
}

static struct dedup_item dedup_item_of(const struct header *h)
{
        return (struct dedup_item){ .source = address_hash(&h->src, 0),
                                    .timestamp = h->timestamp,
                                    .seq = h->seq };
}

void dedup_note(struct dedup_cache *c, const struct header *h)
{
        if (!c->items)
                c->items = malloc(LINK_SEEN_MAX * sizeof(*c->items));
        if (c->items)
                c->items[c->n++ % LINK_SEEN_MAX] = dedup_item_of(h);
}

bool dedup_has(struct dedup_cache *c, const struct header *h)
{
        uint64_t n = c->n < LINK_SEEN_MAX ? c->n : LINK_SEEN_MAX;
        struct dedup_item taken;

        if (c->until == 0)
                return false;
        if (clock_now() >= c->until) {
                c->until = 0;
                return false;
        }
        taken = dedup_item_of(h);
        for (uint64_t i = 0; i < n; i++) {
                const struct dedup_item *item = &c->items[i];

                if (item->seq == taken.seq && item->timestamp == taken.timestamp &&
                    item->source == taken.source)
                        return true;
        }
        return false;
}

void dedup_deinit(struct dedup_cache *c)
{
        free(c->items);
        *c = (struct dedup_cache){ NULL, 0, 0 };
}
