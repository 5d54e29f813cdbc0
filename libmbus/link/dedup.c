/*
 * dedup.c - reliable messages that were taken lately, in case the next broker brings them again.
 *
 * A sender on the bus repeats a message until it is acknowledged (RFC 3259, section 7). A broker that
 * dies between giving it to a client and acknowledging it on the bus leaves the repetition to its
 * successor, which cannot know that the client has the message. So for as long as somebody may
 * repeat what he sent before, the client compares.
 */
#include "link.h"

#include <stdlib.h>

#include <io/clock.h>

/* The longest that a sender repeats, in either dialect, and as much again for what is on its way. */
#define REPEATED_MS (RELIABLE_T_R_UCL_MS * RELIABLE_N_R_UCL * (RELIABLE_N_R_UCL + 1))

void seen_expect(struct seen_ring *s, uint64_t now)
{
        s->until = now + REPEATED_MS * NSEC_PER_MSEC;
}

static struct seen seen_of(const struct header *h)
{
        return (struct seen){ .source = address_hash(&h->src, 0),
                              .timestamp = h->timestamp,
                              .seq = h->seq };
}

void seen_note(struct seen_ring *s, const struct header *h)
{
        if (!s->items)
                s->items = malloc(LINK_SEEN_MAX * sizeof(*s->items));
        if (s->items)
                s->items[s->n++ % LINK_SEEN_MAX] = seen_of(h);
}

bool seen_has(struct seen_ring *s, const struct header *h)
{
        uint64_t n = s->n < LINK_SEEN_MAX ? s->n : LINK_SEEN_MAX;
        struct seen seen;

        if (s->until == 0)
                return false;
        if (clock_now() >= s->until) {
                s->until = 0;
                return false;
        }
        seen = seen_of(h);
        for (uint64_t i = 0; i < n; i++) {
                const struct seen *item = &s->items[i];

                if (item->seq == seen.seq && item->timestamp == seen.timestamp &&
                    item->source == seen.source)
                        return true;
        }
        return false;
}

void seen_deinit(struct seen_ring *s)
{
        free(s->items);
        *s = (struct seen_ring){ NULL, 0, 0 };
}
