/*
 * entity.h - an entity of the application, as its mode sees it.
 *
 * Each mode puts what it has to know of an entity behind this one, mode_ops.entity_size octets in
 * all.
 */
#ifndef MBUS_BUS_ENTITY_H
#define MBUS_BUS_ENTITY_H

#include <core/list.h>

#include <api/api.h>

struct event_queue;
struct mode;

/*
 * `text` is what the application was told, and may hold, so that a new address waits in `next_text`
 * until the event READY that says so is popped. NULL: it has no address yet.
 */
struct mbus_entity {
        struct mbus_bus *bus;
        struct mode *mode;
        struct list_node node; /* in bus_parts.entities */
        void *data;
        struct address *given;    /* as the application gave it */
        char *text;               /* its full address, as the application has been told */
        char *next_text;          /* its new one; becomes `text` with the event that says so */
        enum mbus_reason refused; /* why MBUS_EVENT_REFUSED told of it; NONE: it did not */
};

/* @size octets of it and its mode. NULL: there is no memory. */
struct mbus_entity *entity_new(struct mbus_bus *bus, struct mode *mode, size_t size);
/* It is in no list. Returns NULL. */
struct mbus_entity *entity_free(struct mbus_entity *entity);
/* @entity is on the bus as @address: keeps the text and reports it to @events. 0 or -ENOMEM. */
int entity_ready(struct mbus_entity *entity, struct event_queue *events,
                 const struct address *address);
/* The event READY is popped: its address is what the application knows now. */
const char *entity_take_text(struct mbus_entity *entity);

#endif
