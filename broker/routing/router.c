/*
 * router.c - where a message goes: from a session to sessions and the bus, and from the bus to
 * sessions.
 *
 * The way of an unreliable message between two sessions is the one that must be short: its fanout
 * is remembered (inbound.c), each recipient's queue gets a reference to the very octets that were
 * read, and nothing is parsed, looked up, allocated or copied.
 */
#include "router.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include <core/frame.h>

#include "ack-list.h"
#include "monitor.h"
#include "patience.h"
#include "retain.h"

/* ---- to the bus ---------------------------------------------------------------------------- */

static bool goes_to_bus(const struct inbound *in)
{
        const struct fanout *fanout = in->fanout;
        enum multicast multicast = in->routing->options->multicast;

        if (fanout->only)
                return false;
        if (fanout->is_peer || multicast == MULTICAST_ALWAYS)
                return true;
        return multicast == MULTICAST_WHEN_REMOTE && fanout->has_peers;
}

/* Sends to the bus what inbound_judge() passed. Whether it got there. */
static bool send_to_bus(struct inbound *in, enum verdict verdict)
{
        struct routing *routing = in->routing;
        struct entity *src = in->fanout->src->entity;
        int r;

        if (verdict == VERDICT_PING)
                r = engine_ping(routing->engine, routing->it->now, routing->it->wall_ms, src,
                                &in->fanout->dest);
        else
                r = engine_send(routing->engine, routing->it->now, header_timestamp_ms(&in->h), src,
                                &in->fanout->dest, in->payload);
        if (r)
                connection_count(&in->s->link, DROP_BUS_FULL,
                                 r == MBUS_E_TOO_LARGE
                                         ? "a message is too large for the bus"
                                         : "messages come faster than the bus takes them");
        return r == 0;
}

/* ---- unreliable ---------------------------------------------------------------------------- */

/* The last value of what goes to a group is kept for those who come late. */
static void retain(const struct inbound *in)
{
        if (!in->fanout->only && !in->fanout->is_peer)
                retain_note(in->routing, in->fanout->src, &in->h, &in->fanout->dest, in->payload);
}

static void forward(struct inbound *in)
{
        struct fanout *fanout = in->fanout;
        bool to_bus = goes_to_bus(in), sent = false;
        enum verdict verdict;

        if (!inbound_fits(in))
                return;
        verdict = inbound_judge(in, to_bus || fanout->exported);

        if (verdict == VERDICT_STOP)
                return;
        if (verdict == VERDICT_PING && fanout->only) {
                engine_answer_ping(in->routing->engine, in->routing->it->now, &fanout->dest);
        } else {
                for (size_t i = 0; i < fanout->n && verdict == VERDICT_PASS; i++)
                        connection_push(&fanout->sessions[i]->link, in->chunk, in->at, in->n,
                                        KIND_UNRELIABLE);
                if (fanout->src->retainer && verdict == VERDICT_PASS)
                        retain(in);
                if (to_bus || verdict == VERDICT_PING)
                        sent = send_to_bus(in, verdict);
                if (fanout->exported && verdict == VERDICT_PASS)
                        in->routing->others->forward(in->routing->others, fanout->src,
                                                     &fanout->dest, header_timestamp_ms(&in->h),
                                                     in->payload);
        }
        if (!sent)
                monitor_copy_main(in->routing, in->text, false);
}

/* ---- reliable ------------------------------------------------------------------------------ */

/* The same message to the full address; its frame goes into the shared chunk. */
static int rewrite(struct inbound *in, const struct local_entity *target)
{
        struct routing *routing = in->routing;
        struct header_spec spec = { .seq = in->h.seq,
                                    .timestamp = in->h.timestamp,
                                    .reliable = true,
                                    .src = local_entity_text(in->fanout->src),
                                    .dest = local_entity_text(target) };

        buffer_clear(&routing->it->text);
        if (message_format(&spec, in->payload, DIALECT_RFC3259, &routing->it->text))
                return MBUS_E_FULL;
        if (routing->it->text.n > FRAME_MAX)
                return MBUS_E_TOO_LARGE;
        return connection_push_text(&target->session->link, buffer_span(&routing->it->text),
                                    KIND_RELIABLE);
}

/* What rewrite() made does not fit: no queue is full, nor would it be of use to try again. */
static void refuse_rewritten(struct inbound *in)
{
        char why[128];

        snprintf(why, sizeof(why),
                 "it is too large: with the full address of its receiver it has %zu octets, "
                 "and may have %d",
                 in->routing->it->text.n, FRAME_MAX);
        inbound_undelivered(in, MBUS_REASON_MALFORMED, why);
}

/* The broker itself is meant. The command may free the entity it came from, and with it the
 * address; the one in the frame stays. */
static void command_self(struct inbound *in, struct local_entity *src)
{
        struct broker_commands *commands = in->routing->commands;

        if (header_parse(in->text, &in->h, NULL) == HEADER_OK)
                commands->on_message(commands, in->s, &in->h, src, in->payload);
}

/* To an entity of another bus. */
static void forward_reliable_away(struct inbound *in, const struct local_entity *target)
{
        struct local_entity *src = in->fanout->src;
        int r;

        assert(target->proxy && !target->session);
        if (in->payload.n == 0) {
                inbound_undelivered(in, MBUS_REASON_MALFORMED, "there is no command in it");
                return;
        }
        if (inbound_judge(in, true) == VERDICT_STOP)
                return;
        r = reliable_check(in->s, reliable_size(local_entity_text(src), local_entity_text(target),
                                                in->payload));
        if (r) {
                inbound_refuse_more(in, r);
                return;
        }
        r = in->routing->others->send_reliable(src, target->proxy, in->h.seq,
                                               header_timestamp_ms(&in->h), in->payload);
        if (r == MBUS_E_UNKNOWN)
                inbound_undelivered(
                        in, MBUS_REASON_DENIED,
                        "it could not answer: that takes a ROUTE= of the broker from its "
                        "bus to this one");
        else if (r == MBUS_E_TOO_LARGE)
                inbound_undelivered(in, MBUS_REASON_MALFORMED, "it is too large for a datagram");
        else if (r)
                inbound_undelivered(in, MBUS_REASON_FULL, "a queue on the way is full");
        else
                monitor_copy_main(in->routing, in->text, false);
}

static void forward_reliable_locally(struct inbound *in, struct local_entity *target)
{
        struct local_entity *src = in->fanout->src;
        int r;

        if (target->proxy) {
                forward_reliable_away(in, target);
                return;
        }
        if (inbound_judge(in, false) == VERDICT_STOP)
                return;
        if (!target->session) {
                command_self(in, src);
                return;
        }
        r = in->waited ? reliable_prepare_late(src) : reliable_prepare_local(src, in->h.seq);
        if (r) {
                inbound_refuse_more(in, r);
                return;
        }
        r = target == in->fanout->only ? connection_push(&target->session->link, in->chunk, in->at,
                                                         in->n, KIND_RELIABLE)
                                       : rewrite(in, target);
        if (r == MBUS_E_TOO_LARGE) {
                refuse_rewritten(in);
        } else if (r) {
                inbound_undelivered(in, MBUS_REASON_FULL, "a queue on the way is full");
        } else {
                if (in->waited)
                        reliable_await_late(src, in->h.seq, target);
                else
                        reliable_await_local(src, in->h.seq, target);
                monitor_copy_main(in->routing, in->text, false);
        }
}

static void forward_reliable_to_peer(struct inbound *in, struct remote_address *remote)
{
        struct local_entity *src = in->fanout->src;
        struct span dest = { remote->text, remote->n };
        size_t bytes = reliable_size(local_entity_text(src), dest, in->payload);
        uint64_t ticket;
        int r;

        if (in->payload.n == 0) {
                inbound_undelivered(in, MBUS_REASON_MALFORMED, "there is no command in it");
                return;
        }
        if (inbound_judge(in, true) == VERDICT_STOP)
                return;
        r = reliable_prepare_remote(src, bytes);
        if (r) {
                inbound_refuse_more(in, r);
                return;
        }
        r = engine_send_reliable(in->routing->engine, in->routing->it->now,
                                 header_timestamp_ms(&in->h), src->entity, &in->fanout->dest,
                                 in->payload, &ticket);
        switch (r) {
        case 0:
                reliable_await_remote(src, in->h.seq, ticket, remote, bytes);
                break;
        case MBUS_E_TOO_LARGE:
                inbound_undelivered(in, MBUS_REASON_MALFORMED, "it is too large for a datagram");
                break;
        case MBUS_E_UNKNOWN:
                inbound_undelivered(in, MBUS_REASON_UNKNOWN, "no known entity matches");
                break;
        case MBUS_E_NOT_UNIQUE:
                inbound_undelivered(in, MBUS_REASON_NOT_UNIQUE, "several known entities match");
                break;
        default:
                inbound_undelivered(in, MBUS_REASON_FULL, "a queue on the way is full");
        }
}

static void forward_reliable(struct inbound *in)
{
        struct local_entity *target;
        struct remote_address *remote;
        enum resolution resolution;

        if (inbound_is_forbidden(in) || !inbound_fits(in))
                return;
        resolution = fanout_resolve(in->routing, in->fanout, &target, &remote);
        if (patience_is_wanted(in, resolution == FANOUT_LOCAL || resolution == FANOUT_PEER)) {
                patience_hold(in);
                return;
        }
        switch (resolution) {
        case FANOUT_NOBODY:
                inbound_undelivered(in, MBUS_REASON_UNKNOWN, "no known entity matches");
                break;
        case FANOUT_LOCAL:
                forward_reliable_locally(in, target);
                break;
        case FANOUT_PEER:
                forward_reliable_to_peer(in, remote);
                break;
        case FANOUT_SEVERAL:
                inbound_undelivered(in, MBUS_REASON_NOT_UNIQUE, "several known entities match");
                break;
        case FANOUT_UNRESOLVED:
                inbound_undelivered(in, MBUS_REASON_FULL, "the broker's memory is short");
                break;
        }
}

void router_on_frame(struct connection *c, struct chunk *chunk, size_t at, size_t n)
{
        struct inbound in;

        in.s = session_of(c);
        in.routing = in.s->routing->all;
        in.waited = false;
        in.chunk = chunk;
        in.at = at;
        in.n = n;
        in.text = (struct span){ chunk->bytes + at + FRAME_HEADER_SIZE, n - FRAME_HEADER_SIZE };
        if (!inbound_read(&in) || (inbound_has_acks(&in) && !ack_list_separate(&in)))
                return;
        if (in.h.reliable)
                forward_reliable(&in);
        else if (in.payload.n > 0)
                forward(&in);
}

/* A reliable message of @s has waited for its destination. */
static int send_again(struct routing *routing, struct session *s, struct span text)
{
        struct frame_slice frame;
        struct inbound in;

        if (!iteration_put_frame(routing->it, text, false, &frame))
                return -ENOMEM;
        /* What is made on the way goes behind it. */
        chunk_ref(frame.chunk);
        in = (struct inbound){ .routing = routing,
                               .s = s,
                               .waited = true,
                               .chunk = frame.chunk,
                               .at = frame.at,
                               .n = frame.n,
                               .text = { frame.chunk->bytes + frame.at + FRAME_HEADER_SIZE,
                                         text.n } };
        if (inbound_read(&in))
                forward_reliable(&in);
        chunk_unref(frame.chunk);
        return 0;
}

void router_process(struct routing *routing)
{
        patience_process(routing, send_again);
}

/* ---- from the bus -------------------------------------------------------------------------- */

/* Whether @m is for @e and nobody else, but does not say so: the old programs send reliably to a
 * part of an address (spec/errata.md, 48). */
static bool is_for_part(const struct message *m, const struct local_entity *e)
{
        return m->header.reliable && m->header.dest.n != entity_address(e->entity)->n;
}

/* Makes a frame of @m for @e. AckLists from the bus hold SeqNums of the bus, which the engine
 * dealt with and which mean something else on a link; and a client takes what is reliable only
 * with its full address. */
static bool router_make_frame(struct routing *routing, const struct message *m,
                              const struct local_entity *e, struct frame_slice *ret_frame)
{
        struct span text = m->text;
        bool for_part = is_for_part(m, e);

        if (m->header.acks.n > 2 || for_part) {
                struct header_spec spec = { .seq = m->header.seq,
                                            .timestamp = m->header.timestamp,
                                            .reliable = m->header.reliable,
                                            .src = m->header.src.text,
                                            .dest = for_part ? local_entity_text(e)
                                                             : m->header.dest.text };

                buffer_clear(&routing->it->text);
                if (message_format(&spec, span_from(text, m->header.payload), DIALECT_RFC3259,
                                   &routing->it->text))
                        return false;
                text = buffer_span(&routing->it->text);
        }
        return iteration_put_frame(routing->it, text, false, ret_frame);
}

/* @m does not get to @e: if it is reliable, its repetition may. */
static void router_lose(struct routing *routing, const struct local_entity *e,
                        const struct message *m)
{
        if (m->header.reliable)
                engine_refuse(routing->engine, e->entity, &m->header.src, m->header.seq);
}

void router_message(struct routing *routing, const struct event *event)
{
        enum kind kind = event->message->header.reliable ? KIND_RELIABLE : KIND_UNRELIABLE;
        struct frame_slice frame = { .n = 0 };

        sessions_visit(routing->sessions);
        for (size_t i = 0; i < event->n_recipients; i++) {
                struct local_entity *e = entity_data(event->recipients[i]);

                if (!e->session) {
                        if (!e->proxy)
                                routing->commands->on_bus_message(routing->commands,
                                                                  event->message);
                        continue;
                }
                if (!session_is_new(e->session))
                        continue;
                if ((frame.n == 0 && !router_make_frame(routing, event->message, e, &frame)) ||
                    connection_push(&e->session->link, frame.chunk, frame.at, frame.n, kind))
                        router_lose(routing, e, event->message);
        }
}
