/*
 * header-cache.h - headers that came lately.
 *
 * An application hears the same few pairs of source and destination. Addresses that are written as
 * in one of them need not be parsed, and who gets such a message need not be looked up.
 *
 * Invariant: headers[i] looks into texts[i], for i < n; to[i] is right as long as nobody is
 * attached or detached, on which the cache is cleared.
 */
#ifndef MBUS_LINK_HEADER_CACHE_H
#define MBUS_LINK_HEADER_CACHE_H

#include <core/header.h>

struct link_entity;

#define HEADER_CACHE_MAX 4

struct header_cache {
        struct header headers[HEADER_CACHE_MAX];
        char *texts[HEADER_CACHE_MAX];            /* both addresses; owned */
        bool canonical[HEADER_CACHE_MAX];         /* both are written so */
        struct link_entity *to[HEADER_CACHE_MAX]; /* the one entity that matches, if there is one */
        size_t n;
        size_t next; /* to be replaced */
};

/* Remembers @h and @to, in the place of the oldest. Without memory nothing is remembered, nor is
 * white space without end. */
void header_cache_add(struct header_cache *c, const struct header *h, struct link_entity *to);
void header_cache_clear(struct header_cache *c);

#endif
