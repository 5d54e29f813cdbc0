/*
 * engine-query.c - see engine-query.h.
 */
#include "engine-query.h"

#include "engine-state.h"

const struct address *entity_address(const struct entity *entity)
{
        return entity->entry.address;
}

void *entity_data(const struct entity *entity)
{
        return entity->data;
}

size_t engine_n_unfinished(const struct engine *e)
{
        return e->retransmitter.n + e->searches.n_waiters;
}

size_t engine_n_peers(const struct engine *e)
{
        return e->peers.known.n;
}

size_t engine_n_entities(const struct engine *e)
{
        return e->locals.n;
}

static struct peer_info describe(const struct engine *e, const struct peer *peer)
{
        return (struct peer_info){ .address = peer->entry.address,
                                   .endpoint = &peer->endpoint,
                                   .joined = peer->joined,
                                   .heard = peer->heard,
                                   .deadline = peers_deadline(&e->peers, peer, engine_n_all(e)),
                                   .legacy = peer->legacy };
}

bool engine_next_peer(const struct engine *e, const struct address *dest, size_t *cursor,
                      struct peer_info *ret_info)
{
        struct index_cursor at = index_match(&e->peers.known, dest);
        struct peer *peer;

        at.i = *cursor;
        peer = peer_of_entry(index_next(&at));
        *cursor = at.i;
        if (!peer)
                return false;
        *ret_info = describe(e, peer);
        return true;
}

bool engine_walk_peers(const struct engine *e, const struct address *dest, struct index_walk *walk,
                       struct peer_info *ret_info)
{
        const struct peer *peer = peer_of_entry(index_walk(&e->peers.known, dest, walk));

        if (peer)
                *ret_info = describe(e, peer);
        return peer;
}

struct entity *engine_walk_entities(const struct engine *e, const struct address *dest,
                                    struct index_walk *walk)
{
        return entity_of_entry(index_walk(&e->locals, dest, walk));
}

bool engine_has_peer(const struct engine *e, const struct address *address)
{
        return peers_find(&e->peers, address);
}

struct entity *engine_find(const struct engine *e, const struct address *address)
{
        return entity_of_entry(index_find(&e->locals, address));
}

unsigned engine_resolve(const struct engine *e, const struct address *dest,
                        struct entity **ret_entity, const struct address **ret_address)
{
        struct index_cursor locals = index_match(&e->locals, dest);
        struct index_cursor peers = index_match(&e->peers.known, dest);
        struct index_entry *local = index_next(&locals), *peer = index_next(&peers);

        if (!local && !peer)
                return 0;
        if ((local && (peer || index_next(&locals))) || (peer && index_next(&peers)))
                return 2;
        *ret_entity = entity_of_entry(local);
        *ret_address = local ? local->address : peer->address;
        return 1;
}

size_t engine_match(const struct engine *e, const struct address *dest,
                    struct entity **ret_entities, size_t size)
{
        struct index_cursor cursor = index_match(&e->locals, dest);
        struct index_entry *entry;
        size_t n = 0;

        while ((entry = index_next(&cursor))) {
                if (n < size)
                        ret_entities[n] = entity_of_entry(entry);
                ++n;
        }
        return n;
}

uint64_t engine_dropped(const struct engine *e, enum mbus_drop reason)
{
        return e->dropped[reason] + (reason == MBUS_DROP_EVENTS ? e->events.n_dropped : 0);
}

struct engine_heard engine_heard(const struct engine *e)
{
        return (struct engine_heard){ .n = e->n_heard,
                                      .n_line_feed = e->n_line_feed,
                                      .n_strangers = e->dropped[MBUS_DROP_DIGEST] +
                                                     e->dropped[MBUS_DROP_CIPHERTEXT] +
                                                     e->dropped[MBUS_DROP_PROTOCOL] };
}

size_t engine_too_large(const struct engine *e)
{
        return e->too_large;
}

bool engine_peek_datagram(const struct engine *e, size_t *cursor, struct datagram *ret_datagram)
{
        return outgoing_peek(&e->outgoing, cursor, ret_datagram);
}

size_t engine_n_datagrams(const struct engine *e)
{
        return e->outgoing.n;
}

size_t engine_memory(const struct engine *e)
{
        return sizeof(*e) + peers_bytes(&e->peers) + e->locals.n * sizeof(struct entity) +
               index_bytes(&e->locals) + e->hellos.size * sizeof(*e->hellos.heap) +
               retransmitter_bytes(&e->retransmitter) + searches_memory(&e->searches) +
               e->outgoing.size + events_memory(&e->events) + e->text.size + e->sealed.size;
}
