/*
 * entity.h - what link mode knows of an entity of the application.
 */
#ifndef MBUS_LINK_ENTITY_H
#define MBUS_LINK_ENTITY_H

#include <bus/mode.h>
#include <core/container.h>
#include <core/index.h>
#include <core/list.h>

/*
 * An entity is attached while `attached` is in link.attached. Otherwise it is refused, for good; or
 * one ticket of it is that of an attachment; or it `waits` to ask again; or the link is down, after
 * which it is asked for.
 */
struct link_entity {
        struct mbus_entity base;
        struct index_entry attached;
        size_t n_tickets;  /* entries of link.tickets about it */
        struct list early; /* what it sent before it was attached, oldest first (early.h) */
        size_t n_early_reliable;
        bool refused; /* and said so: it is not asked for again */
        bool anew;    /* asked for as `given`: the old address is taken */
        bool waits;   /* its old link has the address still: it asks again */
};

static inline struct link_entity *link_entity_of(struct mbus_entity *entity)
{
        return container_of(entity, struct link_entity, base);
}

static inline struct link_entity *entity_of_attached(struct index_entry *entry)
{
        return container_of(entry, struct link_entity, attached);
}

static inline struct link_entity *link_entity_of_node(struct list_node *node)
{
        return container_of(node, struct link_entity, base.node);
}

#endif
