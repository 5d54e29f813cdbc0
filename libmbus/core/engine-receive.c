/*
 * engine-receive.c - see engine-receive.h.
 */
#include "engine-receive.h"

#include <assert.h>
#include <stdlib.h>

#include "engine-acks.h"
#include "engine-conflict.h"
#include "engine-delivery.h"
#include "engine-hello.h"
#include "engine-local.h"
#include "engine-presence.h"
#include "seal.h"

/* Time stamps below this are in seconds (errata.md, 34): too coarse for MAX_AGE. */
#define TIMESTAMP_MS_MIN UINT64_C(100000000000)

static void take_acks(struct engine *e, const struct inbound *in, struct peer *peer)
{
        struct entity *entity = entity_of_entry(index_find(&e->locals, &in->header.dest));
        struct span rest = in->header.acks;
        struct delivery *delivery;
        uint32_t seq;

        if (!entity)
                return;
        while (acks_next(&rest, &seq)) {
                delivery = retransmitter_find(&e->retransmitter, entity, seq);
                if (delivery && delivery->queue == &peer->queue) {
                        if (in->now > delivery->sent_at)
                                delivery->round_trip = in->now - delivery->sent_at;
                        finish_delivery(e, delivery, MBUS_REASON_NONE);
                }
        }
        pump_queue(e, in->now, in->wall_ms, &peer->queue);
}

/* ---- delivery ---- */

static int push_message(struct engine *e, const struct inbound *in)
{
        struct event event = { .type = EVENT_MESSAGE, .message = message_ref(in->message) };
        int r;

        if (in->exact) {
                event.recipients = malloc(sizeof(*event.recipients));
                r = event.recipients ? 0 : -ENOMEM;
                event.n_recipients = 1;
                if (event.recipients)
                        event.recipients[0] = in->exact;
        } else {
                r = match_locals(e, &in->header.dest, NULL, &event.recipients, &event.n_recipients);
        }
        if (r != 0) {
                event_deinit(&event);
                return r;
        }
        return events_push(&e->events, &event);
}

static void deliver_reliable(struct engine *e, const struct inbound *in, struct peer *peer)
{
        struct acks *acks = get_acks(peer, in->exact, in->header.seq);
        bool withhold = e->options.owner_acknowledges && in->has_payload;
        int r = acks ? 0 : -ENOMEM;

        if (r == 0 && withhold)
                r = acks_withhold(acks, in->header.seq);
        if (r == 0 && in->has_payload) {
                r = push_message(e, in);
                if (r != 0 && withhold)
                        acks_release(acks, in->header.seq);
        }
        if (r == 0 && !withhold)
                owe_ack(e, acks, in->header.seq);
        if (r != 0) {
                /* No room: unseen and not acknowledged, so that the repetition may succeed. */
                replay_window_forget(&peer->window, in->header.seq);
                count_drop(e, MBUS_DROP_EVENTS);
        }
}

static void deliver(struct engine *e, struct inbound *in, struct peer *peer)
{
        if (in->header.reliable && in->exact) {
                deliver_reliable(e, in, peer);
        } else if (in->header.reliable && in->matched) {
                count_drop(e, MBUS_DROP_SUBSET);
        } else if (!in->header.reliable && (in->matched || inbound_is_relayed(e, in)) &&
                   in->has_payload && push_message(e, in) < 0) {
                count_drop(e, MBUS_DROP_EVENTS);
        }
        if (in->ping && inbound_is_for_us(in))
                answer_ping(e, in->now, &in->header.dest);
}

static void show_observers(struct engine *e, const struct inbound *in)
{
        if (e->observe && in->message &&
            (in->has_payload || in->ping || in->bye || e->observe_hello))
                observe_message(e, message_ref(in->message));
}

/* ---- the way through ---- */

static enum window_verdict check_peer(const struct peer *peer, const struct inbound *in)
{
        return in->is_old ? replay_window_check_old(&peer->window, in->header.seq, in->timestamp)
                          : replay_window_check(&peer->window, in->header.seq, in->timestamp);
}

/* A tombstone takes nothing from before it left. What is later than all of that begins anew,
 * whatever its SeqNum: the former life's say nothing about it. */
static enum window_verdict check_tombstone(const struct peer *tombstone, const struct inbound *in)
{
        const struct replay_window *w = &tombstone->window;
        enum window_verdict verdict = replay_window_check(w, in->header.seq, in->timestamp);

        if (verdict != WINDOW_NEW)
                return verdict;
        if (in->timestamp > w->stamp_max)
                return WINDOW_RESTART;
        return replay_window_is_behind(w, in->header.seq) ? WINDOW_STALE : WINDOW_NEW;
}

static bool is_too_old(const struct engine *e, const struct inbound *in)
{
        uint64_t age = in->wall_ms > in->timestamp ? in->wall_ms - in->timestamp : 0;

        return e->options.max_age_ms && in->header.timestamp >= TIMESTAMP_MS_MIN &&
               age > e->options.max_age_ms;
}

/*
 * Whether messages before it were lost (errata.md, 7). With directed unicast the others are left
 * out of some, and old programs number their messages when these are queued, which is not when they
 * leave.
 */
static bool shows_loss(const struct engine *e, const struct inbound *in, const struct peer *peer)
{
        return !in->is_old && !e->options.send_unicast &&
               replay_window_has_gap(&peer->window, in->header.seq);
}

/* The message is new and well-formed. */
static void accept_message(struct engine *e, struct inbound *in, struct peer *peer,
                           struct peer *tombstone, enum window_verdict verdict)
{
        bool bye = in->bye && inbound_is_for_us(in);

        if (!peer && bye) {
                /* A bye makes nobody known; there is nobody to forget. */
                show_observers(e, in);
                return;
        }
        if (!peer)
                peer = join_peer(e, in, tombstone);
        else if (verdict == WINDOW_RESTART && !restart_peer(e, in, peer))
                return;
        if (!peer)
                return;
        if (verdict == WINDOW_NEW) {
                peers_watch_loss(&e->peers, shows_loss(e, in, peer));
                if (replay_window_has_seen(&peer->window, in->header.seq))
                        forget_ack_copies(peer);
        }
        peers_accept(&e->peers, peer, in->header.seq, in->timestamp, verdict);
        peers_heard(&e->peers, peer, in->now, in->from, in->hello);
        show_observers(e, in);
        take_acks(e, in, peer);
        deliver(e, in, peer);
        if (bye)
                leave_peer(e, in->now, peer, MBUS_REASON_BYE);
}

static void receive_message(struct engine *e, struct inbound *in)
{
        struct entity *own = entity_of_entry(index_find(&e->locals, &in->header.src));
        struct peer *peer, *tombstone = NULL;
        enum window_verdict verdict = WINDOW_NEW;

        if (own) {
                receive_own(e, in, own);
                return;
        }
        peer = peers_find(&e->peers, &in->header.src);
        if (!peer)
                peers_forget_old(&e->peers, in->now);
        if (peer)
                verdict = check_peer(peer, in);
        else if ((tombstone = peers_find_departed(&e->peers, &in->header.src)))
                verdict = check_tombstone(tombstone, in);
        inbound_find_recipients(e, in);
        if (verdict == WINDOW_STALE || is_too_old(e, in)) {
                count_drop(e, tombstone ? MBUS_DROP_DEPARTED : MBUS_DROP_STALE);
        } else if (verdict == WINDOW_DUPLICATE) {
                count_drop(e, tombstone ? MBUS_DROP_DEPARTED : MBUS_DROP_DUPLICATE);
                if (peer && in->exact)
                        repeat_acks(e, in->now, peer, in->exact, in->header.seq);
        } else if (inbound_read_payload(e, in)) {
                accept_message(e, in, peer, tombstone, verdict);
        }
}

static const enum mbus_drop drop_of_fault[] = {
        [SEAL_SHORT] = MBUS_DROP_SHORT,       [SEAL_FORMAT] = MBUS_DROP_FORMAT,
        [SEAL_DIGEST] = MBUS_DROP_DIGEST,     [SEAL_CIPHERTEXT] = MBUS_DROP_CIPHERTEXT,
        [SEAL_PROTOCOL] = MBUS_DROP_PROTOCOL,
};

void receive_datagram(struct engine *e, uint64_t now, uint64_t wall_ms, const struct endpoint *from,
                      struct span datagram)
{
        struct inbound in;
        enum header_fault fault;
        enum seal_fault seal;

        if (from->own) {
                count_drop(e, MBUS_DROP_OWN);
                return;
        }
        in = (struct inbound){ .now = now, .wall_ms = wall_ms, .from = from };
        if (datagram.n > DATAGRAM_BUFFER_SIZE)
                datagram.n = 0;
        seal = seal_open(e->options.crypto, datagram, e->scratch, &in.text);
        if (seal != SEAL_OK) {
                count_drop(e, drop_of_fault[seal]);
                return;
        }
        fault = header_parse(in.text, &in.header, NULL);
        if (fault != HEADER_OK) {
                count_drop(e, fault == HEADER_VERSION ? MBUS_DROP_VERSION : MBUS_DROP_MALFORMED);
                return;
        }
        e->n_heard++;
        e->n_line_feed += datagram.at[SEAL_OVERHEAD - 2] == '\n';
        in.timestamp = header_timestamp_ms(&in.header);
        in.is_old = seal_is_old(datagram);
        receive_message(e, &in);
        message_unref(in.message);
}
