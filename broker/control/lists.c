/*
 * lists.c - answers that list entities or sessions, told piece by piece (lists.h says why).
 *
 * A session that has written what waited and has a list left stands in control.listing. One whose
 * socket takes no more does not: the socket wakes it. The next iteration makes the next piece: in
 * one a fast reader could be told all of a large list, and everybody else would wait for that.
 */
#include "lists.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

/* A message whose list is told, or waits for the lists before it. */
struct listing {
        struct listing *next;
        size_t at; /* of the command that asked */
        bool answered;
        bool (*tell)(struct request *request, struct list_position *position);
        struct list_position position;
        size_t n; /* octets of the text: the whole message, for its addresses are needed, too */
        char text[];
};

static size_t listing_cost(size_t n)
{
        return sizeof(struct listing) + n;
}

bool lists_take(struct request *request)
{
        struct session *s = request->s;
        size_t n = listing_cost(request->text.n);
        enum limit limit;

        /* It waits already, with another list of the same message. */
        if (request->waits)
                return true;
        limit = quota_check(s->link.user, QUOTA_BYTES, s->control->lists_bytes, n,
                            QUEUE_ANSWERS_FACTOR);
        if (limit == LIMIT_NONE && s->control->lists_bytes + n <= LISTS_BYTES_MAX)
                return true;
        if (limit)
                connection_log_limit(&s->link, limit, "a list that it asks for is not made");
        else
                connection_log_fixed_limit(&s->link, FIXED_LISTS,
                                           "a list that it asks for is not made");
        request_fail(
                request, MBUS_REASON_FULL,
                "too many lists are asked for on this link at a time: ask again when those before "
                "have come");
        return false;
}

void lists_add(struct request *request, size_t at)
{
        struct session *s = request->s;
        struct listing *l = malloc(listing_cost(request->text.n));
        struct listing **last = &s->control->lists;

        assert(request->list && !request->waits);
        if (!l) {
                connection_kill(&s->link, "memory is short");
                return;
        }
        *l = (struct listing){ .at = at,
                               .answered = request->answered,
                               .tell = request->list,
                               .position = { .begun = request->control->sessions->last_entity },
                               .n = request->text.n };
        memcpy(l->text, request->text.at, request->text.n);
        while (*last)
                last = &(*last)->next;
        *last = l;
        s->control->lists_bytes += listing_cost(l->n);
        quota_take(s->link.user, QUOTA_BYTES, listing_cost(l->n));
}

/* Takes the first out. */
static void listing_drop(struct session *s)
{
        struct listing *l = s->control->lists;

        assert(s->control->lists_bytes >= listing_cost(l->n));
        s->control->lists = l->next;
        s->control->lists_bytes -= listing_cost(l->n);
        quota_give_back(s->link.user, QUOTA_BYTES, listing_cost(l->n));
        free(l);
}

/* Whether a piece can be made that waits well within the limits: a list never ends its
 * session. */
static bool listing_has_room(const struct session *s)
{
        return queue_is_empty(&s->link.queue) ||
               (s->link.queue.bytes < LISTS_MARK &&
                queue_check(&s->link.queue, 2 * JOINED_BYTES_MAX, KIND_RELIABLE) == LIMIT_NONE);
}

/* The entity that asked may have left meanwhile. */
static struct local_entity *listing_source(const struct session *s, const struct header *h)
{
        struct local_entity *e = h->src.n > 0 ? local_entity_find(s->all, &h->src) : NULL;

        return e && e->session == s ? e : NULL;
}

/* Tells as much of @l as there is room for, and does the commands behind it. Whether that was
 * all. */
static bool listing_go_on(struct listing *l, struct request *request)
{
        while (request->list && !request->s->link.is_dead && listing_has_room(request->s)) {
                request->command = request->payload->commands + l->at;
                /* Whoever has closed his end for reading still wants what he has asked for
                 * behind. */
                if (!request->s->link.is_half_closed && !request->list(request, &l->position))
                        continue;
                request->list = NULL;
                l->at++;
                l->position =
                        (struct list_position){ .begun = request->control->sessions->last_entity };
                control_run(request, &l->at);
        }
        l->tell = request->list;
        l->answered = request->answered;
        return !request->list;
}

/* The same for the first of the session's. */
static bool listing_go_on_first(struct session *s)
{
        struct payload payload = PAYLOAD_INIT;
        struct listing *l = s->control->lists;
        struct header h;
        struct request request = { .control = s->control->all,
                                   .s = s,
                                   .h = &h,
                                   .text = { l->text, l->n },
                                   .payload = &payload,
                                   .list = l->tell,
                                   .answered = l->answered,
                                   .waits = true };
        bool done;

        /* Both were well-formed when the message came, so only memory can be what is missing. */
        if (header_parse(request.text, &h, NULL) != HEADER_OK ||
            payload_parse(&payload, span_from(request.text, h.payload), NULL)) {
                connection_kill(&s->link, "memory is short");
                return false;
        }
        request.src = listing_source(s, &h);
        done = listing_go_on(l, &request);
        if (done)
                request_end(&request);
        payload_deinit(&payload);
        return done;
}

void lists_go_on(struct session *s)
{
        while (s->control->lists && !s->link.is_dead && listing_has_room(s)) {
                if (!listing_go_on_first(s))
                        return;
                listing_drop(s);
        }
}

void lists_on_room(struct connection *c)
{
        struct session_control *sc = session_of(c)->control;

        if (!sc->lists || sc->is_listing || c->is_dead)
                return;
        sc->is_listing = true;
        list_push_first(&sc->all->listing, &sc->listing_node);
}

void lists_process(struct control *control)
{
        struct list listing = control->listing;
        struct list_node *node;

        control->listing = LIST_INIT;
        while ((node = list_pop(&listing))) {
                struct session_control *sc =
                        container_of(node, struct session_control, listing_node);

                assert(sc->is_listing);
                sc->is_listing = false;
                lists_go_on(sc->session);
        }
}

void lists_forget(struct session *s)
{
        struct session_control *sc = s->control;

        if (sc->is_listing)
                list_remove(&sc->all->listing, &sc->listing_node);
        sc->is_listing = false;
        while (sc->lists)
                listing_drop(s);
}
