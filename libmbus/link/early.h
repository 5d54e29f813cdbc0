/*
 * early.h - what an entity sends before it is attached for the first time.
 *
 * Over the network an entity can send at once. Through a broker it has no address until it is
 * attached, so that its messages wait in the order of the calls; they go out with the answer, or
 * fail with it, which is told. Together they are bounded by what may wait for the broker anyway,
 * LINK_OUTPUT_MAX. Whoever was attached once does not wait again: that a link is down is told, and
 * who sends meanwhile too.
 *
 * Invariants: link.n_early and link.early_bytes are the sums over the lists of all entities; for
 * each message with a ticket, the event that ends it is promised.
 */
#ifndef MBUS_LINK_EARLY_H
#define MBUS_LINK_EARLY_H

#include "link.h"

struct early {
        struct list_node node; /* in link_entity.early */
        struct address *dest;
        uint64_t ticket; /* 0: it is unreliable */
        size_t n;
        char payload[];
};

/* Whether what @entity sends has to wait, since it has never been attached or others wait
 * already. */
static inline bool early_is_wanted(const struct link_entity *entity)
{
        return entity->early.first || (!entity->refused && !entity->base.text);
}
/* It does. 0, MBUS_E_FULL or -ENOMEM. */
int early_add(struct link_entity *entity, const struct address *dest, struct span payload,
              uint64_t *ret_ticket);
/* The oldest one, or NULL. */
const struct early *early_first(const struct link_entity *entity);
/* It is sent; or it fails, for @reason. */
void early_drop_first(struct link_entity *entity);
void early_fail_first(struct link_entity *entity, enum mbus_reason reason);
/* @entity is not attached, for @reason: tickets fail, and the others are told as lost. */
void early_fail(struct link_entity *entity, enum mbus_reason reason, struct span why);
/* It goes away: nobody asks for its tickets any more. */
void early_forget(struct link_entity *entity);

#endif
