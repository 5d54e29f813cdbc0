/*
 * inbound.c - a message from a session on its way through: what its header says, and whether its
 * commands may pass.
 *
 * A client sends to few destinations, so the last ones are remembered (fanout.c), by the text of
 * both addresses as they stand in the header. A header that bears the same text is recognised with
 * one comparison, and nothing is parsed or looked up.
 *
 * The payload is the business of those who get it. It is read here only if it goes to the bus,
 * which carries well-formed messages only, or may hold a command that is the broker's to say.
 */
#include "inbound.h"

#include <stdio.h>
#include <string.h>

/* Payloads up to this size are parsed without asking for memory. */
#define LENT_MAX 1024

/* ---- reading the header -------------------------------------------------------------------- */

static void inbound_malformed(struct inbound *in, const char *what)
{
        connection_count(&in->s->link, DROP_MALFORMED, "a frame is no message");
        reply_undelivered(in->s, (struct span){ "()", 2 }, 0, MBUS_REASON_MALFORMED, what);
}

void inbound_undelivered(struct inbound *in, enum mbus_reason reason, const char *why)
{
        if (in->h.reliable)
                reply_undelivered(in->s, local_entity_text(in->fanout->src), in->h.seq, reason,
                                  why);
}

static const char denied_source_why[] = "SrcAddr is not attached to the link";

/* The log says to whom, and which command; the sender knows. */
static void inbound_denied(struct inbound *in, const char *why, struct span command)
{
        const struct span dest = in->fanout->dest.text;

        connection_count(&in->s->link, DROP_DENIED, "%s: %.*s to %.*s", why, excerpt_size(command),
                         command.at, excerpt_size(dest), dest.at);
        if (in->h.reliable)
                inbound_undelivered(in, MBUS_REASON_DENIED, why);
        else
                denial_note(in->s, in->h.seq, why);
}

static void inbound_denied_source(struct inbound *in)
{
        const struct span src = in->h.src.text, dest = in->h.dest.text;

        connection_count(&in->s->link, DROP_DENIED, "%s: %.*s to %.*s", denied_source_why,
                         excerpt_size(src), src.at, excerpt_size(dest), dest.at);
        if (in->h.reliable)
                reply_undelivered(in->s, src, in->h.seq, MBUS_REASON_DENIED, denied_source_why);
        else if (in->h.payload < in->text.n)
                denial_note(in->s, in->h.seq, denied_source_why);
}

/* Reads the whole header. False if the message goes no further. */
static bool inbound_parse(struct inbound *in)
{
        struct parse_error error = { 0, "" };
        struct local_entity *src;

        if (header_parse(in->text, &in->h, &error)) {
                inbound_malformed(in, error.what);
                return false;
        }
        in->payload = span_from(in->text, in->h.payload);
        src = in->h.src.n > 0 ? local_entity_find(in->routing->sessions, &in->h.src) : NULL;
        if (src && src->session != in->s)
                src = NULL;
        if (sessions_is_self(in->routing->sessions, &in->h.dest)) {
                in->routing->commands->on_message(in->routing->commands, in->s, &in->h, src,
                                                  in->payload);
                return false;
        }
        if (!src) {
                inbound_denied_source(in);
                return false;
        }
        in->fanout = fanout_get(in->routing, in->s, src, &in->h);
        if (!in->fanout) {
                if (in->h.reliable)
                        reply_undelivered(in->s, in->h.src.text, in->h.seq, MBUS_REASON_FULL,
                                          "the broker's memory is short");
                return false;
        }
        return true;
}

/*
 * Recognises a header that says the same as an earlier one, but for its numbers. Addresses that are
 * not written as plainly as our library does are left to inbound_parse().
 */
static bool inbound_recognise(struct inbound *in)
{
        struct span rest;

        if (!header_begin(in->text, &in->h, &rest))
                return false;
        in->fanout = fanout_recall(in->routing, in->s, &rest);
        return in->fanout && header_end(rest, &in->h, &in->payload);
}

bool inbound_read(struct inbound *in)
{
        return inbound_recognise(in) || inbound_parse(in);
}

/* ---- how large it is ------------------------------------------------------------------------ */

/* How many octets it would have on the bus; its SeqNum there is not known yet, the longest one
 * is taken. 0 when memory is short. */
static size_t inbound_measure(struct inbound *in)
{
        struct routing *routing = in->routing;
        bool is_ucl = routing->buses->main.dialect == DIALECT_UCL;
        struct header_spec spec = { .seq = is_ucl ? RELIABLE_SEQ_MOD_UCL - 1 : UINT32_MAX,
                                    .timestamp = in->h.timestamp,
                                    .reliable = in->h.reliable,
                                    .src = local_entity_text(in->fanout->src),
                                    .dest = in->fanout->dest.text };

        buffer_clear(&routing->it->text);
        return message_format(&spec, in->payload, routing->buses->main.dialect, &routing->it->text)
                       ? 0
                       : routing->it->text.n;
}

bool inbound_fits_by_measure(struct inbound *in)
{
        struct routing *routing = in->routing;
        size_t largest = routing->buses->main.largest, n = inbound_measure(in);
        char why[128];

        if (n <= largest)
                return true;
        snprintf(why, sizeof(why),
                 "it is too large: it has %zu octets on the bus, and may have %zu", n, largest);
        connection_count(&in->s->link, DROP_MALFORMED, "a message for the bus main: %s", why);
        if (in->h.reliable)
                inbound_undelivered(in, MBUS_REASON_MALFORMED, why);
        else
                reply_dropped(in->s, 1, "sent");
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

static bool may_say(const struct inbound *in, struct span command)
{
        return !in->s->rights || rights_for_command(in->s->rights, in->fanout->lines, command);
}

bool inbound_is_forbidden(struct inbound *in)
{
        if (in->fanout->permission != PERMIT_NONE)
                return false;
        inbound_denied(
                in, "[policy] does not let it send there: that takes send= in a line for its user",
                span_of("anything"));
        return true;
}

static enum verdict judge_commands(struct inbound *in, const struct payload *payload)
{
        size_t n_pings = 0;

        for (size_t i = 0; i < payload->n; i++) {
                struct span name = payload->commands[i].name;

                if (!may_say(in, name)) {
                        inbound_denied(in,
                                       "[policy] does not let it send this command there: that "
                                       "takes it in "
                                       "commands= of a line for its user that has send= for there",
                                       name);
                        return VERDICT_STOP;
                }
                if (span_equal_text(name, "mbus.hello") || span_equal_text(name, "mbus.bye")) {
                        inbound_denied(in, "mbus.hello and mbus.bye are said by the broker", name);
                        return VERDICT_STOP;
                }
                n_pings += span_equal_text(name, "mbus.ping");
        }
        if (n_pings > 0 && n_pings == payload->n && !in->h.reliable)
                return VERDICT_PING;
        if (n_pings > 0)
                engine_answer_ping(in->routing->engine, in->routing->it->now, &in->fanout->dest);
        return VERDICT_PASS;
}

enum verdict inbound_judge(struct inbound *in, bool wholly)
{
        struct payload payload = PAYLOAD_INIT;
        struct parse_error error = { 0, "" };
        struct payload_room room;
        char arena[LENT_MAX + 1];
        enum verdict verdict;
        int r;

        if (inbound_is_forbidden(in))
                return VERDICT_STOP;
        if (!wholly && in->fanout->permission == PERMIT_ALL && !may_be_reserved(in->payload))
                return VERDICT_PASS;
        if (in->payload.n <= LENT_MAX)
                payload_lend(&payload, &room, arena, in->payload.n);
        r = payload_parse(&payload, in->payload, &error);
        if (r) {
                connection_count(&in->s->link, DROP_MALFORMED,
                                 "the commands of a message are malformed");
                inbound_undelivered(in, r > 0 ? MBUS_REASON_MALFORMED : MBUS_REASON_FULL,
                                    r > 0 ? error.what : "the broker's memory is short");
                return VERDICT_STOP;
        }
        verdict = judge_commands(in, &payload);
        payload_deinit(&payload);
        return verdict;
}

/* ---- what hinders -------------------------------------------------------------------------- */

void inbound_refuse_more(struct inbound *in, int result)
{
        if (result == MBUS_E_MALFORMED)
                inbound_undelivered(in, MBUS_REASON_MALFORMED, "SeqNums on a link must rise");
        else if (result == MBUS_E_FULL)
                inbound_undelivered(in, MBUS_REASON_FULL,
                                    "too many reliable messages are under way");
        else if (result == MBUS_E_TOO_LARGE)
                inbound_undelivered(in, MBUS_REASON_FULL,
                                    "too many octets of reliable messages are under way");
        else
                inbound_undelivered(in, MBUS_REASON_FULL, "the broker's memory is short");
}
