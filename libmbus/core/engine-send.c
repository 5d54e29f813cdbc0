/*
 * engine-send.c - messages go out: numbered, sealed, queued, repeated, acknowledged.
 */
#include <assert.h>
#include <stdlib.h>

#include "engine-state.h"

/* Where a message goes: to everybody, unless it is for one entity alone, which is known to have a
 * port of its own, and directed unicast is wanted (6.2). */
static struct endpoint endpoint_for(const struct engine *e, const struct address *dest)
{
        const struct address *address;
        const struct peer *peer;
        struct entity *local;

        if (!e->options.send_unicast || dest->n == 0)
                return ENDPOINT_GROUP;
        peer = peers_find(&e->peers, dest);
        /* The address of an old peer may be a subset of others'. */
        if (!peer || !peer->endpoint.unique || engine_resolve(e, dest, &local, &address) != 1)
                return ENDPOINT_GROUP;
        return peer->endpoint;
}

/*
 * TimeStamps do not fall while SeqNums rise: of two messages of which the second overtakes the first,
 * that would look like a source that started again. An entity that comes back under its address begins
 * again with SeqNum 0, and is told from its former life by later ones. The owner may give a time that is
 * a little behind, as of a message that waited somewhere; a clock that was set back is another matter.
 */
static uint64_t stamp_of(const struct entity *from, uint64_t wall_ms)
{
        uint64_t last = from->stamp_min;

        if (from->sent.open && from->sent.stamp_max > last)
                last = from->sent.stamp_max;
        return last > wall_ms && last - wall_ms < TOMBSTONE_MS ? last : wall_ms;
}

size_t engine_largest(const struct engine *e)
{
        return seal_text_max(e->options.crypto, e->options.dialect, e->datagram_max);
}

size_t engine_too_large(const struct engine *e)
{
        return e->too_large;
}

int outbound_seal(struct engine *e, uint64_t wall_ms, const struct outbound *out)
{
        struct header_spec spec = { .seq = out->from->seq,
                                    .timestamp = stamp_of(out->from, wall_ms),
                                    .reliable = out->reliable,
                                    .src = out->from->entry.address->text,
                                    .dest = out->dest->text,
                                    .acks = out->acks,
                                    .n_acks = out->n_acks };
        int r;

        buffer_clear(&e->text);
        buffer_clear(&e->sealed);
        r = message_format(&spec, out->payload, e->options.dialect, &e->text);
        if (r != 0)
                return r;
        if (e->text.n > engine_largest(e)) {
                e->too_large = e->text.n;
                return MBUS_E_TOO_LARGE;
        }
        seal_message(e->options.crypto, e->options.dialect, buffer_span(&e->text), &e->sealed);
        return e->sealed.failed ? -ENOMEM : 0;
}

void push_observed(struct engine *e, struct message *message)
{
        struct event event = { .type = EVENT_OBSERVED, .message = message };
        const struct header *h = &message->header;

        if (e->filters &&
            !filters_pass(e->filters, BUS_MAIN, h, span_from(message->text, h->payload)))
                message_unref(message);
        else if (events_push(&e->events, &event) < 0)
                ++e->dropped[MBUS_DROP_EVENTS];
}

static bool is_worth_observing(const struct engine *e, const struct outbound *out)
{
        return e->observe && (e->observe_hello || (out->payload.n > 0 &&
                                                   !span_equal_text(out->payload, "mbus.hello()")));
}

void outbound_sent(struct engine *e, uint64_t wall_ms, const struct outbound *out)
{
        struct entity *from = out->from;
        struct message *message;

        replay_window_accept(&from->sent, from->seq, stamp_of(from, wall_ms), WINDOW_NEW);
        ++from->seq;
        if (e->options.dialect == DIALECT_UCL)
                from->seq %= RELIABLE_SEQ_MOD_UCL;
        if (!is_worth_observing(e, out))
                return;
        if (message_new(buffer_span(&e->text), &message, NULL) == 0)
                push_observed(e, message);
        else
                ++e->dropped[MBUS_DROP_EVENTS];
}

int outbound_send(struct engine *e, uint64_t wall_ms, const struct outbound *out)
{
        struct endpoint to = endpoint_for(e, out->dest);
        int r = outbound_seal(e, wall_ms, out);

        if (r == 0)
                r = outgoing_push(&e->outgoing, buffer_span(&e->sealed), &to);
        if (r == 0)
                outbound_sent(e, wall_ms, out);
        return r;
}

void say_to_all(struct engine *e, uint64_t wall_ms, struct entity *from, const char *command)
{
        struct outbound out = { .from = from, .dest = &ADDRESS_ALL, .payload = span_of(command) };

        if (outbound_send(e, wall_ms, &out) != 0)
                ++e->dropped[MBUS_DROP_SENT];
}

/* ---- unreliable ---- */

int match_locals(const struct engine *e, const struct address *dest, const struct entity *except,
                 struct entity ***ret_entities, size_t *ret_n)
{
        struct index_cursor cursor = index_match(&e->locals, dest);
        struct entity **entities = NULL;
        struct index_entry *entry;
        size_t n = 0;

        while ((entry = index_next(&cursor))) {
                if (entity_of_entry(entry) == except)
                        continue;
                if (!entities)
                        entities = malloc((index_bound(&cursor) + 1) * sizeof(*entities));
                if (!entities)
                        return -ENOMEM;
                entities[n++] = entity_of_entry(entry);
        }
        *ret_entities = entities;
        *ret_n = n;
        return 0;
}

/* The message in e->text goes to local entities, too. */
static int deliver_locally(struct engine *e, struct entity **recipients, size_t n)
{
        struct event event = { .type = EVENT_MESSAGE, .recipients = recipients, .n_recipients = n };
        int r;

        if (n == 0)
                return 0;
        r = message_new(buffer_span(&e->text), &event.message, NULL);
        if (r != 0) {
                free(recipients);
                return r;
        }
        return events_push(&e->events, &event);
}

/* Sends @out, and with it what @acks owes if both fit into one message. */
static int send_with_acks(struct engine *e, uint64_t now, uint64_t wall_ms,
                          const struct outbound *out, struct acks *acks)
{
        struct outbound both = *out;
        int r;

        if (!acks || acks->n_owed == 0)
                return outbound_send(e, wall_ms, out);
        both.acks = acks->owed;
        both.n_acks = acks_batch(acks);
        r = outbound_send(e, wall_ms, &both);
        if (r == 0)
                acks_sent(acks, now, both.n_acks);
        return r == MBUS_E_TOO_LARGE ? outbound_send(e, wall_ms, out) : r;
}

int engine_send(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                const struct address *dest, struct span payload)
{
        struct peer *peer = dest->n ? peers_find(&e->peers, dest) : NULL;
        struct outbound out = { .from = entity, .dest = dest, .payload = payload };
        struct acks *acks = peer ? peer->acks : NULL;
        struct entity **recipients = NULL;
        size_t n = 0;
        int r = 0;

        while (acks && acks->entity != entity)
                acks = acks->next;
        if (!e->options.owner_routes)
                r = match_locals(e, dest, entity, &recipients, &n);
        if (r == 0)
                r = send_with_acks(e, now, wall_ms, &out, acks);
        if (r != 0) {
                free(recipients);
                return r;
        }
        /* The bus has it: that local entities miss it is counted, there if their queue is full. */
        if (deliver_locally(e, recipients, n) < 0)
                ++e->dropped[MBUS_DROP_EVENTS];
        return 0;
}

void engine_answer_ping(struct engine *e, uint64_t now, const struct address *dest)
{
        struct index_cursor cursor = index_match(&e->locals, dest);
        struct index_entry *entry;

        while ((entry = index_next(&cursor))) {
                struct entity *entity = entity_of_entry(entry);

                hello_ping(&entity->hello, now, &e->random);
                deadlines_set(&e->hellos, &entity->deadline, hello_next(&entity->hello));
        }
}

int engine_ping(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                const struct address *dest)
{
        struct outbound out = { .from = entity, .dest = dest, .payload = span_of("mbus.ping()") };
        int r = 0;

        /* RAT dies of it, no old program answers it, and all say hello within the second anyway. */
        if (e->options.dialect != DIALECT_UCL)
                r = outbound_send(e, wall_ms, &out);
        if (r == 0)
                engine_answer_ping(e, now, dest);
        return r;
}

/* ---- acknowledgements ---- */

void mark_acks_due(struct engine *e, struct acks *acks)
{
        if (acks->due || acks->n_owed == 0)
                return;
        acks->due = true;
        acks->next_due = e->acks_due;
        e->acks_due = acks;
}

void owe_ack(struct engine *e, struct acks *acks, uint32_t seq)
{
        /* What does not fit any more is acknowledged when the peer repeats it. */
        acks_owe(acks, seq);
        mark_acks_due(e, acks);
}

void drop_acks(struct engine *e, struct acks *acks)
{
        struct acks **link = &e->acks_due;

        while (acks->due && *link != acks)
                link = &(*link)->next_due;
        if (acks->due)
                *link = acks->next_due;
        --acks->entity->n_acks;
        acks_free(acks);
}

static int send_acks(struct engine *e, uint64_t now, uint64_t wall_ms, struct acks *acks)
{
        struct outbound out = { .from = acks->entity,
                                .dest = acks->peer->entry.address,
                                .acks = acks->owed,
                                .n_acks = acks_batch(acks) };
        int r = outbound_send(e, wall_ms, &out);

        if (r == 0)
                acks_sent(acks, now, out.n_acks);
        return r;
}

void flush_acks(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        while (e->acks_due) {
                struct acks *acks = e->acks_due;

                e->acks_due = acks->next_due;
                acks->due = false;
                acks->next_due = NULL;
                while (acks->n_owed) {
                        if (send_acks(e, now, wall_ms, acks) == 0)
                                continue;
                        /* The peer repeats its messages, and they are acknowledged then. */
                        ++e->dropped[MBUS_DROP_SENT];
                        acks->n_owed = 0;
                }
        }
}

/* ---- reliable ---- */

void finish_delivery(struct engine *e, struct delivery *delivery, enum mbus_reason reason)
{
        struct event event = { .type = reason ? EVENT_FAILED : EVENT_DELIVERED,
                               .entity = delivery->entity,
                               .ticket = delivery->ticket,
                               .reason = reason };

        retransmitter_remove(&e->retransmitter, delivery);
        events_push_reserved(&e->events, &event);
}

void engine_fail_tickets(struct engine *e, struct entity *entity, enum mbus_reason reason)
{
        fail_waiting(e, entity, reason);
        for (size_t i = 0; i < e->peers.known.n; ++i) {
                struct send_queue *queue = &peer_of_entry(e->peers.known.all[i])->queue;

                for (unsigned pass = 0; pass < 2; ++pass) {
                        struct delivery *delivery = pass ? queue->in_flight : queue->waiting, *next;

                        for (; delivery; delivery = next) {
                                next = delivery->next;
                                if (delivery->entity == entity)
                                        finish_delivery(e, delivery, reason);
                        }
                }
        }
}

static int launch(struct engine *e, uint64_t now, uint64_t wall_ms, struct delivery *delivery)
{
        const struct peer *peer = peer_of_queue(delivery->queue);
        struct outbound out = { .from = delivery->entity,
                                .dest = peer->entry.address,
                                .reliable = true,
                                .payload = buffer_span(&delivery->bytes) };
        struct endpoint to = endpoint_for(e, out.dest);
        int error = outbound_seal(e, wall_ms, &out);

        if (error == 0)
                error = retransmitter_launch(&e->retransmitter, delivery, now,
                                             delivery->entity->seq, buffer_span(&e->sealed));
        if (error != 0)
                return error;
        /* With a full queue this transmission is lost; the next comes in T_r. */
        if (outgoing_push(&e->outgoing, buffer_span(&delivery->bytes), &to) != 0)
                ++e->dropped[MBUS_DROP_SENT];
        outbound_sent(e, wall_ms, &out);
        return 0;
}

void pump_queue(struct engine *e, uint64_t now, uint64_t wall_ms, struct send_queue *queue)
{
        struct delivery *delivery;

        while ((delivery = retransmitter_next(&e->retransmitter, queue))) {
                if (launch(e, now, wall_ms, delivery) != 0)
                        finish_delivery(e, delivery, MBUS_REASON_FULL);
        }
}

void repeat_deliveries(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        struct delivery *delivery;

        while ((delivery = retransmitter_due(&e->retransmitter, now))) {
                struct send_queue *queue = delivery->queue;
                struct endpoint to;

                if (retransmitter_is_lost(&e->retransmitter, delivery)) {
                        finish_delivery(e, delivery, MBUS_REASON_TIMEOUT);
                        pump_queue(e, now, wall_ms, queue);
                        continue;
                }
                to = endpoint_for(e, peer_of_queue(queue)->entry.address);
                if (outgoing_push(&e->outgoing, buffer_span(&delivery->bytes), &to) != 0)
                        ++e->dropped[MBUS_DROP_SENT];
                retransmitter_repeated(&e->retransmitter, delivery, now);
        }
}

/* A ticket between two entities of this engine needs no bus. */
static int send_reliable_locally(struct engine *e, uint64_t wall_ms, const struct outbound *out,
                                 struct entity *to, uint64_t ticket)
{
        struct entity **recipients = malloc(sizeof(*recipients));
        int r = recipients ? outbound_seal(e, wall_ms, out) : -ENOMEM;

        if (r != 0) {
                free(recipients);
                return r;
        }
        recipients[0] = to;
        r = deliver_locally(e, recipients, 1);
        if (r != 0)
                return r;
        outbound_sent(e, wall_ms, out);
        events_push_reserved(
                &e->events,
                &(struct event){ .type = EVENT_DELIVERED, .entity = out->from, .ticket = ticket });
        return 0;
}

static int send_reliable_to_peer(struct engine *e, uint64_t now, uint64_t wall_ms,
                                 const struct outbound *out, struct peer *peer, uint64_t ticket)
{
        struct delivery *delivery;
        int r = retransmitter_add(&e->retransmitter, &peer->queue, out->from, ticket, out->payload,
                                  &delivery);

        if (r != 0)
                return r;
        if (retransmitter_next(&e->retransmitter, &peer->queue) == delivery)
                r = launch(e, now, wall_ms, delivery);
        else
                /* Too large? Now the caller can still be told. */
                r = outbound_seal(e, wall_ms, out);
        if (r != 0) {
                retransmitter_remove(&e->retransmitter, delivery);
                return r;
        }
        return 0;
}

int send_reliable_to(struct engine *e, uint64_t now, uint64_t wall_ms, const struct outbound *out,
                     struct entity *local, uint64_t ticket)
{
        if (local)
                return send_reliable_locally(e, wall_ms, out, local, ticket);
        return send_reliable_to_peer(e, now, wall_ms, out, peers_find(&e->peers, out->dest),
                                     ticket);
}

/* What would be too large even to the destination as it is given need not wait for another. */
static int hold(struct engine *e, uint64_t now, uint64_t wall_ms, const struct outbound *out)
{
        int r = outbound_seal(e, wall_ms, out);

        return r ? r : await_destination(e, now, out, e->next_ticket);
}

int engine_send_reliable(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                         const struct address *dest, struct span payload, uint64_t *ret_ticket)
{
        struct outbound out = {
                .from = entity, .dest = dest, .reliable = true, .payload = payload
        };
        const struct address *address = NULL;
        struct entity *local = NULL;
        unsigned n = engine_resolve(e, dest, &local, &address);
        bool waits = must_search(e, now, dest, n, address);
        int r;

        if (n != 1 && !waits)
                return n ? MBUS_E_NOT_UNIQUE : MBUS_E_UNKNOWN;
        if (entity->n_reliable >= RELIABLE_OUTSTANDING_MAX)
                return MBUS_E_FULL;
        assert(waits || !local || !e->options.owner_routes);
        r = events_reserve(&e->events);
        if (r < 0)
                return r;
        if (waits) {
                r = hold(e, now, wall_ms, &out);
        } else {
                out.dest = address;
                r = send_reliable_to(e, now, wall_ms, &out, local, e->next_ticket);
        }
        if (r != 0) {
                events_release(&e->events);
                return r;
        }
        ++entity->n_reliable;
        *ret_ticket = e->next_ticket++;
        return 0;
}
