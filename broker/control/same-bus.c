/*
 * same-bus.c - a client asks whether the broker is on the bus of its configuration: broker.nonce
 * and broker.same-bus (spec/attach.md, "Which bus").
 *
 * A wrong answer is a guess at the keys. Each costs a nonce of its own, and a user who may not read
 * the configuration anyway has ten of them a minute; whoever has guessed that often is told nothing
 * for a while, right or wrong. The broker itself never says a digest, so that there is nothing to
 * guess at without asking.
 */
#include "commands.h"

#include <assert.h>
#include <string.h>

#include <io/entropy.h>

static void proof_answer(struct request *request, const char *name, struct span args)
{
        struct buffer payload = BUFFER_INIT;

        buffer_add_text(&payload, name);
        buffer_add_char(&payload, '(');
        buffer_add_uint(&payload, request->h->seq);
        buffer_add_char(&payload, ' ');
        buffer_add_span(&payload, args);
        buffer_add_char(&payload, ')');
        if (payload.failed)
                connection_kill(&request->s->link, "memory is short");
        else
                request_confirm(request, buffer_span(&payload));
        buffer_deinit(&payload);
}

static void on_nonce(struct request *request)
{
        char text[PROOF_NONCE_TEXT_SIZE + 2] = { '"', [PROOF_NONCE_TEXT_SIZE + 1] = '"' };
        struct session *s = request->s;

        if (entropy_fill(s->control->nonce, sizeof(s->control->nonce)) < 0) {
                request_fail(request, MBUS_REASON_FULL, "the system has no random numbers");
                return;
        }
        s->control->has_nonce = true;
        proof_format_nonce(s->control->nonce, text + 1);
        proof_answer(request, "broker.nonce", (struct span){ text, sizeof(text) });
}

/* Whether a user may guess once more; the owner, who can read the keys, always may. */
static bool may_guess(struct request *request)
{
        const uint64_t each = PROOFS_MINUTE_MS / PROOFS_MAX * NSEC_PER_MSEC;
        uint64_t now = request->control->it->now;

        return connection_is_owner(&request->s->link) ||
               request->s->link.user->guesses.paid_at <= now ||
               request->s->link.user->guesses.paid_at - now <= (PROOFS_MAX - 1) * each;
}

static void charge_guess(struct request *request)
{
        struct bucket *guesses = &request->s->link.user->guesses;

        if (guesses->paid_at < request->control->it->now)
                guesses->paid_at = request->control->it->now;
        guesses->paid_at += PROOFS_MINUTE_MS / PROOFS_MAX * NSEC_PER_MSEC;
}

/* The only parameter, a string; empty if it is none. */
static struct span proof_of(const struct request *request)
{
        const struct value *args = payload_args(request->payload, request->command);
        const struct value *v = args + 1;

        return args->items == 1 && v->type == MBUS_VALUE_STRING ? v->text : span_of("");
}

static void on_same_bus(struct request *request)
{
        struct span where = span_of(udp_name(request->control->buses->main.udp));
        struct session *s = request->s;
        struct buffer no = BUFFER_INIT;

        if (!s->control->has_nonce) {
                request_fail(request, MBUS_REASON_MALFORMED,
                             "broker.nonce has to be asked for first");
                return;
        }
        s->control->has_nonce = false;
        if (!may_guess(request)) {
                connection_log_fixed_limit(&s->link, FIXED_PROOFS,
                                           "it is not told whether its keys are right");
                request_fail(request, MBUS_REASON_FULL,
                             "this user has asked with wrong keys too often, and is told again in "
                             "a minute");
                return;
        }
        if (proof_check(request->control->buses->main.crypto, &request->control->settings->mbus,
                        where, s->control->nonce, proof_of(request))) {
                proof_answer(request, "broker.same-bus", span_of("yes"));
                return;
        }
        charge_guess(request);
        connection_count(&s->link, DROP_DENIED, "its configuration is that of another bus");
        buffer_add_text(&no, "no ");
        value_format_string(where, &no);
        proof_answer(request, "broker.same-bus", no.failed ? span_of("no \"\"") : buffer_span(&no));
        buffer_deinit(&no);
}

static const struct command_entry entries[] = {
        { "broker.nonce", SPEAKER_ANY, on_nonce },
        { "broker.same-bus", SPEAKER_ANY, on_same_bus },
};

const struct command_table same_bus_commands = { entries, sizeof(entries) / sizeof(*entries),
                                                 NULL };
