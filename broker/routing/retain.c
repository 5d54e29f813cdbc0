/*
 * retain.c - last values, for those who come late.
 */
#include "retain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <broker/broker.h>

struct retained {
        struct retained *next;
        struct address *dest; /* NULL: nothing was sent yet */
        char *payload;
        size_t n;
        uint32_t seq;
        uint64_t timestamp;
        size_t charged;
        size_t name_n;
        char name[];
};

/* An entity with names; all of them are in a list. */
struct retainer {
        struct attachment *attachment;
        struct retainer *previous;
        struct retainer *next;
        struct retained *first;
        unsigned n;
};

/* ---- what it costs ------------------------------------------------------------------------- */

/* A name is compared with every newcomer, which is what it counts for, or else for its length. */
static size_t name_cost(size_t n)
{
        size_t memory = sizeof(struct retained) + n;

        return memory > RETAINED_COST ? memory : RETAINED_COST;
}

static void charge(struct attachment *a, struct retained *each, size_t n)
{
        quota_take(a->client->user, QUOTA_RETAINED, n);
        a->client->retained += n;
        each->charged += n;
}

static void give_back(struct attachment *a, struct retained *each, size_t n)
{
        quota_give_back(a->client->user, QUOTA_RETAINED, n);
        a->client->retained -= n;
        each->charged -= n;
}

static bool has_room(struct attachment *a, size_t n)
{
        enum limit limit = quota_check(a->client->user, QUOTA_RETAINED, a->client->retained, n, 1);

        if (limit)
                client_log_limit(a->client, limit, "a last value is not kept");
        return limit == LIMIT_NONE;
}

/* ---- names --------------------------------------------------------------------------------- */

static void drop_value(struct broker *b, struct attachment *a, struct retained *each)
{
        if (!each->dest)
                return;
        give_back(a, each, each->charged - name_cost(each->name_n));
        free(each->dest);
        free(each->payload);
        each->dest = NULL;
        each->payload = NULL;
        b->n_retained--;
}

static struct retained **find(struct retainer *retainer, struct span name)
{
        struct retained **link = &retainer->first;

        while (*link && !span_equal((struct span){ (*link)->name, (*link)->name_n }, name))
                link = &(*link)->next;
        return link;
}

static struct retainer *retainer_new(struct broker *b, struct attachment *a)
{
        struct retainer *retainer = malloc(sizeof(*retainer));

        if (!retainer)
                return NULL;
        *retainer = (struct retainer){ .attachment = a, .next = b->retainers };
        if (retainer->next)
                retainer->next->previous = retainer;
        b->retainers = retainer;
        a->retainer = retainer;
        return retainer;
}

static void retainer_free(struct broker *b, struct retainer *retainer)
{
        if (retainer->previous)
                retainer->previous->next = retainer->next;
        else
                b->retainers = retainer->next;
        if (retainer->next)
                retainer->next->previous = retainer->previous;
        retainer->attachment->retainer = NULL;
        free(retainer);
}

int retain_begin(struct broker *b, struct attachment *a, struct span name)
{
        struct retainer *retainer = a->retainer;
        struct retained *each;

        if (retainer && *find(retainer, name))
                return 0;
        if (retainer && retainer->n == RETAINED_NAMES_MAX) {
                client_log_fixed_limit(a->client, FIXED_RETAINED_NAMES,
                                       "no more last values of its entity are kept");
                return MBUS_E_FULL;
        }
        if (!has_room(a, name_cost(name.n)))
                return MBUS_E_FULL;
        each = malloc(sizeof(*each) + name.n);
        if (each && !retainer)
                retainer = retainer_new(b, a);
        if (!each || !retainer) {
                free(each);
                return -ENOMEM;
        }
        *each = (struct retained){ .next = retainer->first, .name_n = name.n };
        memcpy(each->name, name.at, name.n);
        retainer->first = each;
        retainer->n++;
        charge(a, each, name_cost(name.n));
        return 0;
}

static void end(struct broker *b, struct attachment *a, struct retained **link)
{
        struct retained *each = *link;

        drop_value(b, a, each);
        give_back(a, each, each->charged);
        *link = each->next;
        free(each);
        if (--a->retainer->n == 0)
                retainer_free(b, a->retainer);
}

void retain_end(struct broker *b, struct attachment *a, struct span name)
{
        struct retained **link = a->retainer ? find(a->retainer, name) : NULL;

        if (link && *link)
                end(b, a, link);
}

void retain_forget(struct broker *b, struct attachment *a)
{
        while (a->retainer)
                end(b, a, &a->retainer->first);
}

/* ---- values -------------------------------------------------------------------------------- */

static void keep(struct broker *b, struct attachment *a, struct retained *each,
                 const struct header *h, const struct address *dest, struct span payload)
{
        size_t n = sizeof(*dest) + address_plain_size(dest) + payload.n;

        drop_value(b, a, each);
        if (!has_room(a, n))
                return;
        each->payload = malloc(payload.n);
        each->dest = each->payload ? address_dup(dest) : NULL;
        if (!each->dest) {
                free(each->payload);
                each->payload = NULL;
                return;
        }
        memcpy(each->payload, payload.at, payload.n);
        each->n = payload.n;
        each->seq = h->seq;
        each->timestamp = h->timestamp;
        charge(a, each, n);
        b->n_retained++;
}

void retain_note(struct broker *b, struct attachment *a, const struct header *h,
                 const struct address *dest, struct span payload)
{
        struct span rest = payload, name;
        struct retained *each;

        if (!payload_next_name(&rest, &name))
                return;
        each = *find(a->retainer, name);
        if (each)
                keep(b, a, each, h, dest, payload);
}

static void give(struct broker *b, const struct attachment *from, const struct retained *each,
                 const struct attachment *to)
{
        struct header_spec spec = { .seq = each->seq,
                                    .timestamp = each->timestamp,
                                    .src = attachment_text(from),
                                    .dest = attachment_text(to) };

        buffer_clear(&b->it.text);
        if (message_format(&spec, (struct span){ each->payload, each->n }, DIALECT_RFC3259,
                           &b->it.text) == 0)
                client_push_text(to->client, buffer_span(&b->it.text), KIND_UNRELIABLE);
}

void retain_give(struct broker *b, const struct attachment *to)
{
        const struct address *address = entity_address(to->entity);

        for (const struct retainer *r = b->retainers; r; r = r->next)
                for (const struct retained *each = r->first; each; each = each->next)
                        if (each->dest && address_is_subset(each->dest, address))
                                give(b, r->attachment, each, to);
}
