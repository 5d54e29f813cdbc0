/*
 * hosted-entity.c - an entity that the broker itself puts on one of its buses.
 */
#include "hosted-entity.h"

#include <assert.h>

int hosted_entity_enter(struct hosted_entity *h, struct sessions *sessions, struct bus *bus,
                        const struct address *address, struct proxy *proxy)
{
        int r;

        assert(!h->entity);
        *h = (struct hosted_entity){ .bus = bus };
        if (!bus_is_main(bus))
                return engine_add_entity(bus->engine, bus->buses->it->now, address, proxy,
                                         &h->entity);
        r = local_entity_new(sessions, NULL, address, &h->local);
        if (r == 0) {
                h->local->proxy = proxy;
                h->entity = h->local->entity;
        }
        return r;
}

void hosted_entity_leave(struct hosted_entity *h, bool bye)
{
        const struct iteration *it;

        if (!h->entity)
                return;
        assert(!h->local == !bus_is_main(h->bus));
        it = h->bus->buses->it;
        if (h->local) {
                h->local->is_silent = !bye;
                local_entity_free(h->local);
        } else if (bye) {
                engine_remove_entity(h->bus->engine, it->now, it->wall_ms, h->entity);
        } else {
                engine_withdraw_entity(h->bus->engine, it->now, it->wall_ms, h->entity);
        }
        h->entity = NULL;
        h->local = NULL;
}
