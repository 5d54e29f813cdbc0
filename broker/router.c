/*
 * router.c - where a message goes: from a link to links and the bus, and from the bus to links.
 *
 * The way of an unreliable message between two links is the one that must be short. A client sends
 * to few destinations, so the router remembers the last ones of each link as a route: the text of
 * both addresses as they stand in the header, and who gets it. A header that bears the same text is
 * recognised with one comparison; nothing is parsed, looked up, allocated or copied. A route is
 * valid until an entity comes or goes (broker.generation).
 *
 * The payload is the business of those who get it. It is read here only if it goes to the bus, which
 * carries well-formed messages only, or may hold a command that is the broker's to say.
 */
#include "router.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/frame.h>

#include "broker.h"
#include "control.h"
#include "monitor.h"
#include "reliable.h"
#include "route.h"

/* A message from a link on its way through. */
struct passage {
        struct broker *b;
        struct client *c;
        struct chunk *chunk; /* the frame, with its length */
        size_t at;
        size_t n;
        struct span text;
        struct header h; /* seq, timestamp, reliable, acks, payload; addresses are the route's */
        struct route *route;
        struct span payload;
};

static bool has_acks(const struct passage *p)
{
        return p->h.acks.n > 2;
}

/* ---- reading the header -------------------------------------------------------------------- */

static void malformed(struct passage *p, const char *what)
{
        broker_count(p->b, COUNT_MALFORMED, p->c, "a frame is no message");
        control_undelivered(p->b, p->c, (struct span){ "()", 2 }, 0, MBUS_REASON_MALFORMED, what);
}

static void undelivered(struct passage *p, enum mbus_reason reason, const char *why)
{
        if (p->h.reliable)
                control_undelivered(p->b, p->c, attachment_text(p->route->src), p->h.seq, reason,
                                    why);
}

static void denied(struct passage *p, struct span src, const char *why)
{
        broker_count(p->b, COUNT_DENIED, p->c, why);
        if (p->h.reliable)
                control_undelivered(p->b, p->c, src, p->h.seq, MBUS_REASON_DENIED, why);
}

/* Reads the whole header. False if the message goes no further. */
static bool parse(struct passage *p)
{
        struct parse_error error = { 0, "" };
        struct attachment *src;

        if (header_parse(p->text, &p->h, &error)) {
                malformed(p, error.what);
                return false;
        }
        p->payload = span_from(p->text, p->h.payload);
        src = p->h.src.n > 0 ? attachment_find(p->b, &p->h.src) : NULL;
        if (src && src->client != p->c)
                src = NULL;
        if (control_is_for(p->b, &p->h.dest)) {
                control_message(p->b, p->c, &p->h, src, p->payload);
                return false;
        }
        if (!src) {
                denied(p, p->h.src.text, "SrcAddr is not attached to the link");
                return false;
        }
        p->route = route_get(p->b, p->c, src, &p->h);
        if (!p->route) {
                if (p->h.reliable)
                        control_undelivered(p->b, p->c, p->h.src.text, p->h.seq, MBUS_REASON_FULL,
                                            "the broker's memory is short");
                return false;
        }
        return true;
}

static bool take_digits(struct span *rest, size_t max, uint64_t *ret_number)
{
        uint64_t number = 0;
        size_t n;

        for (n = 0; n < rest->n && is_digit(rest->at[n]); n++) {
                if (n == max)
                        return false;
                number = 10 * number + (uint64_t)(rest->at[n] - '0');
        }
        if (n == 0 || n == rest->n || rest->at[n] != ' ')
                return false;
        *rest = span_from(*rest, n + 1);
        *ret_number = number;
        return true;
}

/* Finds the end of an AckList that has nothing but numbers and white space in it. */
static bool take_acks(struct span *rest, struct span *ret_acks)
{
        struct span acks = { rest->at, 1 };
        struct span numbers;
        uint32_t seq;
        size_t n = 0;

        while (acks.n < rest->n && (is_digit(rest->at[acks.n]) || is_wsp(rest->at[acks.n])))
                acks.n++;
        if (acks.n == rest->n || rest->at[acks.n] != ')')
                return false;
        acks.n++;
        numbers = acks;
        while (n <= ACKS_MAX && acks_next(&numbers, &seq))
                n++;
        if (n > ACKS_MAX || (n > 0 && wsp_size(numbers) + 1 != numbers.n) ||
            (n == 0 && acks.n != 2))
                return false;
        *rest = span_from(*rest, acks.n);
        *ret_acks = acks;
        return true;
}

/*
 * Recognises a header that says the same as an earlier one, but for its numbers. What is not written
 * as plainly as our library does is left to parse(), which knows all that the grammar allows.
 */
static bool recognise(struct passage *p)
{
        static const char version[] = "mbus/1.0 ";
        struct span rest = p->text;
        uint64_t seq;
        size_t end;

        if (!span_begins(rest, version))
                return false;
        rest = span_from(rest, sizeof(version) - 1);
        if (!take_digits(&rest, 10, &seq) || seq > UINT32_MAX ||
            !take_digits(&rest, 13, &p->h.timestamp) || rest.n < 3 ||
            (rest.at[0] != 'U' && rest.at[0] != 'R') || rest.at[1] != ' ')
                return false;
        p->h.seq = (uint32_t)seq;
        p->h.reliable = rest.at[0] == 'R';
        rest = span_from(rest, 2);
        p->route = route_recall(p->b, p->c, &rest);
        if (!p->route || !take_acks(&rest, &p->h.acks))
                return false;
        end = line_end_size(rest);
        if (end == 0 && rest.n > 0)
                return false;
        p->payload = span_from(rest, end);
        return true;
}

/* ---- reading the payload ------------------------------------------------------------------- */

/* Whether a command may begin with "mbus.": each stands at the start of a line. */
static bool may_be_reserved(struct span payload)
{
        for (;;) {
                const char *end;

                payload = span_from(payload, wsp_size(payload));
                if (span_begins(payload, "mbus."))
                        return true;
                end = payload.n ? memchr(payload.at, '\n', payload.n) : NULL;
                if (!end)
                        return false;
                payload = span_from(payload, (size_t)(end + 1 - payload.at));
        }
}

enum verdict {
        VERDICT_PASS,
        VERDICT_PING, /* there is nothing but mbus.ping in it */
        VERDICT_STOP,
};

static enum verdict judge_commands(struct passage *p, const struct payload *payload)
{
        size_t n_pings = 0;

        for (size_t i = 0; i < payload->n; i++) {
                struct span name = payload->commands[i].name;

                if (span_equal_text(name, "mbus.hello") || span_equal_text(name, "mbus.bye")) {
                        denied(p, attachment_text(p->route->src),
                               "mbus.hello and mbus.bye are said by the broker");
                        return VERDICT_STOP;
                }
                n_pings += span_equal_text(name, "mbus.ping");
        }
        if (n_pings > 0 && n_pings == payload->n && !p->h.reliable)
                return VERDICT_PING;
        if (n_pings > 0)
                engine_answer_ping(p->b->engine, p->b->now, &p->route->dest);
        return VERDICT_PASS;
}

/* Whether the payload may pass; @wholly: all of it has to be well-formed. */
static enum verdict judge(struct passage *p, bool wholly)
{
        struct payload payload = PAYLOAD_INIT;
        struct parse_error error = { 0, "" };
        enum verdict verdict;
        int r;

        if (!wholly && !may_be_reserved(p->payload))
                return VERDICT_PASS;
        r = payload_parse(&payload, p->payload, &error);
        if (r) {
                broker_count(p->b, COUNT_MALFORMED, p->c, "the commands of a message are malformed");
                undelivered(p, r > 0 ? MBUS_REASON_MALFORMED : MBUS_REASON_FULL,
                            r > 0 ? error.what : "the broker's memory is short");
                return VERDICT_STOP;
        }
        verdict = judge_commands(p, &payload);
        payload_deinit(&payload);
        return verdict;
}

/* ---- acknowledgements ---------------------------------------------------------------------- */

/* Takes the acknowledgements off. Whether one of them is to be passed on. */
static bool take_acknowledgements(struct passage *p)
{
        struct attachment *to = p->route->only;
        struct span rest = p->h.acks;
        bool any = false;
        uint32_t seq;

        while (acks_next(&rest, &seq)) {
                if (!to)
                        engine_acknowledge(p->b->engine, p->b->now, p->route->src->entity,
                                           &p->route->dest, seq);
                else if (reliable_acknowledge(p->b, to, seq, p->route->src))
                        any = true;
                else
                        p->b->counts[COUNT_ACK]++;
        }
        return any;
}

/* The message cannot be passed on, but its acknowledgements must be. */
static void pass_acks_alone(struct passage *p)
{
        struct span rest = p->h.acks;
        uint32_t seqs[ACKS_MAX];
        size_t n = 0;

        while (n < ACKS_MAX && acks_next(&rest, &seqs[n]))
                n++;
        control_acknowledge(p->b, p->route->only->client, attachment_text(p->route->src),
                            attachment_text(p->route->only), seqs, n);
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

/* Sends to the bus what judge() passed. Whether it got there. */
static bool send_to_bus(struct passage *p, enum verdict verdict)
{
        struct broker *b = p->b;
        struct entity *src = p->route->src->entity;
        int r;

        if (verdict == VERDICT_PING)
                r = engine_ping(b->engine, b->now, b->wall_ms, src, &p->route->dest);
        else
                r = engine_send(b->engine, b->now, header_timestamp_ms(&p->h), src,
                                &p->route->dest, p->payload);
        if (r)
                broker_count(b, COUNT_BUS_FULL, p->c,
                             r == MBUS_E_TOO_LARGE ? "a message is too large for the bus"
                                                   : "messages come faster than the bus takes them");
        return r == 0;
}

/* ---- unreliable ---------------------------------------------------------------------------- */

static void forward(struct passage *p, bool acknowledges)
{
        enum kind kind = acknowledges ? KIND_ANSWER : KIND_UNRELIABLE;
        struct route *route = p->route;
        bool to_bus = goes_to_bus(p), sent = false;
        enum verdict verdict;

        if (p->payload.n == 0) {
                if (acknowledges) {
                        client_push(route->only->client, p->chunk, p->at, p->n, KIND_ANSWER);
                        monitor_copy(p->b, p->text, true);
                }
                return;
        }
        verdict = judge(p, to_bus);
        if (verdict == VERDICT_PING && route->only) {
                engine_answer_ping(p->b->engine, p->b->now, &route->dest);
        } else if (verdict != VERDICT_STOP) {
                for (size_t i = 0; i < route->n && verdict == VERDICT_PASS; i++)
                        client_push(route->clients[i], p->chunk, p->at, p->n, kind);
                if (to_bus || verdict == VERDICT_PING)
                        sent = send_to_bus(p, verdict);
                if (acknowledges && route->n == 0)
                        pass_acks_alone(p);
        } else if (acknowledges) {
                pass_acks_alone(p);
        }
        if (verdict != VERDICT_STOP && !sent)
                monitor_copy(p->b, p->text, false);
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

        buffer_clear(&b->text);
        if (message_format(&spec, p->payload, DIALECT_RFC3259, &b->text))
                return MBUS_E_FULL;
        return client_push_text(target->client, buffer_span(&b->text), KIND_RELIABLE);
}

static void forward_reliable_locally(struct passage *p, struct attachment *target)
{
        struct attachment *src = p->route->src;
        int r;

        if (judge(p, false) == VERDICT_STOP)
                return;
        if (!target->client) {
                p->h.src = *entity_address(src->entity);
                control_message(p->b, p->c, &p->h, src, p->payload);
                return;
        }
        r = reliable_prepare_local(src, p->h.seq);
        if (r == 0)
                r = target == p->route->only
                            ? client_push(target->client, p->chunk, p->at, p->n, KIND_RELIABLE)
                            : rewrite(p, target);
        if (r == MBUS_E_MALFORMED) {
                undelivered(p, MBUS_REASON_MALFORMED, "SeqNums on a link must rise");
        } else if (r) {
                undelivered(p, MBUS_REASON_FULL, "a queue on the way is full");
        } else {
                reliable_wait_local(p->b, src, p->h.seq, target);
                monitor_copy(p->b, p->text, false);
        }
}

static void forward_reliable_to_peer(struct passage *p, struct name *name)
{
        struct attachment *src = p->route->src;
        uint64_t ticket;
        int r;

        if (p->payload.n == 0) {
                undelivered(p, MBUS_REASON_MALFORMED, "there is no command in it");
                return;
        }
        if (judge(p, true) == VERDICT_STOP)
                return;
        r = reliable_prepare_remote(src);
        if (r == 0)
                r = engine_send_reliable(p->b->engine, p->b->now, header_timestamp_ms(&p->h),
                                         src->entity, &p->route->dest, p->payload, &ticket);
        switch (r) {
        case 0:
                reliable_wait_remote(src, p->h.seq, ticket, name);
                break;
        case MBUS_E_TOO_LARGE:
                undelivered(p, MBUS_REASON_MALFORMED, "it is too large for a datagram");
                break;
        case MBUS_E_UNKNOWN:
                undelivered(p, MBUS_REASON_UNKNOWN, "no known entity matches");
                break;
        case MBUS_E_NOT_UNIQUE:
                undelivered(p, MBUS_REASON_NOT_UNIQUE, "several known entities match");
                break;
        default:
                undelivered(p, MBUS_REASON_FULL, "a queue on the way is full");
        }
}

static void forward_reliable(struct passage *p)
{
        struct attachment *target;
        struct name *name;

        switch (route_resolve(p->b, p->route, &target, &name)) {
        case ROUTE_NOBODY:
                undelivered(p, MBUS_REASON_UNKNOWN, "no known entity matches");
                break;
        case ROUTE_LOCAL:
                forward_reliable_locally(p, target);
                break;
        case ROUTE_PEER:
                forward_reliable_to_peer(p, name);
                break;
        case ROUTE_SEVERAL:
                undelivered(p, MBUS_REASON_NOT_UNIQUE, "several known entities match");
                break;
        case ROUTE_UNRESOLVED:
                undelivered(p, MBUS_REASON_FULL, "the broker's memory is short");
                break;
        }
}

void router_frame(struct broker *b, struct client *c, struct chunk *chunk, size_t at, size_t n)
{
        struct passage p;
        bool acknowledges;

        p.b = b;
        p.c = c;
        p.chunk = chunk;
        p.at = at;
        p.n = n;
        p.text = (struct span){ chunk->bytes + at + FRAME_HEADER_SIZE, n - FRAME_HEADER_SIZE };
        if (!recognise(&p) && !parse(&p))
                return;
        acknowledges = has_acks(&p) && take_acknowledgements(&p);
        if (!p.h.reliable) {
                forward(&p, acknowledges);
        } else {
                if (acknowledges)
                        pass_acks_alone(&p);
                forward_reliable(&p);
        }
}

void router_forget(struct client *c)
{
        for (unsigned i = 0; i < ROUTES_MAX; i++)
                c->routes[i] = route_free(c->routes[i]);
}

/* ---- from the bus -------------------------------------------------------------------------- */

/* Makes a frame of @m. AckLists from the bus hold SeqNums of the bus, which the engine dealt with
 * and which mean something else on a link. */
static bool make_frame(struct broker *b, const struct message *m, size_t *ret_n)
{
        struct span text = m->text;
        char *at;

        if (m->header.acks.n > 2) {
                struct header_spec spec = { .seq = m->header.seq,
                                            .timestamp = m->header.timestamp,
                                            .reliable = m->header.reliable,
                                            .src = m->header.src.text,
                                            .dest = m->header.dest.text };

                buffer_clear(&b->text);
                if (message_format(&spec, span_from(text, m->header.payload), DIALECT_RFC3259,
                                   &b->text))
                        return false;
                text = buffer_span(&b->text);
        }
        if (text.n > FRAME_MAX)
                return false;
        at = broker_reserve(b, FRAME_HEADER_SIZE + text.n);
        if (!at)
                return false;
        frame_put_length(at, text.n, false);
        memcpy(at + FRAME_HEADER_SIZE, text.at, text.n);
        b->chunk->n += FRAME_HEADER_SIZE + text.n;
        *ret_n = FRAME_HEADER_SIZE + text.n;
        return true;
}

void router_message(struct broker *b, const struct event *event)
{
        enum kind kind = event->message->header.reliable ? KIND_RELIABLE : KIND_UNRELIABLE;
        size_t n = 0;

        b->mark++;
        for (size_t i = 0; i < event->n_recipients; i++) {
                struct attachment *a = entity_data(event->recipients[i]);

                if (!a->client) {
                        control_from_bus(b, event->message);
                        continue;
                }
                if (a->client->mark == b->mark)
                        continue;
                a->client->mark = b->mark;
                if (n == 0 && !make_frame(b, event->message, &n))
                        return;
                client_push(a->client, b->chunk, b->chunk->n - n, n, kind);
        }
}
