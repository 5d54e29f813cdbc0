/*
 * router.c - where a message goes: from a link to links and the bus, and from the bus to links.
 *
 * The way of an unreliable message between two links is the one that must be short: its route is
 * remembered (passage.c), each recipient's queue gets a reference to the very octets that were read,
 * and nothing is parsed, looked up, allocated or copied.
 */
#include "router.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <core/frame.h>

#include <broker/bridge/bridge.h>
#include <broker/broker.h>
#include <broker/control/control.h>
#include "monitor.h"
#include "patience.h"
#include <broker/sessions/reliable.h>
#include "retain.h"

/* ---- acknowledgements ---------------------------------------------------------------------- */

/* What of an AckList is passed on: what the recipient waited for from this sender. */
struct true_acks {
        uint32_t seqs[ACKS_MAX];
        size_t n;
        bool all; /* nothing else is in the list */
};

/* Takes the acknowledgements off. Those for a client are passed on. */
static void take_acks(struct passage *p, struct true_acks *ret_acks)
{
        struct attachment *to = p->route->only;
        struct span rest = p->h.acks;
        uint32_t seq;

        ret_acks->n = 0;
        ret_acks->all = true;
        while (acks_next(&rest, &seq)) {
                if (to && !to->proxy && reliable_acknowledge(p->b, to, seq, p->route->src)) {
                        ret_acks->seqs[ret_acks->n++] = seq;
                        continue;
                }
                ret_acks->all = false;
                if (!to)
                        engine_acknowledge(p->b->engine, p->b->it.now, p->route->src->entity,
                                           &p->route->dest, seq);
                else if (!to->proxy || !bridge_acknowledge(to->proxy, seq, p->route->src))
                        p->b->counts[COUNT_ACK]++;
        }
}

/* The message is not passed on as it is, but its acknowledgements must be. */
static void pass_acks_alone(struct passage *p, const struct true_acks *acks)
{
        if (acks->n > 0)
                control_acknowledge(p->b, p->route->only->client, attachment_text(p->route->src),
                                    attachment_text(p->route->only), acks->seqs, acks->n);
}

/* The same message without acknowledgements, in the shared chunk: clients believe those that they get. False
 * if memory is short. */
static bool strip_acks(struct passage *p)
{
        size_t before = (size_t)(p->h.acks.at - p->text.at);
        size_t n = p->n - p->h.acks.n + 2;
        char *at = iteration_reserve(&p->b->it, n), *to = at;

        if (!at)
                return false;
        frame_put_length(to, n - FRAME_HEADER_SIZE, false);
        to += FRAME_HEADER_SIZE;
        memcpy(to, p->text.at, before);
        memcpy(to + before, "()", 2);
        memcpy(to + before + 2, p->h.acks.at + p->h.acks.n, p->text.n - before - p->h.acks.n);
        p->text = (struct span){ to, n - FRAME_HEADER_SIZE };
        p->payload = span_from(p->text, p->text.n - p->payload.n);
        p->h.acks = (struct span){ to + before, 2 };
        p->chunk = p->b->it.chunk;
        p->at = p->b->it.chunk->n;
        p->n = n;
        p->b->it.chunk->n += n;
        return true;
}

/* ---- to the bus ---------------------------------------------------------------------------- */

static bool goes_to_bus(const struct passage *p)
{
        const struct route *route = p->route;

        if (route->only)
                return false;
        if (route->is_peer || p->b->options.multicast == MULTICAST_ALWAYS)
                return true;
        return p->b->options.multicast == MULTICAST_WHEN_REMOTE && route->has_peers;
}

/* Sends to the bus what passage_judge() passed. Whether it got there. */
static bool send_to_bus(struct passage *p, enum verdict verdict)
{
        struct broker *b = p->b;
        struct entity *src = p->route->src->entity;
        int r;

        if (verdict == VERDICT_PING)
                r = engine_ping(b->engine, b->it.now, b->it.wall_ms, src, &p->route->dest);
        else
                r = engine_send(b->engine, b->it.now, header_timestamp_ms(&p->h), src, &p->route->dest,
                                p->payload);
        if (r)
                broker_count(b, COUNT_BUS_FULL, p->c,
                             r == MBUS_E_TOO_LARGE
                                     ? "a message is too large for the bus"
                                     : "messages come faster than the bus takes them");
        return r == 0;
}

/* ---- unreliable ---------------------------------------------------------------------------- */

/* The last value of what goes to a group is kept for those who come late. */
static void retain(const struct passage *p)
{
        if (!p->route->only && !p->route->is_peer)
                retain_note(p->b, p->route->src, &p->h, &p->route->dest, p->payload);
}

static void forward(struct passage *p)
{
        struct route *route = p->route;
        bool to_bus = goes_to_bus(p), sent = false;
        enum verdict verdict;

        if (!passage_fits(p))
                return;
        verdict = passage_judge(p, to_bus || route->exported);

        if (verdict == VERDICT_STOP)
                return;
        if (verdict == VERDICT_PING && route->only) {
                engine_answer_ping(p->b->engine, p->b->it.now, &route->dest);
        } else {
                for (size_t i = 0; i < route->n && verdict == VERDICT_PASS; i++)
                        client_push(route->clients[i], p->chunk, p->at, p->n, KIND_UNRELIABLE);
                if (route->src->retainer && verdict == VERDICT_PASS)
                        retain(p);
                if (to_bus || verdict == VERDICT_PING)
                        sent = send_to_bus(p, verdict);
                if (route->exported && verdict == VERDICT_PASS)
                        bridge_forward(p->b, route->src, &route->dest, header_timestamp_ms(&p->h),
                                       p->payload);
        }
        if (!sent)
                monitor_copy(&p->b->bus, p->text, false);
}

/* ---- reliable ------------------------------------------------------------------------------ */

/* The same message to the full address; its frame goes into the shared chunk. */
static int rewrite(struct passage *p, const struct attachment *target)
{
        struct broker *b = p->b;
        struct header_spec spec = { .seq = p->h.seq,
                                    .timestamp = p->h.timestamp,
                                    .reliable = true,
                                    .src = attachment_text(p->route->src),
                                    .dest = attachment_text(target) };

        buffer_clear(&b->it.text);
        if (message_format(&spec, p->payload, DIALECT_RFC3259, &b->it.text))
                return MBUS_E_FULL;
        if (b->it.text.n > FRAME_MAX)
                return MBUS_E_TOO_LARGE;
        return client_push_text(target->client, buffer_span(&b->it.text), KIND_RELIABLE);
}

/* What rewrite() made does not fit: no queue is full, nor would it be of use to try again. */
static void refuse_rewritten(struct passage *p)
{
        char why[128];

        snprintf(why, sizeof(why),
                 "it is too large: with the full address of its receiver it has %zu octets, "
                 "and may have %d",
                 p->b->it.text.n, FRAME_MAX);
        passage_undelivered(p, MBUS_REASON_MALFORMED, why);
}

/* The broker itself is meant. The command may free the entity it came from, and with it the address;
 * the one in the frame stays. */
static void command_self(struct passage *p, struct attachment *src)
{
        if (header_parse(p->text, &p->h, NULL) == HEADER_OK)
                control_message(p->b, p->c, &p->h, src, p->payload);
}

void router_refuse_more(struct passage *p, int r)
{
        if (r == MBUS_E_MALFORMED)
                passage_undelivered(p, MBUS_REASON_MALFORMED, "SeqNums on a link must rise");
        else if (r == MBUS_E_FULL)
                passage_undelivered(p, MBUS_REASON_FULL,
                                    "too many reliable messages are under way");
        else if (r == MBUS_E_TOO_LARGE)
                passage_undelivered(p, MBUS_REASON_FULL,
                                    "too many octets of reliable messages are under way");
        else
                passage_undelivered(p, MBUS_REASON_FULL, "the broker's memory is short");
}

/* To an entity of another bus. */
static void forward_reliable_away(struct passage *p, const struct attachment *target)
{
        struct attachment *src = p->route->src;
        int r;

        if (p->payload.n == 0) {
                passage_undelivered(p, MBUS_REASON_MALFORMED, "there is no command in it");
                return;
        }
        if (passage_judge(p, true) == VERDICT_STOP)
                return;
        r = reliable_check(
                p->c, reliable_size(attachment_text(src), attachment_text(target), p->payload));
        if (r) {
                router_refuse_more(p, r);
                return;
        }
        r = bridge_send_reliable(src, target->proxy, p->h.seq, header_timestamp_ms(&p->h),
                                 p->payload);
        if (r == MBUS_E_UNKNOWN)
                passage_undelivered(
                        p, MBUS_REASON_DENIED,
                        "it could not answer: that takes a ROUTE= of the broker from its "
                        "bus to this one");
        else if (r == MBUS_E_TOO_LARGE)
                passage_undelivered(p, MBUS_REASON_MALFORMED, "it is too large for a datagram");
        else if (r)
                passage_undelivered(p, MBUS_REASON_FULL, "a queue on the way is full");
        else
                monitor_copy(&p->b->bus, p->text, false);
}

static void forward_reliable_locally(struct passage *p, struct attachment *target)
{
        struct attachment *src = p->route->src;
        int r;

        if (target->proxy) {
                forward_reliable_away(p, target);
                return;
        }
        if (passage_judge(p, false) == VERDICT_STOP)
                return;
        if (!target->client) {
                command_self(p, src);
                return;
        }
        r = p->waited ? reliable_prepare_late(src) : reliable_prepare_local(src, p->h.seq);
        if (r) {
                router_refuse_more(p, r);
                return;
        }
        r = target == p->route->only
                    ? client_push(target->client, p->chunk, p->at, p->n, KIND_RELIABLE)
                    : rewrite(p, target);
        if (r == MBUS_E_TOO_LARGE) {
                refuse_rewritten(p);
        } else if (r) {
                passage_undelivered(p, MBUS_REASON_FULL, "a queue on the way is full");
        } else {
                if (p->waited)
                        reliable_wait_late(p->b, src, p->h.seq, target);
                else
                        reliable_wait_local(p->b, src, p->h.seq, target);
                monitor_copy(&p->b->bus, p->text, false);
        }
}

static void forward_reliable_to_peer(struct passage *p, struct name *name)
{
        struct attachment *src = p->route->src;
        struct span dest = { name->text, name->n };
        size_t bytes = reliable_size(attachment_text(src), dest, p->payload);
        uint64_t ticket;
        int r;

        if (p->payload.n == 0) {
                passage_undelivered(p, MBUS_REASON_MALFORMED, "there is no command in it");
                return;
        }
        if (passage_judge(p, true) == VERDICT_STOP)
                return;
        r = reliable_prepare_remote(src, bytes);
        if (r) {
                router_refuse_more(p, r);
                return;
        }
        r = engine_send_reliable(p->b->engine, p->b->it.now, header_timestamp_ms(&p->h), src->entity,
                                 &p->route->dest, p->payload, &ticket);
        switch (r) {
        case 0:
                reliable_wait_remote(src, p->h.seq, ticket, name, bytes);
                break;
        case MBUS_E_TOO_LARGE:
                passage_undelivered(p, MBUS_REASON_MALFORMED, "it is too large for a datagram");
                break;
        case MBUS_E_UNKNOWN:
                passage_undelivered(p, MBUS_REASON_UNKNOWN, "no known entity matches");
                break;
        case MBUS_E_NOT_UNIQUE:
                passage_undelivered(p, MBUS_REASON_NOT_UNIQUE, "several known entities match");
                break;
        default:
                passage_undelivered(p, MBUS_REASON_FULL, "a queue on the way is full");
        }
}

static void forward_reliable(struct passage *p)
{
        struct attachment *target;
        struct name *name;
        enum resolution resolution;

        if (passage_is_forbidden(p) || !passage_fits(p))
                return;
        resolution = route_resolve(p->b, p->route, &target, &name);
        if (patience_is_wanted(p, resolution == ROUTE_LOCAL || resolution == ROUTE_PEER)) {
                patience_hold(p);
                return;
        }
        switch (resolution) {
        case ROUTE_NOBODY:
                passage_undelivered(p, MBUS_REASON_UNKNOWN, "no known entity matches");
                break;
        case ROUTE_LOCAL:
                forward_reliable_locally(p, target);
                break;
        case ROUTE_PEER:
                forward_reliable_to_peer(p, name);
                break;
        case ROUTE_SEVERAL:
                passage_undelivered(p, MBUS_REASON_NOT_UNIQUE, "several known entities match");
                break;
        case ROUTE_UNRESOLVED:
                passage_undelivered(p, MBUS_REASON_FULL, "the broker's memory is short");
                break;
        }
}

/* Acknowledgements alone, which nearly all are. */
static void pass_bare_acks(struct passage *p, const struct true_acks *acks)
{
        if (acks->n == 0)
                return;
        if (acks->all)
                client_push(p->route->only->client, p->chunk, p->at, p->n, KIND_ANSWER);
        else
                pass_acks_alone(p, acks);
        monitor_copy(&p->b->bus, p->text, true);
}

/* There is no memory for what is left. */
static void give_up(struct passage *p)
{
        for (size_t i = 0; i < p->route->n && !p->h.reliable; i++)
                p->route->clients[i]->queue.n_dropped[KIND_UNRELIABLE]++;
        passage_undelivered(p, MBUS_REASON_FULL, "the broker's memory is short");
}

/* Takes its acknowledgements out of the message and passes them on. False if nothing is left of it. */
static bool separate_acks(struct passage *p)
{
        struct true_acks acks;

        take_acks(p, &acks);
        if (!p->h.reliable && p->payload.n == 0) {
                pass_bare_acks(p, &acks);
                return false;
        }
        pass_acks_alone(p, &acks);
        if ((acks.n == 0 && acks.all) || strip_acks(p))
                return true;
        give_up(p);
        return false;
}

void router_frame(struct broker *b, struct client *c, struct chunk *chunk, size_t at, size_t n)
{
        struct passage p;

        b->from_links.n++;
        b->from_links.bytes += n;
        p.b = b;
        p.c = c;
        p.waited = false;
        p.chunk = chunk;
        p.at = at;
        p.n = n;
        p.text = (struct span){ chunk->bytes + at + FRAME_HEADER_SIZE, n - FRAME_HEADER_SIZE };
        if (!passage_read(&p) || (passage_has_acks(&p) && !separate_acks(&p)))
                return;
        if (p.h.reliable)
                forward_reliable(&p);
        else if (p.payload.n > 0)
                forward(&p);
}

int router_again(struct broker *b, struct client *c, struct span text)
{
        size_t n = FRAME_HEADER_SIZE + text.n;
        char *at = text.n <= FRAME_MAX ? iteration_reserve(&b->it, n) : NULL;
        struct chunk *chunk;
        struct passage p;

        if (!at)
                return -ENOMEM;
        frame_put_length(at, text.n, false);
        memcpy(at + FRAME_HEADER_SIZE, text.at, text.n);
        /* What is made on the way goes behind it. */
        chunk = chunk_ref(b->it.chunk);
        p = (struct passage){ .b = b,
                              .c = c,
                              .waited = true,
                              .chunk = chunk,
                              .at = chunk->n,
                              .n = n,
                              .text = { at + FRAME_HEADER_SIZE, text.n } };
        chunk->n += n;
        if (passage_read(&p))
                forward_reliable(&p);
        chunk_unref(chunk);
        return 0;
}

void router_forget(struct client *c)
{
        for (unsigned i = 0; i < ROUTES_MAX; i++)
                c->routes[i] = route_free(c->routes[i]);
}

/* ---- from the bus -------------------------------------------------------------------------- */

/* Whether @m is for @a and nobody else, but does not say so: the old programs send reliably to a part
 * of an address (spec/errata.md, 48). */
static bool is_for_part(const struct message *m, const struct attachment *a)
{
        return m->header.reliable && m->header.dest.n != entity_address(a->entity)->n;
}

/* Makes a frame of @m for @a. AckLists from the bus hold SeqNums of the bus, which the engine dealt
 * with and which mean something else on a link; and a client takes what is reliable only with its full
 * address. */
static bool make_frame(struct broker *b, const struct message *m, const struct attachment *a,
                       size_t *ret_n)
{
        struct span text = m->text;
        bool for_part = is_for_part(m, a);
        char *at;

        if (m->header.acks.n > 2 || for_part) {
                struct header_spec spec = { .seq = m->header.seq,
                                            .timestamp = m->header.timestamp,
                                            .reliable = m->header.reliable,
                                            .src = m->header.src.text,
                                            .dest = for_part ? attachment_text(a)
                                                             : m->header.dest.text };

                buffer_clear(&b->it.text);
                if (message_format(&spec, span_from(text, m->header.payload), DIALECT_RFC3259,
                                   &b->it.text))
                        return false;
                text = buffer_span(&b->it.text);
        }
        if (text.n > FRAME_MAX)
                return false;
        at = iteration_reserve(&b->it, FRAME_HEADER_SIZE + text.n);
        if (!at)
                return false;
        frame_put_length(at, text.n, false);
        memcpy(at + FRAME_HEADER_SIZE, text.at, text.n);
        b->it.chunk->n += FRAME_HEADER_SIZE + text.n;
        *ret_n = FRAME_HEADER_SIZE + text.n;
        return true;
}

/* @m does not get to @a: if it is reliable, its repetition may. */
static void lose(struct broker *b, const struct attachment *a, const struct message *m)
{
        if (m->header.reliable)
                engine_refuse(b->engine, a->entity, &m->header.src, m->header.seq);
}

void router_message(struct broker *b, const struct event *event)
{
        enum kind kind = event->message->header.reliable ? KIND_RELIABLE : KIND_UNRELIABLE;
        size_t n = 0;

        b->mark++;
        for (size_t i = 0; i < event->n_recipients; i++) {
                struct attachment *a = entity_data(event->recipients[i]);

                if (!a->client) {
                        if (!a->proxy)
                                control_from_bus(b, event->message);
                        continue;
                }
                if (a->client->mark == b->mark)
                        continue;
                a->client->mark = b->mark;
                if ((n == 0 && !make_frame(b, event->message, a, &n)) ||
                    client_push(a->client, b->it.chunk, b->it.chunk->n - n, n, kind))
                        lose(b, a, event->message);
        }
}
