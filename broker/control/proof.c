/*
 * proof.c - a client asks whether the broker is on the bus of its configuration: broker.nonce and
 * broker.same-bus (spec/attach.md, "Which bus").
 *
 * A wrong answer is a guess at the keys. Each costs a nonce of its own, and a user who may not read the
 * configuration anyway has ten of them a minute; whoever has guessed that often is told nothing for
 * a while, right or wrong. The broker itself never says a digest, so that there is nothing to guess at
 * without asking.
 */
#include <string.h>

#include <io/entropy.h>

#include "request.h"
#include "control.h"

static void answer(struct request *r, const char *name, struct span args)
{
        struct buffer payload = BUFFER_INIT;

        buffer_add_text(&payload, name);
        buffer_add_char(&payload, '(');
        buffer_add_uint(&payload, r->h->seq);
        buffer_add_char(&payload, ' ');
        buffer_add_span(&payload, args);
        buffer_add_char(&payload, ')');
        if (payload.failed)
                client_kill(r->c, "memory is short");
        else
                control_confirm(r, buffer_span(&payload));
        buffer_deinit(&payload);
}

void control_on_nonce(struct request *r)
{
        char text[PROOF_NONCE_TEXT_SIZE + 2] = { '"', [PROOF_NONCE_TEXT_SIZE + 1] = '"' };
        struct client *c = r->c;

        if (entropy_fill(c->nonce, sizeof(c->nonce)) < 0) {
                control_fail(r, MBUS_REASON_FULL, "the system has no random numbers");
                return;
        }
        c->has_nonce = true;
        proof_format_nonce(c->nonce, text + 1);
        answer(r, "broker.nonce", (struct span){ text, sizeof(text) });
}

/* Whether a user may guess once more; the owner, who can read the keys, always may. */
static bool may_guess(struct request *r)
{
        const uint64_t each = PROOFS_MINUTE_MS / PROOFS_MAX * NSEC_PER_MSEC;
        uint64_t now = r->b->it.now;

        return client_is_owner(r->c) || r->c->user->guesses.paid_at <= now ||
               r->c->user->guesses.paid_at - now <= (PROOFS_MAX - 1) * each;
}

static void charge_guess(struct request *r)
{
        struct bucket *guesses = &r->c->user->guesses;

        if (guesses->paid_at < r->b->it.now)
                guesses->paid_at = r->b->it.now;
        guesses->paid_at += PROOFS_MINUTE_MS / PROOFS_MAX * NSEC_PER_MSEC;
}

/* The only parameter, a string; empty if it is none. */
static struct span proof_of(const struct request *r)
{
        const struct value *args = payload_args(r->payload, r->command);
        const struct value *v = args + 1;

        return args->items == 1 && v->type == MBUS_VALUE_STRING ? v->text : span_of("");
}

void control_on_same_bus(struct request *r)
{
        struct span where = span_of(udp_name(r->b->udp));
        struct client *c = r->c;
        struct buffer no = BUFFER_INIT;

        if (!c->has_nonce) {
                control_fail(r, MBUS_REASON_MALFORMED, "broker.nonce has to be asked for first");
                return;
        }
        c->has_nonce = false;
        if (!may_guess(r)) {
                client_log_fixed_limit(c, FIXED_PROOFS,
                                       "it is not told whether its keys are right");
                control_fail(r, MBUS_REASON_FULL,
                             "this user has asked with wrong keys too often, and is told again in "
                             "a minute");
                return;
        }
        if (proof_check(r->b->bus.crypto, &r->b->config, where, c->nonce, proof_of(r))) {
                answer(r, "broker.same-bus", span_of("yes"));
                return;
        }
        charge_guess(r);
        broker_count(r->b, COUNT_DENIED, c, "its configuration is that of another bus");
        buffer_add_text(&no, "no ");
        value_format_string(where, &no);
        answer(r, "broker.same-bus", no.failed ? span_of("no \"\"") : buffer_span(&no));
        buffer_deinit(&no);
}
