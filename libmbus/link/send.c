/*
 * send.c - see send.h.
 */
#include "send.h"

#include <assert.h>

#include <io/clock.h>

#include "early.h"
#include "output.h"

/* "mbus/1.0 ", SeqNum, TimeStamp, type, spaces, "()" and line ends. */
#define HEADER_REST_MAX 48

static int send_put_reliable(struct link_entity *entity, struct header_spec *spec,
                             struct span payload, uint64_t number)
{
        struct link *l = link_of_entity(entity);
        struct ticket ticket = {
                .entity = entity, .ticket = number, .sent_at = clock_now(), .seq = l->seq
        };
        int r;

        /* Silence counts from when something is awaited. */
        if (l->tickets.n == 0)
                l->alive = true;
        r = tickets_add(&l->tickets, &ticket);
        if (r != 0)
                return r;
        spec->reliable = true;
        r = link_push(l, spec, payload, LINK_OUTPUT_MAX);
        if (r != 0)
                tickets_remove(&l->tickets, ticket.seq);
        return r;
}

/* Counts what a message that may be too large for the bus has. Its SeqNum there is not known
 * here: the longest one is taken. */
static int send_measure(struct link *l, const struct header_spec *spec, struct span payload)
{
        struct header_spec longest = *spec;

        longest.seq = l->dialect == DIALECT_UCL ? RELIABLE_SEQ_MOD_UCL - 1 : UINT32_MAX;
        longest.timestamp = time_of_day_ms(&l->time);
        buffer_clear(&l->measured);
        message_format(&longest, payload, l->dialect, &l->measured);
        if (l->measured.failed)
                return -ENOMEM;
        if (l->measured.n <= l->largest)
                return 0;
        l->too_large = l->measured.n;
        return MBUS_E_TOO_LARGE;
}

/* Whether a message that @spec and @payload make fits the bus, so that an application behaves
 * alike with and without a broker, whoever gets it (6). Nearly all are so small that there is no
 * need to measure. */
static inline int send_check_size(struct link *l, const struct header_spec *spec,
                                  struct span payload)
{
        if (payload.n + spec->src.n + spec->dest.n + HEADER_REST_MAX <= l->surely_fits)
                return 0;
        return send_measure(l, spec, payload);
}

static inline int send_put(struct link_entity *entity, const struct address *dest,
                           struct span payload, uint64_t ticket)
{
        struct header_spec spec = { .src = entity->attached.address->text,
                                    .dest = dest->text,
                                    .reliable = ticket > 0 };
        struct link *l = link_of_entity(entity);
        int r = send_check_size(l, &spec, payload);

        if (r != 0)
                return r;
        /* What waits goes first. */
        assert(ticket < l->next_ticket || list_is_empty(&entity->early));
        if (ticket)
                return send_put_reliable(entity, &spec, payload, ticket);
        r = link_push(l, &spec, payload, LINK_OUTPUT_MAX);
        l->sent.messages += r == 0;
        return r;
}

/* Sends it when @entity is attached. What is known by now is checked now; the rest, with its
 * address, when it is sent. */
static int send_add_early(struct link_entity *entity, const struct address *dest,
                          struct span payload, uint64_t *ret_ticket)
{
        struct header_spec spec = { .src = entity->base.given->text, .dest = dest->text };
        int r = send_check_size(link_of_entity(entity), &spec, payload);

        return r != 0 ? r : early_add(entity, dest, payload, ret_ticket);
}

int link_send(struct mbus_entity *base, const struct address *dest, struct span payload,
              uint64_t *ret_ticket)
{
        struct link_entity *entity = link_entity_of(base);
        struct link *l;
        int r;

        if (early_is_wanted(entity))
                return send_add_early(entity, dest, payload, ret_ticket);
        if (!entity->attached.address)
                return MBUS_E_NOT_READY;
        if (ret_ticket && entity->n_tickets >= RELIABLE_OUTSTANDING_MAX)
                return MBUS_E_FULL;
        l = link_of_entity(entity);
        r = send_put(entity, dest, payload, ret_ticket ? l->next_ticket : 0);
        if (r == 0 && ret_ticket)
                *ret_ticket = l->next_ticket++;
        return r;
}

int link_ping(struct mbus_entity *entity, const struct address *dest)
{
        return link_send(entity, dest, span_of("mbus.ping()"), NULL);
}

void link_send_early(struct link_entity *entity)
{
        const struct early *m;

        while (entity->attached.address && (m = early_first(entity))) {
                int r = send_put(entity, m->dest, (struct span){ m->payload, m->n }, m->ticket);

                if (r == MBUS_E_TOO_LARGE)
                        early_fail_first(entity, MBUS_REASON_MALFORMED);
                else if (r != 0)
                        return; /* there is no room now: later */
                else
                        early_drop_first(entity);
        }
}

void link_send_early_all(struct link *l)
{
        struct link_entity *entity = l->n_early > 0 ? link_first_entity(l) : NULL;

        for (; entity; entity = link_next_entity(entity))
                link_send_early(entity);
}
