/*
 * engine-query.h - what an engine knows, for its owner and for itself (engine.h). Nothing here
 * changes it.
 */
#ifndef MBUS_CORE_ENGINE_QUERY_H
#define MBUS_CORE_ENGINE_QUERY_H

#include "error.h"
#include "index.h"
#include "outgoing.h"

struct engine;
struct entity;

/* What is known. Local entities count among the entities of the bus but are no peers. */
struct peer_info {
        const struct address *address;
        const struct endpoint *endpoint; /* where it last sent from */
        uint64_t joined;                 /* monotonic ns */
        uint64_t heard;
        uint64_t deadline; /* when it is taken for dead if it stays silent */
        bool legacy;       /* without a proper id element (4.1) */
};

/* Reliable messages that are neither acknowledged nor given up. */
size_t engine_n_unfinished(const struct engine *e);
size_t engine_n_peers(const struct engine *e);
size_t engine_n_entities(const struct engine *e);
/* Walks the known peers that match @dest; *@cursor is 0 at first. Not across engine calls. */
bool engine_next_peer(const struct engine *e, const struct address *dest, size_t *cursor,
                      struct peer_info *ret_info);
/* The same across engine calls, as index_walk() does; *@walk is INDEX_WALK_INIT at first. */
bool engine_walk_peers(const struct engine *e, const struct address *dest, struct index_walk *walk,
                       struct peer_info *ret_info);
/* The local entities likewise; NULL behind the last. */
struct entity *engine_walk_entities(const struct engine *e, const struct address *dest,
                                    struct index_walk *walk);
/* Whether a peer with exactly this address is known. */
bool engine_has_peer(const struct engine *e, const struct address *address);
/* The local entity with exactly this address, or NULL. */
struct entity *engine_find(const struct engine *e, const struct address *address);
/* How many entities, local ones included, match @dest: 0, 1 or 2 for more. If it is 1,
 * *@ret_address is its full address, and *@ret_entity the entity if it is a local one, else NULL;
 * they are written in that case only. */
unsigned engine_resolve(const struct engine *e, const struct address *dest,
                        struct entity **ret_entity, const struct address **ret_address);
/* The local entities that @dest matches, up to @size of them; returns how many match at most. */
size_t engine_match(const struct engine *e, const struct address *dest,
                    struct entity **ret_entities, size_t size);
uint64_t engine_dropped(const struct engine *e, enum mbus_drop reason);
/* What has come in from others, to find out whether they and we speak alike. */
struct engine_heard {
        uint64_t n;           /* with our key and in our version */
        uint64_t n_line_feed; /* of these, as programs older than RFC 3259 write: see DIALECT=UCL */
        uint64_t n_strangers; /* with another key or cipher */
};

struct engine_heard engine_heard(const struct engine *e);
/*
 * Octets of memory in use. It is bounded by what is known and outstanding: spec/simulation.md has
 * the function. Takes a time that grows with the number of known entities.
 */
size_t engine_memory(const struct engine *e);

const struct address *entity_address(const struct entity *entity);
void *entity_data(const struct entity *entity);
/* What the last message that was refused with MBUS_E_TOO_LARGE had in octets, 0 if there was
 * none. */
size_t engine_too_large(const struct engine *e);
/* Datagrams to send, oldest first: peek with *@cursor, 0 at first; pop as many as went out. */
bool engine_peek_datagram(const struct engine *e, size_t *cursor, struct datagram *ret_datagram);
size_t engine_n_datagrams(const struct engine *e);

#endif
