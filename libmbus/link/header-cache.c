/*
 * header-cache.c - see header-cache.h.
 */
#include "header-cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <core/limits.h>

void header_cache_add(struct header_cache *c, const struct header *h, struct link_entity *to)
{
        const char *from = h->src.text.at;
        size_t dest = (size_t)(h->dest.text.at - from), n = dest + h->dest.text.n;
        size_t i = c->next;
        char *text = n <= 2 * ADDRESS_TEXT_MAX ? malloc(n) : NULL;

        if (!text)
                return;
        assert(i < HEADER_CACHE_MAX && i <= c->n);
        memcpy(text, from, n);
        if (i < c->n)
                free(c->texts[i]);
        else
                c->n++;
        c->next = (i + 1) % HEADER_CACHE_MAX;
        c->texts[i] = text;
        c->to[i] = to;
        header_copy(&c->headers[i], h);
        c->headers[i].src.text.at = text;
        c->headers[i].dest.text.at = text + dest;
        c->canonical[i] = address_is_canonical(&h->src) && address_is_canonical(&h->dest);
}

void header_cache_clear(struct header_cache *c)
{
        for (size_t i = 0; i < c->n; i++)
                free(c->texts[i]);
        c->n = c->next = 0;
}
