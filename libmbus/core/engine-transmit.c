/*
 * engine-transmit.c - see engine-transmit.h. RFC 3259, sections 3 (header) and 6.2 (where it goes).
 */
#include "engine-transmit.h"

#include <assert.h>

#include "engine-query.h"
#include "seal.h"

/* Where a message goes: to everybody, unless it is for one entity alone, which is known to have a
 * port of its own, and directed unicast is wanted (6.2). */
struct endpoint endpoint_for(const struct engine *e, const struct address *dest)
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
 * TimeStamps do not fall while SeqNums rise: of two messages of which the second overtakes the
 * first, that would look like a source that started again. An entity that comes back under its
 * address begins again with SeqNum 0, and is told from its former life by later ones. The owner may
 * give a time that is a little behind, as of a message that waited somewhere; a clock that was set
 * back is another matter.
 */
static uint64_t stamp_of(const struct entity *from, uint64_t wall_ms)
{
        uint64_t last = from->stamp_min;

        if (from->sent.open && from->sent.stamp_max > last)
                last = from->sent.stamp_max;
        return last > wall_ms && last - wall_ms < TOMBSTONE_MS ? last : wall_ms;
}

size_t largest_message(const struct engine *e)
{
        return seal_text_max(e->options.crypto, e->options.dialect, e->datagram_max);
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

        assert(out->n_acks <= ACKS_SENT_MAX);
        buffer_clear(&e->text);
        buffer_clear(&e->sealed);
        r = message_format(&spec, out->payload, e->options.dialect, &e->text);
        if (r != 0)
                return r;
        if (e->text.n > largest_message(e)) {
                e->too_large = e->text.n;
                return MBUS_E_TOO_LARGE;
        }
        seal_message(e->options.crypto, e->options.dialect, buffer_span(&e->text), &e->sealed);
        return e->sealed.failed ? -ENOMEM : 0;
}

void observe_message(struct engine *e, struct message *message)
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

        assert(e->text.n > 0 && e->sealed.n > 0);
        replay_window_accept(&from->sent, from->seq, stamp_of(from, wall_ms), WINDOW_NEW);
        ++from->seq;
        if (e->options.dialect == DIALECT_UCL)
                from->seq %= RELIABLE_SEQ_MOD_UCL;
        if (!is_worth_observing(e, out))
                return;
        if (message_new(buffer_span(&e->text), &message, NULL) == 0)
                observe_message(e, message);
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
