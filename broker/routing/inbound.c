/*
 * inbound.c - a message from a link on its way through: what its header says, and whether its
 * commands may pass.
 *
 * A client sends to few destinations, so the last ones are remembered (fanout.c), by the text of both
 * addresses as they stand in the header. A header that bears the same text is recognised with one
 * comparison, and nothing is parsed or looked up.
 *
 * The payload is the business of those who get it. It is read here only if it goes to the bus, which
 * carries well-formed messages only, or may hold a command that is the broker's to say.
 */
#include "inbound.h"

#include <stdio.h>
#include <string.h>

/* Payloads up to this size are parsed without asking for memory. */
#define LENT_MAX 1024

/* ---- reading the header -------------------------------------------------------------------- */

static void inbound_malformed(struct inbound *p, const char *what)
{
        connection_count(&p->s->link, COUNT_MALFORMED, "a frame is no message");
        reply_undelivered(p->s, (struct span){ "()", 2 }, 0, MBUS_REASON_MALFORMED, what);
}

void inbound_undelivered(struct inbound *p, enum mbus_reason reason, const char *why)
{
        if (p->h.reliable)
                reply_undelivered(p->s, local_entity_text(p->fanout->src), p->h.seq, reason, why);
}

static const char denied_source_why[] = "SrcAddr is not attached to the link";

/* The log says to whom, and which command; the sender knows. */
static void inbound_denied(struct inbound *p, const char *why, struct span command)
{
        const struct span dest = p->fanout->dest.text;

        connection_count(&p->s->link, COUNT_DENIED, "%s: %.*s to %.*s", why, shown_size(command),
                         command.at, shown_size(dest), dest.at);
        if (p->h.reliable)
                inbound_undelivered(p, MBUS_REASON_DENIED, why);
        else
                denial_note(p->s, p->h.seq, why);
}

static void inbound_denied_source(struct inbound *p)
{
        const struct span src = p->h.src.text, dest = p->h.dest.text;

        connection_count(&p->s->link, COUNT_DENIED, "%s: %.*s to %.*s", denied_source_why,
                         shown_size(src), src.at, shown_size(dest), dest.at);
        if (p->h.reliable)
                reply_undelivered(p->s, src, p->h.seq, MBUS_REASON_DENIED, denied_source_why);
        else if (p->h.payload < p->text.n)
                denial_note(p->s, p->h.seq, denied_source_why);
}

/* Reads the whole header. False if the message goes no further. */
static bool inbound_parse(struct inbound *p)
{
        struct parse_error error = { 0, "" };
        struct local_entity *src;

        if (header_parse(p->text, &p->h, &error)) {
                inbound_malformed(p, error.what);
                return false;
        }
        p->payload = span_from(p->text, p->h.payload);
        src = p->h.src.n > 0 ? local_entity_find(p->routing->sessions, &p->h.src) : NULL;
        if (src && src->session != p->s)
                src = NULL;
        if (sessions_is_self(p->routing->sessions, &p->h.dest)) {
                p->routing->commands->on_message(p->routing->commands, p->s, &p->h, src,
                                                 p->payload);
                return false;
        }
        if (!src) {
                inbound_denied_source(p);
                return false;
        }
        p->fanout = fanout_get(p->routing, p->s, src, &p->h);
        if (!p->fanout) {
                if (p->h.reliable)
                        reply_undelivered(p->s, p->h.src.text, p->h.seq, MBUS_REASON_FULL,
                                          "the broker's memory is short");
                return false;
        }
        return true;
}

/*
 * Recognises a header that says the same as an earlier one, but for its numbers. Addresses that are
 * not written as plainly as our library does are left to inbound_parse().
 */
static bool inbound_recognise(struct inbound *p)
{
        struct span rest;

        if (!header_begin(p->text, &p->h, &rest))
                return false;
        p->fanout = fanout_recall(p->routing, p->s, &rest);
        return p->fanout && header_end(rest, &p->h, &p->payload);
}

bool inbound_read(struct inbound *p)
{
        return inbound_recognise(p) || inbound_parse(p);
}

/* ---- how large it is ------------------------------------------------------------------------ */

/* How many octets it would have on the bus; its SeqNum there is not known yet, the longest one is taken. 0 when
 * memory is short. */
static size_t inbound_measure(struct inbound *p)
{
        struct routing *routing = p->routing;
        bool is_ucl = routing->buses->main.dialect == DIALECT_UCL;
        struct header_spec spec = { .seq = is_ucl ? RELIABLE_SEQ_MOD_UCL - 1 : UINT32_MAX,
                                    .timestamp = p->h.timestamp,
                                    .reliable = p->h.reliable,
                                    .src = local_entity_text(p->fanout->src),
                                    .dest = p->fanout->dest.text };

        buffer_clear(&routing->it->text);
        return message_format(&spec, p->payload, routing->buses->main.dialect, &routing->it->text)
                       ? 0
                       : routing->it->text.n;
}

bool inbound_fits_by_measure(struct inbound *p)
{
        struct routing *routing = p->routing;
        size_t largest = routing->buses->main.largest, n = inbound_measure(p);
        char why[128];

        if (n <= largest)
                return true;
        snprintf(why, sizeof(why),
                 "it is too large: it has %zu octets on the bus, and may have %zu", n, largest);
        connection_count(&p->s->link, COUNT_MALFORMED, "a message for the bus main: %s", why);
        if (p->h.reliable)
                inbound_undelivered(p, MBUS_REASON_MALFORMED, why);
        else
                reply_dropped(p->s, 1, "sent");
        return false;
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

static bool may_say(const struct inbound *p, struct span command)
{
        return !p->s->rights || rights_for_command(p->s->rights, p->fanout->lines, command);
}

bool inbound_is_forbidden(struct inbound *p)
{
        if (p->fanout->permission != PERMIT_NONE)
                return false;
        inbound_denied(
                p, "[policy] does not let it send there: that takes send= in a line for its user",
                span_of("anything"));
        return true;
}

static enum verdict judge_commands(struct inbound *p, const struct payload *payload)
{
        size_t n_pings = 0;

        for (size_t i = 0; i < payload->n; i++) {
                struct span name = payload->commands[i].name;

                if (!may_say(p, name)) {
                        inbound_denied(p,
                                       "[policy] does not let it send this command there: that "
                                       "takes it in "
                                       "commands= of a line for its user that has send= for there",
                                       name);
                        return VERDICT_STOP;
                }
                if (span_equal_text(name, "mbus.hello") || span_equal_text(name, "mbus.bye")) {
                        inbound_denied(p, "mbus.hello and mbus.bye are said by the broker", name);
                        return VERDICT_STOP;
                }
                n_pings += span_equal_text(name, "mbus.ping");
        }
        if (n_pings > 0 && n_pings == payload->n && !p->h.reliable)
                return VERDICT_PING;
        if (n_pings > 0)
                engine_answer_ping(p->routing->engine, p->routing->it->now, &p->fanout->dest);
        return VERDICT_PASS;
}

enum verdict inbound_judge(struct inbound *p, bool wholly)
{
        struct payload payload = PAYLOAD_INIT;
        struct parse_error error = { 0, "" };
        struct payload_room room;
        char arena[LENT_MAX + 1];
        enum verdict verdict;
        int r;

        if (inbound_is_forbidden(p))
                return VERDICT_STOP;
        if (!wholly && p->fanout->permission == PERMIT_ALL && !may_be_reserved(p->payload))
                return VERDICT_PASS;
        if (p->payload.n <= LENT_MAX)
                payload_lend(&payload, &room, arena, p->payload.n);
        r = payload_parse(&payload, p->payload, &error);
        if (r) {
                connection_count(&p->s->link, COUNT_MALFORMED,
                                 "the commands of a message are malformed");
                inbound_undelivered(p, r > 0 ? MBUS_REASON_MALFORMED : MBUS_REASON_FULL,
                                    r > 0 ? error.what : "the broker's memory is short");
                return VERDICT_STOP;
        }
        verdict = judge_commands(p, &payload);
        payload_deinit(&payload);
        return verdict;
}

/* ---- what hinders -------------------------------------------------------------------------- */

void inbound_refuse_more(struct inbound *p, int result)
{
        if (result == MBUS_E_MALFORMED)
                inbound_undelivered(p, MBUS_REASON_MALFORMED, "SeqNums on a link must rise");
        else if (result == MBUS_E_FULL)
                inbound_undelivered(p, MBUS_REASON_FULL,
                                    "too many reliable messages are under way");
        else if (result == MBUS_E_TOO_LARGE)
                inbound_undelivered(p, MBUS_REASON_FULL,
                                    "too many octets of reliable messages are under way");
        else
                inbound_undelivered(p, MBUS_REASON_FULL, "the broker's memory is short");
}
