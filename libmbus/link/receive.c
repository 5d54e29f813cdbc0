/*
 * receive.c - frames of link mode come in: messages, acknowledgements, what the broker says.
 *
 * A command is the broker's own when it comes from the address that spoke first on the link, which
 * can be nobody else's: nothing passes to a client before it was answered. What the broker says
 * beyond the commands of spec/attach.md, as an entity, is a message like any other.
 */
#include "link.h"

#include <assert.h>
#include <stdlib.h>

/* ---- acknowledgements ---------------------------------------------------------------------- */

void link_finish(struct mbus_bus *bus, const struct ticket *ticket, enum mbus_reason reason,
                 struct span why)
{
        struct mbus_event event = { .type = reason ? MBUS_EVENT_FAILED : MBUS_EVENT_DELIVERED,
                                    .entity = ticket->entity,
                                    .ticket = ticket->ticket,
                                    .reason = reason,
                                    .why = why_string(why) };

        event_queue_push(bus, &event, NULL);
}

void link_fail_silent(struct mbus_bus *bus)
{
        static const char why[] = "the broker does not answer";
        struct link *l = bus->impl;
        size_t n, n_left = 0;
        struct ticket *all = tickets_drain(&l->tickets, &n);

        for (size_t i = 0; i < n; i++) {
                /* What waits for an attachment goes on waiting for it. There was room for it before. */
                if (all[i].attach && tickets_add(&l->tickets, &all[i]) == 0)
                        n_left++;
                else if (all[i].attach)
                        l->broken = true;
                else
                        link_finish(bus, &all[i], MBUS_REASON_TIMEOUT, span_of(why));
        }
        assert(n_left == l->tickets.n);
        free(all);
        /* And does not make it due again at once. */
        l->alive = true;
}

static void on_acks(struct mbus_bus *bus, const struct message *m)
{
        struct link *l = bus->impl;
        struct span rest = m->header.acks;
        struct ticket ticket;
        uint32_t seq;

        while (l->tickets.n > 0 && acks_next(&rest, &seq)) {
                const struct ticket *found = tickets_find(&l->tickets, seq);

                if (!found || found->attach)
                        continue;
                ticket = *found;
                tickets_remove(&l->tickets, seq);
                link_finish(bus, &ticket, MBUS_REASON_NONE, SPAN_NULL);
        }
}

/* ---- headers that came before -------------------------------------------------------------- */

void link_forget_known(struct link *l)
{
        for (size_t i = 0; i < l->known.n; i++)
                free(l->known.texts[i]);
        l->known.n = l->known.next = 0;
}

/* The one entity that @h goes to, but for its source; NULL if there are several, or none. */
static struct mbus_entity *find_only(const struct link *l, const struct header *h)
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

/* Remembers @h, in the place of the oldest. Without memory nothing is remembered, nor is white space
 * without end. */
static void remember(struct link *l, const struct header *h)
{
        const char *from = h->src.text.at;
        size_t dest = (size_t)(h->dest.text.at - from), n = dest + h->dest.text.n;
        struct known *known = &l->known;
        size_t i = known->next;
        char *text = n <= 2 * ADDRESS_TEXT_MAX ? malloc(n) : NULL;

        if (!text)
                return;
        memcpy(text, from, n);
        if (i < known->n)
                free(known->texts[i]);
        else
                known->n++;
        known->next = (i + 1) % LINK_KNOWN;
        known->texts[i] = text;
        known->to[i] = find_only(l, h);
        header_copy(&known->headers[i], h);
        known->headers[i].src.text.at = text;
        known->headers[i].dest.text.at = text + dest;
        known->canonical[i] = address_is_canonical(&h->src) && address_is_canonical(&h->dest);
}

/* ---- frames -------------------------------------------------------------------------------- */

/* Whoever speaks first is the broker. */
static bool is_from_broker(struct mbus_bus *bus, const struct message *m)
{
        struct link *l = bus->impl;

        if (!l->broker)
                l->broker = strndup(m->header.src.text.at, m->header.src.text.n);
        if (!l->broker) {
                bus->failure = -ENOMEM;
                return false;
        }
        return span_equal_text(m->header.src.text, l->broker);
}

/* No entity takes @m: it is for a part of an address, or who it was for has left meanwhile. */
static void count_unclaimed(struct mbus_bus *bus, const struct message *m)
{
        struct link *l = bus->impl;
        struct index_cursor cursor = index_match(&l->attached, &m->header.dest);

        bus->dropped[index_next(&cursor) ? MBUS_DROP_SUBSET : MBUS_DROP_NOBODY]++;
}

static void deliver_reliable(struct mbus_bus *bus, struct message *m, struct mbus_entity *only)
{
        struct link *l = bus->impl;
        struct mbus_entity *entity = only;

        /* It must be the full address; whom it names may be the source itself. */
        if (!only || only->attached.address->n != m->header.dest.n)
                entity = entity_of_attached(index_find(&l->attached, &m->header.dest));
        if (!entity) {
                count_unclaimed(bus, m);
                return;
        }
        if (seen_has(&l->seen, &m->header)) {
                bus->dropped[MBUS_DROP_DUPLICATE]++;
                link_owe_ack(bus, entity, m);
                return;
        }
        /* Without memory it is not acknowledged, and the sender hears of a time-out. */
        if (event_queue_message(bus, entity, m) == 0) {
                seen_note(&l->seen, &m->header);
                link_owe_ack(bus, entity, m);
        } else {
                bus->dropped[MBUS_DROP_EVENTS]++;
        }
}

/* To all that match but the one who sent it. */
static void deliver(struct mbus_bus *bus, struct message *m, struct mbus_entity *only)
{
        struct link *l = bus->impl;
        struct index_cursor cursor;
        struct index_entry *entry;
        bool matched = false;

        if (only) {
                if (event_queue_message(bus, only, m) < 0)
                        bus->dropped[MBUS_DROP_EVENTS]++;
                return;
        }
        cursor = index_match(&l->attached, &m->header.dest);
        while ((entry = index_next(&cursor))) {
                matched = true;
                if (address_equal(entry->address, &m->header.src))
                        continue;
                if (event_queue_message(bus, entity_of_attached(entry), m) < 0)
                        bus->dropped[MBUS_DROP_EVENTS]++;
        }
        if (!matched)
                bus->dropped[MBUS_DROP_NOBODY]++;
}

static void observe(struct mbus_bus *bus, struct message *m)
{
        struct mbus_event event = { .type = MBUS_EVENT_OBSERVED, .time = bus->wall_ns };

        if (event_queue_reserve(&bus->queue, 1) < 0) {
                bus->dropped[MBUS_DROP_EVENTS]++;
                return;
        }
        event.message = (struct mbus_message *)message_ref(m);
        event_queue_push(bus, &event, NULL);
}

static void pass_on(struct mbus_bus *bus, struct message *m, struct mbus_entity *only)
{
        if (m->payload.n == 0)
                return;
        if (m->header.reliable)
                deliver_reliable(bus, m, only);
        else
                deliver(bus, m, only);
}

/* @i is the known header that @m has, or how many there are. The broker's are never among them. */
static void on_message(struct mbus_bus *bus, struct message *m, size_t i)
{
        struct link *l = bus->impl;

        on_acks(bus, m);
        if (i < l->known.n) {
                pass_on(bus, m, l->known.to[i]);
        } else if (!is_from_broker(bus, m)) {
                pass_on(bus, m, NULL);
                remember(l, &m->header);
        } else {
                link_on_broker_acks(bus, m);
                if (m->payload.n > 0 && !link_on_broker_message(bus, m))
                        pass_on(bus, m, NULL);
        }
}

/* *@ret_known is which of the known headers it has, or how many there are. */
static int make_message(struct link *l, struct span text, struct message **ret_message,
                        size_t *ret_known)
{
        size_t size = message_size(text);
        void *memory = stock_take(&l->stock, size);
        int r;

        if (!memory)
                return -ENOMEM;
        r = message_new_in(memory, text, l->known.headers, l->known.n, ret_message, ret_known,
                           NULL);
        if (r)
                stock_put(&l->stock, memory, size);
        return r;
}

void link_on_frame(struct mbus_bus *bus, struct span text, bool observed)
{
        struct link *l = bus->impl;
        struct message *m;
        size_t i;
        int r = make_message(l, text, &m, &i);

        /* Nobody knows what was in it: an acknowledgement, say, that a ticket waits for. */
        if (r < 0)
                bus->failure = r;
        if (r != 0) {
                bus->dropped[r < 0 ? MBUS_DROP_EVENTS : MBUS_DROP_MALFORMED]++;
                return;
        }
        if (i < l->known.n)
                m->src_canonical = m->dest_canonical = l->known.canonical[i];
        if (observed)
                observe(bus, m);
        else
                on_message(bus, m, i);
        stock_put_message(&l->stock, m);
}
