/*
 * dedup.h - reliable messages that were taken lately, in case the next broker brings them again.
 *
 * A sender on the bus repeats a message until it is acknowledged (RFC 3259, section 7). A broker
 * that dies between giving it to a client and acknowledging it on the bus leaves the repetition to
 * its successor, which cannot know that the client has the message. So for as long as somebody may
 * repeat what he sent before, the client compares.
 */
#ifndef MBUS_LINK_DEDUP_H
#define MBUS_LINK_DEDUP_H

#include <core/header.h>

/* A reliable message that was taken. */
struct dedup_item {
        uint64_t source; /* hash of its address */
        uint64_t timestamp;
        uint32_t seq;
};

struct dedup_cache {
        struct dedup_item *items; /* NULL: none so far */
        uint64_t n;               /* ever; the newest is at (n - 1) % LINK_SEEN_MAX */
        uint64_t until;           /* what comes is compared up to then; 0: it is not */
};

/* From now on there is another broker. */
void dedup_expect(struct dedup_cache *c, uint64_t now);
/* A message was taken. Without memory it is not remembered. */
void dedup_note(struct dedup_cache *c, const struct header *h);
/* Whether it was taken before, as long as that is to be expected. */
bool dedup_has(struct dedup_cache *c, const struct header *h);
void dedup_deinit(struct dedup_cache *c);

#endif
