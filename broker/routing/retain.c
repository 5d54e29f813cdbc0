/*
 * retain.c - last values, for those who come late.
 */
#include "retain.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
        struct local_entity *entity;
        struct list_node node;
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

static void retained_charge(struct local_entity *e, struct retained *each, size_t n)
{
        quota_take(e->session->link.user, QUOTA_RETAINED, n);
        e->session->routing->retained += n;
        each->charged += n;
}

static void retained_discharge(struct local_entity *e, struct retained *each, size_t n)
{
        assert(each->charged >= n && e->session->routing->retained >= n);
        quota_give_back(e->session->link.user, QUOTA_RETAINED, n);
        e->session->routing->retained -= n;
        each->charged -= n;
}

static bool retained_has_room(struct local_entity *e, size_t n)
{
        enum limit limit = quota_check(e->session->link.user, QUOTA_RETAINED,
                                       e->session->routing->retained, n, 1);

        if (limit)
                connection_log_limit(&e->session->link, limit, "a last value is not kept");
        return limit == LIMIT_NONE;
}

/* ---- names --------------------------------------------------------------------------------- */

static void retained_drop_value(struct routing *routing, struct local_entity *e,
                                struct retained *each)
{
        assert(!each->dest == !each->payload);
        if (!each->dest)
                return;
        assert(routing->n_retained > 0);
        retained_discharge(e, each, each->charged - name_cost(each->name_n));
        free(each->dest);
        free(each->payload);
        each->dest = NULL;
        each->payload = NULL;
        routing->n_retained--;
}

static struct retained **retained_find(struct retainer *retainer, struct span name)
{
        struct retained **link = &retainer->first;

        while (*link && !span_equal((struct span){ (*link)->name, (*link)->name_n }, name))
                link = &(*link)->next;
        return link;
}

static struct retainer *retainer_new(struct routing *routing, struct local_entity *e)
{
        struct retainer *retainer = malloc(sizeof(*retainer));

        if (!retainer)
                return NULL;
        assert(!e->retainer);
        *retainer = (struct retainer){ .entity = e };
        list_push_first(&routing->retainers, &retainer->node);
        e->retainer = retainer;
        return retainer;
}

static void retainer_free(struct routing *routing, struct retainer *retainer)
{
        assert(retainer->n == 0 && !retainer->first);
        list_remove(&routing->retainers, &retainer->node);
        retainer->entity->retainer = NULL;
        free(retainer);
}

int retain_begin(struct routing *routing, struct local_entity *e, struct span name)
{
        struct retainer *retainer = e->retainer;
        struct retained *each;

        if (retainer && *retained_find(retainer, name))
                return 0;
        if (retainer && retainer->n == RETAINED_NAMES_MAX) {
                connection_log_fixed_limit(&e->session->link, FIXED_RETAINED_NAMES,
                                           "no more last values of its entity are kept");
                return MBUS_E_FULL;
        }
        if (!retained_has_room(e, name_cost(name.n)))
                return MBUS_E_FULL;
        each = malloc(sizeof(*each) + name.n);
        if (each && !retainer)
                retainer = retainer_new(routing, e);
        if (!each || !retainer) {
                free(each);
                return -ENOMEM;
        }
        *each = (struct retained){ .next = retainer->first, .name_n = name.n };
        memcpy(each->name, name.at, name.n);
        retainer->first = each;
        retainer->n++;
        assert(retainer->n <= RETAINED_NAMES_MAX);
        retained_charge(e, each, name_cost(name.n));
        return 0;
}

static void retained_end(struct routing *routing, struct local_entity *e, struct retained **link)
{
        struct retained *each = *link;

        retained_drop_value(routing, e, each);
        assert(each->charged == name_cost(each->name_n));
        retained_discharge(e, each, each->charged);
        *link = each->next;
        free(each);
        if (--e->retainer->n == 0)
                retainer_free(routing, e->retainer);
}

void retain_end(struct routing *routing, struct local_entity *e, struct span name)
{
        struct retained **link = e->retainer ? retained_find(e->retainer, name) : NULL;

        if (link && *link)
                retained_end(routing, e, link);
}

void retain_forget(struct routing *routing, struct local_entity *e)
{
        while (e->retainer)
                retained_end(routing, e, &e->retainer->first);
}

/* ---- values -------------------------------------------------------------------------------- */

static void retained_keep(struct routing *routing, struct local_entity *e, struct retained *each,
                          const struct header *h, const struct address *dest, struct span payload)
{
        size_t n = sizeof(*dest) + address_plain_size(dest) + payload.n;

        retained_drop_value(routing, e, each);
        if (!retained_has_room(e, n))
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
        retained_charge(e, each, n);
        routing->n_retained++;
}

void retain_note(struct routing *routing, struct local_entity *e, const struct header *h,
                 const struct address *dest, struct span payload)
{
        struct span rest = payload, name;
        struct retained *each;

        if (!payload_next_name(&rest, &name))
                return;
        each = *retained_find(e->retainer, name);
        if (each)
                retained_keep(routing, e, each, h, dest, payload);
}

static void retained_give(struct routing *routing, const struct local_entity *from,
                          const struct retained *each, const struct local_entity *to)
{
        struct header_spec spec = { .seq = each->seq,
                                    .timestamp = each->timestamp,
                                    .src = local_entity_text(from),
                                    .dest = local_entity_text(to) };

        buffer_clear(&routing->it->text);
        if (message_format(&spec, (struct span){ each->payload, each->n }, DIALECT_RFC3259,
                           &routing->it->text) == 0)
                connection_push_text(&to->session->link, buffer_span(&routing->it->text),
                                     KIND_UNRELIABLE);
}

void retain_give(struct routing *routing, const struct local_entity *to)
{
        const struct address *address = entity_address(to->entity);

        for (const struct list_node *node = routing->retainers.first; node; node = node->next) {
                const struct retainer *from = container_of(node, struct retainer, node);

                for (const struct retained *each = from->first; each; each = each->next)
                        if (each->dest && address_is_subset(each->dest, address))
                                retained_give(routing, from->entity, each, to);
        }
}
