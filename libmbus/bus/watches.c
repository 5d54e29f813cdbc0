/*
 * watches.c - see watches.h.
 */
#include "watches.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct watch *watches_add(struct watches *ws, const struct address *address)
{
        struct watch *watch = &ws->all[ws->n];

        assert(ws->n < WATCHES_MAX);
        *watch = (struct watch){ .address = address_dup(address) };
        if (!watch->address)
                return NULL;
        ws->n++;
        return watch;
}

void watches_remove(struct watches *ws, size_t i)
{
        struct watch *watch = &ws->all[i];

        assert(i < ws->n);
        free(watch->address);
        memmove(watch, watch + 1, (--ws->n - i) * sizeof(*watch));
}

bool watches_match(const struct watches *ws, const struct address *address)
{
        for (size_t i = 0; i < ws->n; i++)
                if (address_is_subset(ws->all[i].address, address))
                        return true;
        return false;
}

void watches_deinit(struct watches *ws)
{
        while (ws->n > 0)
                free(ws->all[--ws->n].address);
}
