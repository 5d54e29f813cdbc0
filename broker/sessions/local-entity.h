/*
 * local-entity.h - an entity of the bus main that this broker hosts: of a session, of the broker
 * itself, or one that stands for an entity of another bus.
 *
 * Invariants: it is on the bus, in engine_find(), for as long as it lives, and has exactly one
 * address at a time. Only one of a session waits for acknowledgements, holds messages, or has last
 * values. It has a session or a proxy or neither, never both.
 */
#ifndef BROKER_SESSIONS_LOCAL_ENTITY_H
#define BROKER_SESSIONS_LOCAL_ENTITY_H

#include <core/deadline.h>
#include <core/engine.h>

#include "pending.h"
#include "session.h"

struct proxy;
struct retainer;

struct local_entity {
        struct sessions *all;
        struct session *session; /* NULL: it is the broker's own, or a proxy */
        struct list_node node;   /* of the session's */
        struct entity *entity;
        uint64_t joined;
        uint64_t number; /* how many had come before it, and itself */
        bool is_silent;  /* it leaves without a bye */
        bool is_given;   /* its id is one that its client relies on */
        struct pending pending;
        struct proxy *proxy;       /* it is of another bus (bridge/) */
        struct retainer *retainer; /* of its last values (routing/); NULL: it wants none kept */

        /* What of it waits for its destination (routing/patience.h). */
        uint64_t patience; /* ns that its reliable messages may wait */
        size_t n_held;
        uint64_t held_until; /* what the last of them was given */
};

/* Puts an entity of @s (NULL: the broker's own) on the bus main. As engine_add_entity(). */
int local_entity_new(struct sessions *all, struct session *s, const struct address *address,
                     struct local_entity **ret_entity);
/* Gives it another address, after a conflict; everybody learns that. As engine_rename_entity(). */
int local_entity_rename(struct local_entity *e, const struct address *address);
/* It leaves the bus; who waits for it learns that. Takes NULL, returns NULL. */
struct local_entity *local_entity_free(struct local_entity *e);
/* The same, which its session is told: broker.detached("ADDRESS" REASON "WHY"). Without a bye if
 * that would be somebody else's. */
void local_entity_detach(struct local_entity *e, enum mbus_reason reason, const char *why);

static inline struct span local_entity_text(const struct local_entity *e)
{
        return entity_address(e->entity)->text;
}

/* The local entity that has exactly @address, or NULL. */
struct local_entity *local_entity_find(const struct sessions *all, const struct address *address);
/* The newest of @s, and the one that came before @e; NULL: there is none. */
struct local_entity *session_entity(const struct session *s);
struct local_entity *local_entity_next(const struct local_entity *e);

#endif
