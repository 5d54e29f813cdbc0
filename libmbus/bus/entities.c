/*
 * entities.c - entities of the application come, and go.
 */
#include "bus.h"

#include <assert.h>

static int entities_parse(struct mbus_bus *bus, const char *text, struct address **ret_address)
{
        struct parse_error error = { 0, "" };
        struct address parsed;
        int r = address_parse_own(span_of(text), &parsed, &error);

        if (r != 0)
                return bus_refuse_text(bus, r, text, error.at, error.what);
        *ret_address = address_dup(&parsed);
        return *ret_address ? 0 : -ENOMEM;
}

int mbus_bus_add_entity(struct mbus_bus *bus, const char *address, struct mbus_entity **ret_entity)
{
        struct mbus_entity *entity;
        int r = bus_usable(bus, address && ret_entity);

        if (r != 0)
                return bus_refuse(bus, r);
        if (bus->n_entities >= ENTITIES_MAX)
                return bus_refuse(bus, MBUS_E_FULL);
        entity = entity_new(bus, bus->mode, bus->mode->ops->entity_size);
        if (!entity)
                return -ENOMEM;
        r = entities_parse(bus, address, &entity->given);
        if (r == 0)
                r = bus_refuse(bus, bus->mode->ops->add_entity(entity));
        if (r != 0) {
                event_queue_forget(&bus->parts.events, entity);
                entity_free(entity);
                return r;
        }
        list_push_first(&bus->parts.entities, &entity->node);
        bus->n_entities++;
        bus_changed(bus);
        *ret_entity = entity;
        return 0;
}

struct mbus_entity *mbus_entity_remove(struct mbus_entity *entity)
{
        struct mbus_bus *bus;

        if (!entity)
                return NULL;
        bus = entity->bus;
        bus_abandon(bus);
        bus->mode->ops->remove_entity(entity);
        event_queue_forget(&bus->parts.events, entity);
        waits_forget(&bus->waits, entity);
        if (bus->current.event.entity == entity)
                bus->current.event.entity = NULL;
        list_remove(&bus->parts.entities, &entity->node);
        assert(bus->n_entities > 0);
        bus->n_entities--;
        entity_free(entity);
        bus_changed(bus);
        return NULL;
}

const char *mbus_entity_get_address(const struct mbus_entity *entity)
{
        return entity ? entity->text : NULL;
}

void mbus_entity_set_data(struct mbus_entity *entity, void *data)
{
        if (entity)
                entity->data = data;
}

void *mbus_entity_get_data(const struct mbus_entity *entity)
{
        return entity ? entity->data : NULL;
}
