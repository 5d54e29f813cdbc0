/*
 * lookup.c - which bridge a bus has, and which proxy an address.
 */
#include "bridge.h"
#include "state.h"

struct proxy *proxy_of(const struct bus *bus, const struct entity *entity)
{
        void *data = entity_data(entity);

        return bus_is_main(bus) ? ((const struct local_entity *)data)->proxy : data;
}

struct proxy *bridge_find(const struct bridge *bridge, unsigned side, const struct address *address)
{
        const struct bus *bus = bridge->bus[side];
        struct entity *entity = engine_find(bus->engine, address);
        struct proxy *p = entity ? proxy_of(bus, entity) : NULL;

        return p && p->bridge == bridge ? p : NULL;
}

struct bridge *bridges_next(const struct bridges *all, const struct bus *bus, size_t *cursor,
                            unsigned *ret_side)
{
        for (; *cursor < 2 * all->n; ++*cursor) {
                struct bridge *bridge = all->list[*cursor / 2];
                unsigned side = *cursor % 2;

                if (bridge->bus[side] != bus)
                        continue;
                ++*cursor;
                *ret_side = side;
                return bridge;
        }
        return NULL;
}

struct bus *bridges_next_joined(const struct bridges *all, const struct bus *bus, size_t *cursor,
                                bool *ret_works)
{
        unsigned side;
        struct bridge *bridge = bridges_next(all, bus, cursor, &side);

        if (!bridge)
                return NULL;
        *ret_works = bridge->state == BRIDGE_ACTIVE;
        return bridge->bus[1 - side];
}

bool is_of_a_broker(const struct address *address)
{
        return span_equal_text(address_get(address, "app"), "mbus-broker");
}
