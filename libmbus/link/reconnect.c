/*
 * reconnect.c - see reconnect.h.
 */
#include "reconnect.h"

#include <assert.h>
#include <stdlib.h>

#include <io/clock.h>

#include "acks.h"
#include "ask.h"
#include "early.h"
#include "flush.h"
#include "output.h"

#define BACKOFF_MAX_TCP (2 * NSEC_PER_SEC)
/* Dither included, a client is back within a second of the broker ... */
#define BACKOFF_MAX (700 * NSEC_PER_MSEC)
/* ... and sooner while the socket's file is there: the broker is too busy or is just starting. */
#define BACKOFF_MAX_QUICK (200 * NSEC_PER_MSEC)
/* A broker on another bus than the one that was named counts questions: ten a minute
 * (PROOFS_MAX). */
#define BACKOFF_OTHER_BUS (8 * NSEC_PER_SEC)
/* A link that was there for less time may not have been of use: what ended it may end the next
 * one, too. */
#define LASTING (3 * NSEC_PER_SEC)

/* What belonged to the link that is lost. The next broker may have other ways. */
static void forget_conversation(struct link *l)
{
        transport_disconnect(&l->transport, l->base.bus);
        l->in.at = l->in.n = 0;
        l->in.more = false;
        link_drop_output(l);
        l->broken = false;
        l->silence = LINK_SILENCE_MS * NSEC_PER_MSEC;
        l->dialect = DIALECT_RFC3259;
        link_set_largest(l, MESSAGE_MAX);
        l->seq = 0;
        free(l->broker);
        l->broker = NULL;
        l->observe_asked = false;
        link_forget_flush(l);
        l->ask_at = TIME_NEVER;
        link_drop_acks(l);
        header_cache_clear(&l->headers);
        for (struct link_entity *e = link_first_entity(l); e; e = link_next_entity(e))
                index_remove(&l->attached, &e->attached);
        assert(l->attached.n == 0);
}

static void retry_later(struct link *l)
{
        double dither = 0.75 + random_unit(&l->random) / 2;

        l->retry_at = clock_now() + (uint64_t)((double)l->backoff * dither);
}

static void back_off(struct link *l, uint64_t max)
{
        l->backoff = l->backoff < max / 2 ? l->backoff * 2 : max;
}

/* Whether the link that is lost was there for a while, or long enough for all that was asked
 * for. Of the first one that is taken for granted. */
static bool was_of_use(const struct link *l)
{
        const struct bus_parts *bus = l->base.bus;
        bool asked = bus->watches.n > 0 || bus->entities.first || bus->observing.on;

        if (l->up_at == 0 || clock_now() - l->up_at >= LASTING)
                return true;
        for (size_t i = 0; i < bus->watches.n; i++)
                if (!bus->watches.all[i].answered)
                        return false;
        for (const struct link_entity *e = link_first_entity(l); e; e = link_next_entity(e))
                if (!e->refused && !e->attached.address)
                        return false;
        return asked && !l->observe_asked;
}

static void end_tickets(struct link *l)
{
        size_t n;
        struct ticket *tickets = tickets_drain(&l->tickets, &n);

        for (size_t i = 0; i < n; i++)
                if (!tickets[i].attach)
                        ticket_end(link_events(l), &tickets[i], MBUS_REASON_LINK_DOWN, SPAN_NULL);
        free(tickets);
        assert(l->tickets.n == 0);
}

void link_down(struct link *l)
{
        bool of_use = was_of_use(l);

        assert(l->transport.fd >= 0);
        forget_conversation(l);
        event_queue_redeem(link_events(l));
        event_queue_push(link_events(l), &(struct mbus_event){ .type = MBUS_EVENT_LINK_DOWN },
                         NULL);
        end_tickets(l);
        /* Whoever was attached and could not send all yet. */
        for (struct link_entity *e = link_first_entity(l); e; e = link_next_entity(e))
                if (e->base.text)
                        early_fail(e, MBUS_REASON_LINK_DOWN, SPAN_NULL);
        reported_mark(&l->base.bus->reported);
        network_forget(&l->network);
        if (of_use)
                l->backoff = LINK_BACKOFF_MIN;
        else
                back_off(l, l->transport.tcp ? BACKOFF_MAX_TCP : BACKOFF_MAX);
        retry_later(l);
}

/* Asks for all that the application has asked for. 0, or what link_attach() said. */
static int ask_again(struct link *l)
{
        struct bus_parts *bus = l->base.bus;
        int r = bus->observing.on ? link_observe(l) : 0;

        for (size_t i = 0; i < bus->watches.n && r == 0; i++)
                r = link_watch(l, &bus->watches.all[i]);
        for (struct link_entity *e = link_first_entity(l); e && r == 0; e = link_next_entity(e)) {
                e->waits = false;
                if (!e->refused)
                        r = link_attach(e, false);
        }
        return r;
}

/* Tries to connect, or goes on with it. 0: it is. */
static int try_again(struct link *l)
{
        struct transport *t = &l->transport;
        int r = transport_connect(t, l->base.bus, &l->retry_at);
        uint64_t max = t->tcp ? BACKOFF_MAX_TCP : r == -ENOENT ? BACKOFF_MAX : BACKOFF_MAX_QUICK;

        if (r == -EKEYREJECTED)
                max = l->backoff = BACKOFF_OTHER_BUS;
        if (r == -EINPROGRESS)
                return r;
        /* Room for the event that it is up, and for the one that it is down again. */
        if (r == 0 && event_queue_reserve(link_events(l), 2) < 0) {
                transport_disconnect(t, l->base.bus);
                r = -ENOMEM;
        }
        if (r < 0) {
                back_off(l, max);
                retry_later(l);
        }
        return r;
}

void link_reconnect(struct link *l)
{
        struct event_queue *events = link_events(l);

        /* Nothing is left of what was before. */
        assert(l->transport.fd < 0 && l->tickets.n == 0 && l->attached.n == 0 && l->n_acks == 0);
        assert(!l->broken && !l->broker && l->out.octets.n == 0);
        if (clock_now() < l->retry_at && !transport_is_connecting(&l->transport))
                return;
        if (try_again(l) != 0)
                return;
        l->up_at = clock_now();
        l->seq = transport_first_seq(&l->transport);
        dedup_expect(&l->dedup, l->up_at);
        /* For the event that it is down: there is one such promise while the link is up. */
        (void)event_queue_promise(events);
        event_queue_push(events, &(struct mbus_event){ .type = MBUS_EVENT_LINK_UP }, NULL);
        if (ask_again(l) != 0)
                link_down(l);
}

int link_ask_for_taken(struct link *l)
{
        int r = 0;

        if (l->ask_at == TIME_NEVER || clock_now() < l->ask_at)
                return 0;
        l->ask_at = TIME_NEVER;
        for (struct link_entity *e = link_first_entity(l); e && r == 0; e = link_next_entity(e)) {
                if (!e->waits)
                        continue;
                e->waits = false;
                r = link_attach(e, false);
        }
        return r == 0 ? 0 : -ENOMEM;
}
