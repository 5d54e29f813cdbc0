/*
 * peer-list.c - see peer-list.h.
 */
#include "peer-list.h"

#include <assert.h>
#include <stdlib.h>

struct peers_item {
        char *address;
        uint64_t age;
};

struct mbus_peers {
        struct peers_item *items;
        size_t n;
        size_t size;
};

struct mbus_peers *peer_list_new(void)
{
        return calloc(1, sizeof(struct mbus_peers));
}

int peer_list_add(struct mbus_peers *peers, const struct address *address, uint64_t age)
{
        struct peers_item item = { address_string(address), age };

        assert(peers->n <= peers->size);
        if (peers->n == peers->size) {
                size_t size = peers->size ? peers->size * 2 : 16;
                struct peers_item *items = realloc(peers->items, size * sizeof(*items));

                if (!items) {
                        free(item.address);
                        return -ENOMEM;
                }
                peers->items = items;
                peers->size = size;
        }
        if (!item.address)
                return -ENOMEM;
        peers->items[peers->n++] = item;
        return 0;
}

struct mbus_peers *mbus_peers_free(struct mbus_peers *peers)
{
        if (peers) {
                for (size_t i = 0; i < peers->n; i++)
                        free(peers->items[i].address);
                free(peers->items);
                free(peers);
        }
        return NULL;
}

size_t mbus_peers_get_n(const struct mbus_peers *peers)
{
        return peers ? peers->n : 0;
}

const char *mbus_peers_get_address(const struct mbus_peers *peers, size_t i)
{
        return peers && i < peers->n ? peers->items[i].address : NULL;
}

uint64_t mbus_peers_get_age(const struct mbus_peers *peers, size_t i)
{
        return peers && i < peers->n ? peers->items[i].age : 0;
}
