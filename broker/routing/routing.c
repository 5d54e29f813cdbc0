/*
 * routing.c - what happens to sessions and entities is passed on to those who remember them here.
 */
#include "routing.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static struct routing *routing_of(struct session_listener *l)
{
        return container_of(l, struct routing, listener);
}

static int routing_on_begin(struct session_listener *l, struct session *s)
{
        assert(!s->routing);
        s->routing = malloc(sizeof(*s->routing));
        if (!s->routing)
                return -ENOMEM;
        *s->routing = (struct session_routing){ .all = routing_of(l) };
        return 0;
}

static void routing_on_end(struct session_listener *l, struct session *s)
{
        presence_forget(routing_of(l), s);
        monitor_unobserve(routing_of(l), s);
        fanouts_forget(s);
        /* Its entities have left, and with them their last values. */
        assert(s->routing->retained == 0);
        free(s->routing);
        s->routing = NULL;
}

static void routing_on_joined(struct session_listener *l, const struct local_entity *e,
                              const struct address *address)
{
        struct routing *routing = routing_of(l);

        fanouts_invalidate(routing);
        presence_joined(routing, e ? e->session : NULL, address);
        patience_note(routing, address);
}

static void routing_on_left(struct session_listener *l, const struct local_entity *e,
                            const struct address *address, enum mbus_reason reason)
{
        struct routing *routing = routing_of(l);

        (void)e;
        fanouts_invalidate(routing);
        presence_left(routing, address, reason);
}

static void routing_on_forget(struct session_listener *l, struct local_entity *e)
{
        patience_forget(routing_of(l), e);
        retain_forget(routing_of(l), e);
}

void routing_init(struct routing *routing, struct sessions *sessions, const struct options *options)
{
        *routing = (struct routing){ .listener = { .on_begin = routing_on_begin,
                                                   .on_end = routing_on_end,
                                                   .on_joined = routing_on_joined,
                                                   .on_left = routing_on_left,
                                                   .on_forget = routing_on_forget },
                                     .sessions = sessions,
                                     .buses = sessions->buses,
                                     .it = sessions->it,
                                     .quota = sessions->net->quota,
                                     .options = options };
        sessions_listen(sessions, &routing->listener);
        sessions->owner.on_frame = router_on_frame;
}

void routing_open(struct routing *routing)
{
        assert(routing->others && routing->commands);
        routing->engine = routing->buses->main.engine;
        patience_open(routing);
}

void routing_say_bye(struct routing *routing)
{
        struct session *s;
        unsigned n = 0;

        /* That all have left is what the end of the connection says; to tell each of each as
         * well would take too long. */
        for (s = sessions_first(routing->sessions); s; s = session_next(s)) {
                presence_forget(routing, s);
                monitor_unobserve(routing, s);
        }
        /* The datagrams go out in between, or a thousand of them would not fit. */
        for (s = sessions_first(routing->sessions); s; s = session_next(s)) {
                while (s->n_entities > 0) {
                        local_entity_free(session_entity(s));
                        if (++n % 1024 == 0)
                                bus_drain(&routing->buses->main);
                }
        }
}

void routing_close(struct routing *routing)
{
        patience_close(routing);
        fanout_free(routing->wide);
        free(routing->matches);
        assert(list_is_empty(&routing->retainers) && routing->n_retained == 0);
        assert(routing->n_observers == 0 && routing->n_filtered == 0);
}

uint64_t routing_deadline(const struct routing *routing)
{
        return patience_deadline(routing);
}
