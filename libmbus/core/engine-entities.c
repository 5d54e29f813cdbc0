/*
 * engine-entities.c - see engine-entities.h.
 */
#include "engine-entities.h"

#include <assert.h>
#include <stdlib.h>

#include "engine-acks.h"
#include "engine-conflict.h"
#include "engine-delivery.h"
#include "engine-hello.h"
#include "engine-search.h"

static int check_address(const struct engine *e, const struct address *address)
{
        if (index_find(&e->locals, address) || peers_find(&e->peers, address))
                return MBUS_E_TAKEN;
        return e->locals.n < ENTITIES_MAX ? 0 : MBUS_E_FULL;
}

int add_entity(struct engine *e, uint64_t now, const struct address *address, void *data,
               struct entity **ret_entity)
{
        struct entity *entity;
        int r = check_address(e, address);

        if (r != 0)
                return r;
        entity = malloc(sizeof(*entity));
        if (!entity)
                return -ENOMEM;
        *entity = (struct entity){ .deadline = DEADLINE_INIT,
                                   .sent = REPLAY_WINDOW_INIT,
                                   .stamp_min = e->stamp_min,
                                   .data = data };
        r = index_add(&e->locals, &entity->entry, address);
        if (r == 0) {
                r = deadlines_reserve(&e->hellos);
                if (r < 0)
                        index_remove(&e->locals, &entity->entry);
        }
        if (r < 0) {
                free(entity);
                return r;
        }
        if (e->since == TIME_NEVER)
                e->since = now;
        if (e->options.dialect == DIALECT_UCL)
                entity->seq = 1 + random_below(&e->random, SEQ_FIRST_MAX_UCL);
        start_hello(e, now, entity);
        searches_note(&e->searches, now, address);
        *ret_entity = entity;
        return 0;
}

int rename_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                  const struct address *address)
{
        struct index_entry fresh;
        int r = check_address(e, address);

        if (r == 0)
                r = index_add(&e->locals, &fresh, address);
        if (r != 0)
                return r;
        /* The old address belongs to somebody else who lives on: no bye for it. */
        index_remove(&e->locals, &entity->entry);
        index_move(&e->locals, &entity->entry, &fresh);
        entity->conflict = false;
        pause_conflicts(entity, now);
        start_hello(e, now, entity);
        searches_note(&e->searches, now, address);
        say_to_all(e, wall_ms, entity, "mbus.hello()");
        return 0;
}

void free_entity(struct engine *e, struct entity *entity)
{
        deadlines_set(&e->hellos, &entity->deadline, TIME_NEVER);
        deadlines_release(&e->hellos);
        index_remove(&e->locals, &entity->entry);
        free(entity);
}

/* Most entities that go owe nobody anything, and no peer has to be asked then. */
void remove_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                   bool bye)
{
        flush_acks(e, now, wall_ms);
        forget_waiting(e, entity);
        for (size_t i = 0; i < e->peers.known.n && entity->n_acks + entity->n_reliable > 0; ++i) {
                struct peer *peer = peer_of_entry(e->peers.known.all[i]);

                drop_acks_of(e, peer, entity);
                forget_deliveries_of(e, entity, peer);
                pump_queue(e, now, wall_ms, &peer->queue);
        }
        if (bye) {
                say_to_all(e, wall_ms, entity, "mbus.bye()");
                peers_bury(&e->peers, now, entity->entry.address, &entity->sent);
        }
        events_forget(&e->events, entity);
        assert(entity->n_acks == 0 && entity->n_waiting == 0);
        if (entity->sent.open && entity->sent.stamp_max >= e->stamp_min)
                e->stamp_min = entity->sent.stamp_max + 1;
        free_entity(e, entity);
        e->shrunk = true;
}
