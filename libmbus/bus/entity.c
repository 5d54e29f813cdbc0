/*
 * entity.c - see entity.h.
 */
#include "entity.h"

#include <assert.h>
#include <stdlib.h>

#include "events.h"

struct mbus_entity *entity_new(struct mbus_bus *bus, struct mode *mode, size_t size)
{
        struct mbus_entity *entity;

        assert(size >= sizeof(*entity));
        entity = calloc(1, size);
        if (entity)
                *entity = (struct mbus_entity){ .bus = bus, .mode = mode, .node = LIST_NODE_INIT };
        return entity;
}

struct mbus_entity *entity_free(struct mbus_entity *entity)
{
        free(entity->given);
        free(entity->text);
        free(entity->next_text);
        free(entity);
        return NULL;
}

int entity_ready(struct mbus_entity *entity, struct event_queue *events,
                 const struct address *address)
{
        char *text = address_string(address);

        if (!text)
                return -ENOMEM;
        if (!entity->text) {
                entity->text = text;
        } else {
                /* The application may hold the old text until it has popped the event. */
                free(entity->next_text);
                entity->next_text = text;
        }
        event_queue_push(events, &(struct mbus_event){ .type = MBUS_EVENT_READY, .entity = entity },
                         NULL);
        return 0;
}

const char *entity_take_text(struct mbus_entity *entity)
{
        /* A text comes before its event. */
        assert(entity->text);
        if (entity->next_text) {
                free(entity->text);
                entity->text = entity->next_text;
                entity->next_text = NULL;
        }
        return entity->text;
}
