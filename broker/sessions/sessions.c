/*
 * sessions.c - sessions begin and end with their connections, and all of them with the broker.
 */
#include "sessions.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct sessions *sessions_of(struct connection_owner *owner)
{
        return container_of(owner, struct sessions, owner);
}

/* ---- they come and go ---------------------------------------------------------------------- */

/* The first @n listeners, in the order in which what ends is told. */
static void end_for(struct session *s, unsigned n)
{
        while (n > 0) {
                struct session_listener *l = s->all->listeners[--n];

                if (l->on_end)
                        l->on_end(l, s);
        }
}

static struct connection *sessions_on_new(struct connection_owner *owner, struct rights *rights)
{
        struct sessions *all = sessions_of(owner);
        struct session *s = malloc(sizeof(*s));

        if (!s)
                return NULL;
        *s = (struct session){ .all = all, .rights = rights };
        for (unsigned i = 0; i < all->n_listeners; i++) {
                struct session_listener *l = all->listeners[i];

                if (l->on_begin && l->on_begin(l, s)) {
                        end_for(s, i);
                        free(s);
                        return NULL;
                }
        }
        return &s->link;
}

static void sessions_on_end(struct connection *c)
{
        struct session *s = session_of(c);

        while (s->entities.first)
                local_entity_free(session_entity(s));
        end_for(s, s->all->n_listeners);
        assert(s->n_entities == 0);
        /* Each reliable message has ended: RFC 3259, 7, leaves nobody waiting for ever. */
        assert(s->n_tickets == 0 && s->bytes_in_flight == 0);
        /* Whoever hung something here in on_begin has taken it away. */
        assert(!s->routing && !s->control);
        free(s->rights);
        s->rights = NULL;
}

static void sessions_on_gap(struct connection *c, enum kind kind, uint64_t n,
                            struct buffer *ret_frame)
{
        reply_format_dropped(session_of(c), n, kind == KIND_COPY ? "copies" : "full", ret_frame);
}

static void sessions_on_silence(struct connection *c)
{
        reply_say(session_of(c), SPAN_NULL);
}

static void sessions_on_refusal(struct connection_owner *owner, int fd, const char *why)
{
        reply_refuse_connection(sessions_of(owner), fd, why);
}

/* ---- the broker begins and ends ------------------------------------------------------------ */

void sessions_init(struct sessions *all, struct iteration *it, struct connections *net,
                   struct buses *buses)
{
        *all = (struct sessions){ .owner = { .on_new = sessions_on_new,
                                             .on_gap = sessions_on_gap,
                                             .on_silence = sessions_on_silence,
                                             .on_end = sessions_on_end,
                                             .on_refusal = sessions_on_refusal },
                                  .it = it,
                                  .net = net,
                                  .buses = buses,
                                  .acknowledgements = DEADLINES_INIT,
                                  .denials_at = TIME_NEVER };
        reliable_init(all);
}

int sessions_open(struct sessions *all)
{
        const char *host = udp_host_id(all->buses->main.udp);
        struct address address;
        char text[256];
        int n;

        assert(!all->self);
        all->engine = all->buses->main.engine;
        /* Only a broker that died a moment ago can have had this id. */
        for (unsigned i = 0; i < 100; i++) {
                n = snprintf(text, sizeof(text), "(app:mbus-broker id:%ld-%u@%s)", (long)getpid(),
                             i, host);
                if (address_parse((struct span){ text, (size_t)n }, STRICT, &address, NULL, NULL))
                        break;
                if (local_entity_new(all, NULL, &address, &all->self))
                        continue;
                all->self_address = entity_address(all->self->entity);
                return 0;
        }
        log_error("the broker cannot be an entity of the bus");
        return EXIT_NO_BUS;
}

void sessions_leave(struct sessions *all)
{
        all->self = local_entity_free(all->self);
        all->self_address = NULL;
}

void sessions_close(struct sessions *all)
{
        assert(!all->self);
        assert(list_is_empty(&all->senders));
        deadlines_deinit(&all->acknowledgements);
}
