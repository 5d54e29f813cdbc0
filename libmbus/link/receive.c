/*
 * receive.c - see receive.h.
 *
 * Input is read in large pieces and handled in place.
 *
 * A command is the broker's own when it comes from the address that spoke first on the link, which
 * can be nobody else's: nothing passes to a client before it was answered. What the broker says
 * beyond the commands of spec/attach.md, as an entity, is a message like any other.
 */
#include "receive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <core/acks.h>
#include <io/clock.h>

#include "acks.h"
#include "from-broker.h"

/* ---- acknowledgements ---------------------------------------------------------------------- */

static void receive_acks(struct link *l, const struct message *m)
{
        struct span rest = m->header.acks;
        struct ticket ticket;
        uint64_t now = 0;
        uint32_t seq;

        while (l->tickets.n > 0 && acks_next(&rest, &seq)) {
                const struct ticket *found = tickets_find(&l->tickets, seq);

                if (!found || found->attach)
                        continue;
                ticket = *found;
                tickets_remove(&l->tickets, seq);
                if (now == 0)
                        now = clock_now();
                ticket.round_trip = now - ticket.sent_at;
                ticket_end(link_events(l), &ticket, MBUS_REASON_NONE, SPAN_NULL);
        }
}

/* The one entity that @h goes to, but for its source; NULL if there are several, or none. */
static struct link_entity *find_only(const struct link *l, const struct header *h)
{
        struct index_cursor cursor = index_match(&l->attached, &h->dest);
        struct index_entry *entry, *only = NULL;

        while ((entry = index_next(&cursor))) {
                if (only || address_equal(entry->address, &h->src))
                        return NULL;
                only = entry;
        }
        return entity_of_attached(only);
}

/* ---- frames -------------------------------------------------------------------------------- */

/* Whoever speaks first is the broker. */
static bool is_from_broker(struct link *l, const struct message *m)
{
        if (!l->broker)
                l->broker = strndup(m->header.src.text.at, m->header.src.text.n);
        if (!l->broker) {
                link_events(l)->failure = -ENOMEM;
                return false;
        }
        return span_equal_text(m->header.src.text, l->broker);
}

/* No entity takes @m: it is for a part of an address, or who it was for has left meanwhile. */
static void count_unclaimed(struct link *l, const struct message *m)
{
        struct index_cursor cursor = index_match(&l->attached, &m->header.dest);

        l->dropped[index_next(&cursor) ? MBUS_DROP_SUBSET : MBUS_DROP_NOBODY]++;
}

static void receive_reliable(struct link *l, struct message *m, struct link_entity *only)
{
        struct link_entity *entity = only;

        /* It must be the full address; whom it names may be the source itself. */
        if (!only || only->attached.address->n != m->header.dest.n)
                entity = entity_of_attached(index_find(&l->attached, &m->header.dest));
        if (!entity) {
                count_unclaimed(l, m);
                return;
        }
        if (dedup_has(&l->dedup, &m->header)) {
                l->dropped[MBUS_DROP_DUPLICATE]++;
                link_owe_ack(l, entity, m);
                return;
        }
        /* Without memory it is not acknowledged, and the sender hears of a time-out. */
        if (event_queue_message(link_events(l), &entity->base, m) == 0) {
                dedup_note(&l->dedup, &m->header);
                link_owe_ack(l, entity, m);
        } else {
                l->dropped[MBUS_DROP_EVENTS]++;
        }
}

/* To all that match but the one who sent it. */
static void receive_unreliable(struct link *l, struct message *m, struct link_entity *only)
{
        struct index_cursor cursor;
        struct index_entry *entry;
        bool matched = false;

        if (only) {
                if (event_queue_message(link_events(l), &only->base, m) < 0)
                        l->dropped[MBUS_DROP_EVENTS]++;
                return;
        }
        cursor = index_match(&l->attached, &m->header.dest);
        while ((entry = index_next(&cursor))) {
                matched = true;
                if (address_equal(entry->address, &m->header.src))
                        continue;
                if (event_queue_message(link_events(l), &entity_of_attached(entry)->base, m) < 0)
                        l->dropped[MBUS_DROP_EVENTS]++;
        }
        if (!matched)
                l->dropped[MBUS_DROP_NOBODY]++;
}

static void receive_observed(struct link *l, struct message *m)
{
        if (event_queue_observed(link_events(l), m) < 0)
                l->dropped[MBUS_DROP_EVENTS]++;
}

static void pass_on(struct link *l, struct message *m, struct link_entity *only)
{
        if (m->payload.n == 0)
                return;
        assert(!only || only->attached.address);
        if (m->header.reliable)
                receive_reliable(l, m, only);
        else
                receive_unreliable(l, m, only);
}

/* @i is the known header that @m has, or how many there are. The broker's are never among them. */
static void receive_ordinary(struct link *l, struct message *m, size_t i)
{
        receive_acks(l, m);
        if (i < l->headers.n) {
                pass_on(l, m, l->headers.to[i]);
        } else if (!is_from_broker(l, m)) {
                pass_on(l, m, NULL);
                header_cache_add(&l->headers, &m->header, find_only(l, &m->header));
        } else {
                link_on_broker_acks(l, m);
                if (m->payload.n > 0 && !link_on_broker_message(l, m))
                        pass_on(l, m, NULL);
        }
}

/* *@ret_known is which of the known headers it has, or how many there are. */
static int receive_make(struct link *l, struct span text, struct message **ret_message,
                        size_t *ret_known)
{
        size_t size = message_size(text);
        void *memory = pool_take(&l->pool, size);
        int r;

        if (!memory)
                return -ENOMEM;
        assert(l->headers.n <= HEADER_CACHE_MAX);
        r = message_new_in(memory, text, l->headers.headers, l->headers.n, ret_message, ret_known,
                           NULL);
        if (r)
                pool_put(&l->pool, memory, size);
        return r;
}

static void receive_frame(struct link *l, struct span text, bool observed)
{
        struct message *m;
        size_t i;
        int r = receive_make(l, text, &m, &i);

        /* Nobody knows what was in it: an acknowledgement, say, that a ticket waits for. */
        if (r < 0)
                link_events(l)->failure = r;
        if (r != 0) {
                l->dropped[r < 0 ? MBUS_DROP_EVENTS : MBUS_DROP_MALFORMED]++;
                return;
        }
        if (i < l->headers.n)
                m->src_canonical = m->dest_canonical = l->headers.canonical[i];
        if (observed)
                receive_observed(l, m);
        else
                receive_ordinary(l, m, i);
        pool_put_message(&l->pool, m);
}

/* ---- the socket ---------------------------------------------------------------------------- */

/* Reads a piece behind what is left of the last. How many octets, 0 for the end, or -errno. */
static ssize_t receive_fill(struct link *l)
{
        struct link_input *in = &l->in;
        ssize_t n;

        assert(in->at <= in->n && in->n <= LINK_INPUT_SIZE);
        if (in->at > 0) {
                memmove(in->octets, in->octets + in->at, in->n - in->at);
                in->n -= in->at;
                in->at = 0;
        }
        do {
                n = transport_recv(&l->transport, in->octets + in->n, LINK_INPUT_SIZE - in->n);
        } while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        l->alive = true;
        in->n += (size_t)n;
        return n;
}

/* Handles frames that were read, up to *@budget. 0, or -EPROTO if the stream makes no sense. */
static int receive_frames(struct link *l, size_t *budget)
{
        struct link_input *in = &l->in;
        enum frame_status status = FRAME_OK;
        struct span text;
        bool observed;
        size_t n;

        while (*budget > 0 && link_may_read(l)) {
                status = frame_next((struct span){ in->octets + in->at, in->n - in->at }, &text,
                                    &observed, &n);
                if (status != FRAME_OK)
                        break;
                in->at += n;
                --*budget;
                receive_frame(l, text, observed);
        }
        in->more = status == FRAME_OK;
        return status == FRAME_BAD ? -EPROTO : 0;
}

int link_read(struct link *l)
{
        const struct link_input *in = &l->in;
        size_t budget = LINK_PROCESS_MAX;
        int r = receive_frames(l, &budget);

        while (r == 0 && !in->more) {
                size_t room = LINK_INPUT_SIZE - (in->n - in->at);
                ssize_t n = receive_fill(l);

                if (n == -EAGAIN || n == -EWOULDBLOCK)
                        break;
                if (n <= 0)
                        return n < 0 ? (int)n : -EPIPE;
                r = receive_frames(l, &budget);
                /* A short piece was all there is; the next poll knows better than another call. */
                if ((size_t)n < room)
                        break;
        }
        return r;
}
