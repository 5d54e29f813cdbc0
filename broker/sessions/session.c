/*
 * session.c - what all who deal with sessions need.
 */
#include "session.h"

#include <assert.h>

_Static_assert(offsetof(struct session, link) == 0, "a connection frees the memory of its session");

struct session *sessions_first(const struct sessions *all)
{
        struct connection *c = connections_first(all->net);

        return c ? session_of(c) : NULL;
}

struct session *session_next(const struct session *s)
{
        struct connection *c = connection_next(&s->link);

        return c ? session_of(c) : NULL;
}

void sessions_visit(struct sessions *all)
{
        all->last_visit++;
}

void sessions_listen(struct sessions *all, struct session_listener *l)
{
        assert(all->n_listeners < SESSION_LISTENERS_MAX);
        all->listeners[all->n_listeners++] = l;
}

bool sessions_is_self(const struct sessions *all, const struct address *dest)
{
        if (dest->n == 1)
                return span_equal_text(address_get(dest, "app"), "mbus-broker");
        return dest->n > 0 && address_equal(dest, all->self_address);
}

void sessions_tell_joined(struct sessions *all, const struct local_entity *e,
                          const struct address *address)
{
        for (unsigned i = 0; i < all->n_listeners; i++)
                if (all->listeners[i]->on_joined)
                        all->listeners[i]->on_joined(all->listeners[i], e, address);
}

void sessions_tell_left(struct sessions *all, const struct local_entity *e,
                        const struct address *address, enum mbus_reason reason)
{
        for (unsigned i = all->n_listeners; i-- > 0;)
                if (all->listeners[i]->on_left)
                        all->listeners[i]->on_left(all->listeners[i], e, address, reason);
}

void sessions_tell_forgotten(struct sessions *all, struct local_entity *e)
{
        for (unsigned i = all->n_listeners; i-- > 0;)
                if (all->listeners[i]->on_forget)
                        all->listeners[i]->on_forget(all->listeners[i], e);
}
