/*
 * reported.c - see reported.h.
 */
#include "reported.h"

#include <assert.h>
#include <stdlib.h>

#include <core/container.h>
#include <core/limits.h>
#include <io/clock.h>

#include "peer-list.h"

struct reported_peer {
        struct index_entry entry;
        uint64_t since;
        bool stale; /* the link was lost since: not confirmed yet */
};

static struct reported_peer *peer_of(struct index_entry *entry)
{
        return container_of(entry, struct reported_peer, entry);
}

void reported_init(struct reported *r, uint64_t seed, struct watches *watches,
                   struct event_queue *events)
{
        *r = (struct reported){ .watches = watches, .events = events };
        index_init(&r->peers, seed);
}

static void report_left(struct reported *r, const struct address *address, enum mbus_reason reason)
{
        struct mbus_event event = { .type = MBUS_EVENT_LEFT, .reason = reason };
        char *text = address_string(address);

        if (text)
                event_queue_push(r->events, &event, text);
        else
                r->events->failure = -ENOMEM;
}

static void reported_confirm(struct reported *r, struct reported_peer *peer)
{
        assert(r->n_stale >= peer->stale);
        r->n_stale -= peer->stale;
        peer->stale = false;
}

void reported_joined(struct reported *r, const struct address *address, uint64_t since)
{
        struct reported_peer *peer;
        char *text;

        if (!watches_match(r->watches, address))
                return;
        peer = peer_of(index_find(&r->peers, address));
        if (peer) {
                reported_confirm(r, peer);
                return;
        }
        if (r->peers.n >= PEERS_MAX)
                return;
        peer = malloc(sizeof(*peer));
        text = address_string(address);
        if (peer)
                *peer = (struct reported_peer){ .entry = INDEX_ENTRY_INIT, .since = since };
        if (!peer || !text || event_queue_reserve(r->events, 1) < 0 ||
            index_add(&r->peers, &peer->entry, address) < 0) {
                free(peer);
                free(text);
                r->events->failure = -ENOMEM;
                return;
        }
        event_queue_push(r->events, &(struct mbus_event){ .type = MBUS_EVENT_JOINED }, text);
}

static void reported_drop(struct reported *r, struct reported_peer *peer)
{
        reported_confirm(r, peer);
        index_remove(&r->peers, &peer->entry);
        free(peer);
}

void reported_left(struct reported *r, const struct address *address, enum mbus_reason reason)
{
        struct reported_peer *peer = peer_of(index_find(&r->peers, address));

        if (!peer)
                return;
        report_left(r, peer->entry.address, reason);
        reported_drop(r, peer);
}

static void leave_unwatched(struct reported *r, enum mbus_reason reason)
{
        /* From the end: removing fills the gap with the last. */
        for (size_t i = r->peers.n; i > 0; i--) {
                struct reported_peer *peer = peer_of(r->peers.all[i - 1]);

                if (watches_match(r->watches, peer->entry.address))
                        continue;
                report_left(r, peer->entry.address, reason);
                reported_drop(r, peer);
        }
}

void reported_unwatch(struct reported *r, size_t i, enum mbus_reason reason, struct span why)
{
        struct mbus_event event = { .type = MBUS_EVENT_UNWATCHED, .reason = reason };
        char *text = address_string(r->watches->all[i].address);

        if (!text) {
                r->events->failure = -ENOMEM;
                return;
        }
        assert(reason != MBUS_REASON_NONE);
        watches_remove(r->watches, i);
        leave_unwatched(r, reason);
        event.why = why_string(why);
        event_queue_push(r->events, &event, text);
}

void reported_mark(struct reported *r)
{
        for (size_t i = 0; i < r->peers.n; i++)
                peer_of(r->peers.all[i])->stale = true;
        r->n_stale = r->peers.n;
}

void reported_sweep(struct reported *r)
{
        /* From the end: removing fills the gap with the last. */
        for (size_t i = r->peers.n; i > 0 && r->n_stale > 0; i--) {
                struct reported_peer *peer = peer_of(r->peers.all[i - 1]);

                if (!peer->stale)
                        continue;
                report_left(r, peer->entry.address, MBUS_REASON_LINK_DOWN);
                reported_drop(r, peer);
        }
        assert(r->n_stale == 0);
}

void reported_deinit(struct reported *r)
{
        while (r->peers.n > 0)
                reported_drop(r, peer_of(r->peers.all[r->peers.n - 1]));
        index_deinit(&r->peers);
}

int reported_list(const struct reported *r, const struct address *dest, struct mbus_peers *peers)
{
        struct index_cursor cursor = index_match(&r->peers, dest);
        uint64_t now = clock_now();
        struct index_entry *entry;
        int error = 0;

        while (error == 0 && (entry = index_next(&cursor))) {
                uint64_t since = peer_of(entry)->since;

                error = peer_list_add(peers, entry->address, now > since ? now - since : 0);
        }
        return error;
}
