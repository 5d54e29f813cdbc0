/*
 * engine-presence.c - see engine-presence.h.
 */
#include "engine-presence.h"

#include <stdlib.h>

#include "engine-acks.h"
#include "engine-delivery.h"

static bool report_joined(struct engine *e, const struct peer *peer)
{
        struct event event = { .type = EVENT_JOINED, .address = address_dup(peer->entry.address) };

        return event.address && events_push(&e->events, &event) == 0;
}

struct peer *join_peer(struct engine *e, const struct inbound *in, struct peer *tombstone)
{
        struct peer *peer = tombstone;
        int r = events_reserve(&e->events);

        if (r == 0)
                r = tombstone ? peers_revive(&e->peers, in->now, peer, engine_n_all(e) + 1)
                              : peers_join(&e->peers, in->now, &in->header.src, engine_n_all(e) + 1,
                                           &peer);
        else
                r = -EAGAIN; /* nothing reserved */
        if (r == 0 && report_joined(e, peer)) {
                searches_note(&e->searches, in->now, peer->entry.address);
                return peer;
        }
        if (r == 0)
                free(peers_leave(&e->peers, in->now, peer));
        if (r != -EAGAIN)
                events_release(&e->events);
        count_drop(e, MBUS_DROP_PEERS);
        return NULL;
}

void leave_peer(struct engine *e, uint64_t now, struct peer *peer, enum mbus_reason reason)
{
        struct event event = { .type = EVENT_LEFT, .reason = reason };

        fail_deliveries_to(e, peer, reason);
        drop_all_acks(e, peer);
        event.address = peers_leave(&e->peers, now, peer);
        events_push_reserved(&e->events, &event);
        e->shrunk = true;
}

/* Reports that @peer left and joined: both, or false. */
static bool report_restart(struct engine *e, const struct peer *peer)
{
        struct event left = { .type = EVENT_LEFT, .reason = MBUS_REASON_RESTARTED };
        struct event joined = { .type = EVENT_JOINED };

        if (events_reserve(&e->events) < 0)
                return false;
        left.address = address_dup(peer->entry.address);
        joined.address = address_dup(peer->entry.address);
        if (!left.address || !joined.address) {
                event_deinit(&left);
        } else if (events_push(&e->events, &left) == 0) {
                events_push_reserved(&e->events, &joined);
                return true;
        }
        event_deinit(&joined);
        events_release(&e->events);
        return false;
}

bool restart_peer(struct engine *e, const struct inbound *in, struct peer *peer)
{
        if (!report_restart(e, peer)) {
                count_drop(e, MBUS_DROP_EVENTS);
                return false;
        }
        drop_all_acks(e, peer);
        peer->joined = in->now;
        peer->hello = 0;
        return true;
}

void forget_peer(struct engine *e, struct peer *peer)
{
        struct delivery *delivery;
        struct acks *next;

        while ((delivery = send_queue_oldest(&peer->queue)))
                retransmitter_remove(&e->retransmitter, delivery);
        for (struct acks *acks = peer->acks; acks; acks = next) {
                next = acks->next;
                acks_free(acks);
        }
        peer->acks = NULL;
}
