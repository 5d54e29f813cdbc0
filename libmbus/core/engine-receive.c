/*
 * engine-receive.c - a datagram comes in: authentic? new? for us? only then its payload is read.
 */
#include <assert.h>
#include <stdlib.h>

#include "engine-state.h"

/* Time stamps below this are in seconds (errata.md, 34): too coarse for MAX_AGE. */
#define TIMESTAMP_MS_MIN UINT64_C(100000000000)

/* One message on its way through. */
struct inbound {
        uint64_t now;
        uint64_t wall_ms;
        const struct endpoint *from;
        struct span text;
        struct header header;
        uint64_t timestamp;      /* ms */
        struct message *message; /* parsed as a whole, if anybody wants it */
        struct entity *exact;    /* whom it is addressed to in full */
        bool matched;            /* it is addressed to somebody here */
        bool hello, bye, ping;   /* commands of the bus in it */
        bool has_payload;        /* commands for applications in it */
        bool is_old;             /* an old program wrote it, or one that writes for those */
};

static void drop(struct engine *e, enum mbus_drop reason)
{
        ++e->dropped[reason];
}

/* ---- peers come and go ---- */

static bool report_joined(struct engine *e, const struct peer *peer)
{
        struct event event = { .type = EVENT_JOINED, .address = address_dup(peer->entry.address) };

        return event.address && events_push(&e->events, &event) == 0;
}

void leave_peer(struct engine *e, uint64_t now, struct peer *peer, enum mbus_reason reason)
{
        struct event event = { .type = EVENT_LEFT, .reason = reason };
        struct delivery *delivery;

        while ((delivery = send_queue_oldest(&peer->queue)))
                finish_delivery(e, delivery, reason);
        while (peer->acks) {
                struct acks *acks = peer->acks;

                peer->acks = acks->next;
                drop_acks(e, acks);
        }
        event.address = peers_leave(&e->peers, now, peer);
        events_push_reserved(&e->events, &event);
        e->shrunk = true;
}

/* Makes the source of @in known; NULL if it cannot be. */
static struct peer *join_peer(struct engine *e, const struct inbound *in, struct peer *tombstone)
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
        drop(e, MBUS_DROP_PEERS);
        return NULL;
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

/* The source started again under the address it had: its acknowledgements are of the past. False if
 * there is no room: then nothing has happened, and its next message tells again. */
static bool restart_peer(struct engine *e, const struct inbound *in, struct peer *peer)
{
        if (!report_restart(e, peer)) {
                drop(e, MBUS_DROP_EVENTS);
                return false;
        }
        while (peer->acks) {
                struct acks *acks = peer->acks;

                peer->acks = acks->next;
                drop_acks(e, acks);
        }
        peer->joined = in->now;
        peer->hello = 0;
        return true;
}

/* ---- what is in it ---- */

static void scan_commands(struct inbound *in)
{
        const struct payload *payload = &in->message->payload;

        for (size_t i = 0; i < payload->n; ++i) {
                struct span name = payload->commands[i].name;

                if (span_equal_text(name, "mbus.hello"))
                        in->hello = true;
                else if (span_equal_text(name, "mbus.bye"))
                        in->bye = true;
                else if (span_equal_text(name, "mbus.ping"))
                        in->ping = true;
                else
                        in->has_payload = true;
        }
}

/* Whether the owner carries it on, whoever it is for. */
static bool is_relayed(const struct engine *e, const struct inbound *in)
{
        return e->options.owner_relays && !in->header.reliable;
}

/* Whether its commands are for anybody here. What is said to all is for us even without an entity. */
static bool is_for_us(const struct inbound *in)
{
        return in->header.reliable ? in->exact != NULL : in->matched || in->header.dest.n == 0;
}

/* Reads the payload if anybody wants it. False: it is no message. */
static bool read_payload(struct engine *e, struct inbound *in)
{
        bool is_wanted = is_for_us(in) || is_relayed(e, in);
        int r;

        if (!e->observe && (!is_wanted || in->header.payload == in->text.n))
                return true;
        r = message_new(in->text, &in->message, NULL);
        if (r != 0) {
                drop(e, r > 0 ? MBUS_DROP_MALFORMED : MBUS_DROP_EVENTS);
                return false;
        }
        scan_commands(in);
        return true;
}

/*
 * Who is meant. A reliable message is for the one entity whose full address it bears (7); only the
 * old programs, which send it to a subset, are still understood on their own buses.
 */
static void find_recipients(const struct engine *e, struct inbound *in)
{
        struct index_cursor cursor = index_match(&e->locals, &in->header.dest);
        struct entity *first = entity_of_entry(index_next(&cursor));

        in->matched = first != NULL;
        if (!in->header.reliable || !first)
                return;
        if (first->entry.address->n == in->header.dest.n)
                in->exact = first;
        else if (e->options.dialect == DIALECT_UCL && !index_next(&cursor))
                in->exact = first;
        else
                in->exact = entity_of_entry(index_find(&e->locals, &in->header.dest));
}

/* ---- acknowledgements ---- */

static struct acks *find_acks(const struct peer *peer, const struct entity *entity)
{
        struct acks *acks = peer->acks;

        while (acks && acks->entity != entity)
                acks = acks->next;
        return acks;
}

/* The same for @seq, which was just accepted, and perhaps is the first for @entity. */
static struct acks *get_acks(struct peer *peer, struct entity *entity, uint32_t seq)
{
        struct acks *acks = find_acks(peer, entity);

        if (acks)
                return acks;
        acks = acks_new(entity, peer);
        if (acks) {
                acks->before = replay_window_get_past(&peer->window, seq);
                acks->next = peer->acks;
                peer->acks = acks;
                ++entity->n_acks;
        }
        return acks;
}

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
                if (delivery && delivery->queue == &peer->queue)
                        finish_delivery(e, delivery, MBUS_REASON_NONE);
        }
        pump_queue(e, in->now, in->wall_ms, &peer->queue);
}

static void repeat_acks(struct engine *e, const struct inbound *in, struct peer *peer)
{
        struct acks *acks = find_acks(peer, in->exact);

        /* What came before the entity was here is not acknowledged in its name. */
        if (!acks || replay_window_past_has(&acks->before, in->header.seq))
                return;
        acks_repeat(acks, in->now, in->header.seq);
        mark_acks_due(e, acks);
}

/* @peer started again, and only now it shows. What is owed, is owed to its new life. */
static void forget_copies(struct peer *peer)
{
        for (struct acks *acks = peer->acks; acks; acks = acks->next)
                acks_forget_copies(acks);
}

void engine_acknowledge(struct engine *e, uint64_t now, struct entity *entity,
                        const struct address *src, uint32_t seq)
{
        struct peer *peer = peers_find(&e->peers, src);
        struct acks *acks = peer ? find_acks(peer, entity) : NULL;

        (void)now;
        if (acks && acks_release(acks, seq))
                owe_ack(e, acks, seq);
}

void engine_refuse(struct engine *e, struct entity *entity, const struct address *src, uint32_t seq)
{
        struct peer *peer = peers_find(&e->peers, src);
        struct acks *acks = peer ? find_acks(peer, entity) : NULL;

        if (acks && acks_release(acks, seq))
                replay_window_forget(&peer->window, seq);
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
                drop(e, MBUS_DROP_EVENTS);
        }
}

static void deliver(struct engine *e, struct inbound *in, struct peer *peer)
{
        if (in->header.reliable && in->exact) {
                deliver_reliable(e, in, peer);
        } else if (in->header.reliable && in->matched) {
                drop(e, MBUS_DROP_SUBSET);
        } else if (!in->header.reliable && (in->matched || is_relayed(e, in)) && in->has_payload &&
                   push_message(e, in) < 0) {
                drop(e, MBUS_DROP_EVENTS);
        }
        if (in->ping && is_for_us(in))
                engine_answer_ping(e, in->now, &in->header.dest);
}

static void show_observers(struct engine *e, const struct inbound *in)
{
        if (e->observe && in->message &&
            (in->has_payload || in->ping || in->bye || e->observe_hello))
                push_observed(e, message_ref(in->message));
}

/* ---- the way through ---- */

/* Whether it was made before @entity took its address: a former bearer's, sent again by anybody. Of
 * three times that are cut to milliseconds, one more may be missing. */
static bool is_of_former_bearer(const struct inbound *in, const struct entity *entity)
{
        return in->timestamp + (in->now - entity->since) / NSEC_PER_MSEC + 1 < in->wall_ms;
}

/* Somebody else has the address that @entity is to keep (RFC 5227 has the same for those of hosts). Whether he
 * is to have it. */
static bool yields(struct engine *e, const struct inbound *in, struct entity *entity)
{
        uint64_t peace = in->now - entity->defended;

        if (in->now - entity->since < ADDRESS_PROBE_MS * NSEC_PER_MSEC)
                return true;
        if (entity->is_defended && peace < ADDRESS_PEACE_MS * NSEC_PER_MSEC)
                return peace >= ADDRESS_DEFENCE_MS * NSEC_PER_MSEC;
        entity->is_defended = true;
        entity->defended = in->now;
        engine_announce_entity(e, in->now, in->wall_ms, entity);
        return false;
}

/* A message bears the address of one of our own entities. */
static void receive_own(struct engine *e, const struct inbound *in, struct entity *entity)
{
        enum window_verdict verdict =
                replay_window_check(&entity->sent, in->header.seq, in->timestamp);

        if (verdict == WINDOW_NEW || verdict == WINDOW_RESTART)
                verdict = is_of_former_bearer(in, entity) ? WINDOW_STALE : WINDOW_NEW;
        if (verdict == WINDOW_DUPLICATE || verdict == WINDOW_STALE) {
                drop(e, verdict == WINDOW_STALE ? MBUS_DROP_STALE : MBUS_DROP_OWN);
                return;
        }
        if (entity->conflict || in->now < entity->conflict_pause_until ||
            (entity->keeps_address && !yields(e, in, entity)))
                return;
        /* Without memory the next message of the other one tells. */
        entity->conflict = events_push(&e->events, &(struct event){ .type = EVENT_CONFLICT,
                                                                    .entity = entity }) == 0;
        if (!entity->conflict)
                drop(e, MBUS_DROP_EVENTS);
}

static enum window_verdict check_peer(const struct peer *peer, const struct inbound *in)
{
        return in->is_old ? replay_window_check_old(&peer->window, in->header.seq, in->timestamp)
                          : replay_window_check(&peer->window, in->header.seq, in->timestamp);
}

/* A tombstone takes nothing from before it left. What is later than all of that begins anew, whatever
 * its SeqNum: the former life's say nothing about it. */
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
 * Whether messages before it were lost (errata.md, 7). With directed unicast the others are left out of
 * some, and old programs number their messages when these are queued, which is not when they leave.
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
        bool bye = in->bye && is_for_us(in);

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
                        forget_copies(peer);
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
        find_recipients(e, in);
        if (verdict == WINDOW_STALE || is_too_old(e, in)) {
                drop(e, tombstone ? MBUS_DROP_DEPARTED : MBUS_DROP_STALE);
        } else if (verdict == WINDOW_DUPLICATE) {
                drop(e, tombstone ? MBUS_DROP_DEPARTED : MBUS_DROP_DUPLICATE);
                if (peer && in->exact)
                        repeat_acks(e, in, peer);
        } else if (read_payload(e, in)) {
                accept_message(e, in, peer, tombstone, verdict);
        }
}

static const enum mbus_drop drop_of_fault[] = {
        [SEAL_SHORT] = MBUS_DROP_SHORT,       [SEAL_FORMAT] = MBUS_DROP_FORMAT,
        [SEAL_DIGEST] = MBUS_DROP_DIGEST,     [SEAL_CIPHERTEXT] = MBUS_DROP_CIPHERTEXT,
        [SEAL_PROTOCOL] = MBUS_DROP_PROTOCOL,
};

void engine_receive(struct engine *e, uint64_t now, uint64_t wall_ms, const struct endpoint *from,
                    struct span datagram)
{
        struct inbound in;
        enum header_fault fault;
        enum seal_fault seal;

        if (from->own) {
                drop(e, MBUS_DROP_OWN);
                return;
        }
        in = (struct inbound){ .now = now, .wall_ms = wall_ms, .from = from };
        if (datagram.n > DATAGRAM_BUFFER_SIZE)
                datagram.n = 0;
        seal = seal_open(e->options.crypto, datagram, e->scratch, &in.text);
        if (seal != SEAL_OK) {
                drop(e, drop_of_fault[seal]);
                return;
        }
        fault = header_parse(in.text, &in.header, NULL);
        if (fault != HEADER_OK) {
                drop(e, fault == HEADER_VERSION ? MBUS_DROP_VERSION : MBUS_DROP_MALFORMED);
                return;
        }
        e->n_heard++;
        e->n_line_feed += datagram.at[SEAL_OVERHEAD - 2] == '\n';
        in.timestamp = header_timestamp_ms(&in.header);
        in.is_old = seal_is_old(datagram);
        receive_message(e, &in);
        message_unref(in.message);
}
