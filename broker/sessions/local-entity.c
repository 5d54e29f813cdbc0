/*
 * local-entity.c - entities of the bus main that this broker hosts come and go.
 */
#include "local-entity.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "replies.h"

/* ---- of a session -------------------------------------------------------------------------- */

static void add_to_session(struct local_entity *e)
{
        struct session *s = e->session;

        list_push_first(&s->entities, &e->node);
        s->n_entities++;
        quota_take(s->link.user, QUOTA_ENTITIES, 1);
}

static void remove_from_session(struct local_entity *e)
{
        struct session *s = e->session;

        assert(s->n_entities > 0);
        list_remove(&s->entities, &e->node);
        s->n_entities--;
        assert((s->n_entities == 0) == list_is_empty(&s->entities));
        quota_give_back(s->link.user, QUOTA_ENTITIES, 1);
}

struct local_entity *session_entity(const struct session *s)
{
        return container_of(s->entities.first, struct local_entity, node);
}

struct local_entity *local_entity_next(const struct local_entity *e)
{
        return container_of(e->node.next, struct local_entity, node);
}

/* ---- they come and go ---------------------------------------------------------------------- */

int local_entity_new(struct sessions *all, struct session *s, const struct address *address,
                     struct local_entity **ret_entity)
{
        struct local_entity *e = malloc(sizeof(*e));
        int r;

        if (!e)
                return -ENOMEM;
        *e = (struct local_entity){
                .all = all, .session = s, .joined = all->it->now, .pending = PENDING_INIT
        };
        r = deadlines_reserve(&all->acknowledgements);
        if (r == 0) {
                r = engine_add_entity(all->engine, all->it->now, address, e, &e->entity);
                if (r)
                        deadlines_release(&all->acknowledgements);
        }
        if (r) {
                free(e);
                return r;
        }
        if (s)
                add_to_session(e);
        e->number = ++all->last_entity;
        sessions_tell_joined(all, e, entity_address(e->entity));
        *ret_entity = e;
        return 0;
}

int local_entity_rename(struct local_entity *e, const struct address *address)
{
        struct sessions *all = e->all;
        struct address *old = address_dup(entity_address(e->entity));
        int r = old ? engine_rename_entity(all->engine, all->it->now, all->it->wall_ms, e->entity,
                                           address)
                    : -ENOMEM;

        /* The broker's own address and those of proxies are what they are. */
        assert(e->session);
        if (r == 0) {
                reply_renamed(e->session, old, address);
                sessions_tell_left(all, e, old, MBUS_REASON_BYE);
                sessions_tell_joined(all, e, address);
        }
        free(old);
        return r;
}

struct local_entity *local_entity_free(struct local_entity *e)
{
        struct sessions *all;

        if (!e)
                return NULL;
        all = e->all;
        sessions_tell_left(all, e, entity_address(e->entity), MBUS_REASON_BYE);
        sessions_tell_forgotten(all, e);
        /* No room has anything of it left. */
        assert(e->n_held == 0 && !e->retainer);
        assert(!e->pending.is_waiting && e->pending.n_owed == 0);
        if (e->session)
                remove_from_session(e);
        deadlines_release(&all->acknowledgements);
        if (e->is_silent)
                engine_withdraw_entity(all->engine, all->it->now, all->it->wall_ms, e->entity);
        else
                engine_remove_entity(all->engine, all->it->now, all->it->wall_ms, e->entity);
        free(e);
        return NULL;
}

void local_entity_detach(struct local_entity *e, enum mbus_reason reason, const char *why)
{
        struct buffer address = BUFFER_INIT;

        assert(e->session);
        value_format_string(local_entity_text(e), &address);
        if (address.failed)
                connection_kill(&e->session->link, "memory is short");
        else
                reply_reason(e->session, span_of("()"), "broker.detached", buffer_span(&address),
                             reason_symbol(reason), why);
        buffer_deinit(&address);
        e->is_silent = reason == MBUS_REASON_TAKEN;
        local_entity_free(e);
}

struct local_entity *local_entity_find(const struct sessions *all, const struct address *address)
{
        struct entity *entity = engine_find(all->engine, address);

        return entity ? entity_data(entity) : NULL;
}
