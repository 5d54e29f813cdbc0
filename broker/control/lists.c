/*
 * lists.c - answers that list entities or links, told piece by piece (lists.h says why).
 *
 * A link that has written what waited and has a list left stands in broker.listing. One whose socket
 * takes no more does not: the socket wakes it. The next turn makes the next piece: in one turn a fast
 * reader could be told all of a large list, and everybody else would wait for that.
 */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

#include "control.h"

/* A message whose list is told, or waits for the lists before it. */
struct listing {
        struct listing *next;
        size_t at; /* of the command that asked */
        bool answered;
        bool (*tell)(struct request *r, struct list_place *place);
        struct list_place place;
        size_t n; /* octets of the text: the whole message, for its addresses are needed, too */
        char text[];
};

static size_t cost(size_t n)
{
        return sizeof(struct listing) + n;
}

bool lists_take(struct request *r)
{
        struct client *c = r->c;
        size_t n = cost(r->text.n);
        enum limit limit;

        /* It waits already, with another list of the same message. */
        if (r->waits)
                return true;
        limit = quota_check(c->user, QUOTA_BYTES, c->lists_bytes, n, QUEUE_ANSWERS_FACTOR);
        if (limit == LIMIT_NONE && c->lists_bytes + n <= LISTS_BYTES_MAX)
                return true;
        if (limit)
                client_log_limit(c, limit, "a list that it asks for is not made");
        else
                client_log_fixed_limit(c, FIXED_LISTS, "a list that it asks for is not made");
        control_fail(
                r, MBUS_REASON_FULL,
                "too many lists are asked for on this link at a time: ask again when those before "
                "have come");
        return false;
}

void lists_add(struct request *r, size_t at)
{
        struct client *c = r->c;
        struct listing *l = malloc(cost(r->text.n));
        struct listing **last = &c->lists;

        if (!l) {
                client_kill(c, "memory is short");
                return;
        }
        *l = (struct listing){ .at = at,
                               .answered = r->answered,
                               .tell = r->list,
                               .place = { .begun = r->b->generation },
                               .n = r->text.n };
        memcpy(l->text, r->text.at, r->text.n);
        while (*last)
                last = &(*last)->next;
        *last = l;
        c->lists_bytes += cost(l->n);
        quota_take(c->user, QUOTA_BYTES, cost(l->n));
}

/* Takes the first out. */
static void drop(struct client *c)
{
        struct listing *l = c->lists;

        c->lists = l->next;
        c->lists_bytes -= cost(l->n);
        quota_give_back(c->user, QUOTA_BYTES, cost(l->n));
        free(l);
}

/* Whether a piece can be made that waits well within the limits: a list never closes its link. */
static bool has_room(const struct client *c)
{
        return queue_is_empty(&c->queue) ||
               (c->queue.bytes < LISTS_MARK &&
                queue_check(&c->queue, 2 * JOINED_BYTES_MAX, KIND_RELIABLE) == LIMIT_NONE);
}

/* The entity that asked may have left meanwhile. */
static struct attachment *find_source(const struct client *c, const struct header *h)
{
        struct attachment *a = h->src.n > 0 ? attachment_find(c->broker, &h->src) : NULL;

        return a && a->client == c ? a : NULL;
}

/* Tells as much of @l as there is room for, and does the commands behind it. Whether that was all. */
static bool go_on(struct listing *l, struct request *r)
{
        while (r->list && !r->c->dead && has_room(r->c)) {
                r->command = r->payload->commands + l->at;
                /* Whoever has closed his end for reading still wants what he has asked for behind. */
                if (!r->c->deaf && !r->list(r, &l->place))
                        continue;
                r->list = NULL;
                l->at++;
                l->place = (struct list_place){ .begun = r->b->generation };
                control_run(r, &l->at);
        }
        l->tell = r->list;
        l->answered = r->answered;
        return !r->list;
}

/* The same for the first of the link's. */
static bool go_on_first(struct client *c)
{
        struct payload payload = PAYLOAD_INIT;
        struct listing *l = c->lists;
        struct header h;
        struct request r = { .b = c->broker,
                             .c = c,
                             .h = &h,
                             .text = { l->text, l->n },
                             .payload = &payload,
                             .list = l->tell,
                             .answered = l->answered,
                             .waits = true };
        bool done;

        /* Both were well-formed when the message came. */
        if (header_parse(r.text, &h, NULL) != HEADER_OK ||
            payload_parse(&payload, span_from(r.text, h.payload), NULL)) {
                client_kill(c, "memory is short");
                return false;
        }
        r.src = find_source(c, &h);
        done = go_on(l, &r);
        if (done)
                control_end(&r);
        payload_deinit(&payload);
        return done;
}

void lists_go_on(struct client *c)
{
        while (c->lists && !c->dead && has_room(c)) {
                if (!go_on_first(c))
                        return;
                drop(c);
        }
}

void lists_wake(struct client *c)
{
        if (!c->lists || c->listing || c->dead)
                return;
        c->listing = true;
        c->next_listing = c->broker->listing;
        c->broker->listing = c;
}

void lists_go_on_all(struct broker *b)
{
        struct client *c, *next = b->listing;

        b->listing = NULL;
        while ((c = next)) {
                next = c->next_listing;
                c->listing = false;
                lists_go_on(c);
        }
}

void lists_forget(struct client *c)
{
        struct client **link = &c->broker->listing;

        while (c->listing && *link != c)
                link = &(*link)->next_listing;
        if (c->listing)
                *link = c->next_listing;
        c->listing = false;
        while (c->lists)
                drop(c);
}
