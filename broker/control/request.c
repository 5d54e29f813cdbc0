/*
 * request.c - how a command for the broker is answered.
 */
#include "request.h"

static struct span self_of(const struct request *r)
{
        return r->control->sessions->self_address->text;
}

void request_answer(struct request *r, struct span payload)
{
        reply_message(r->s, self_of(r), r->h->src.text, NULL, 0, payload);
}

void request_confirm(struct request *r, struct span payload)
{
        reply_message(r->s, self_of(r), span_of("()"), &r->h->seq, 1, payload);
        r->answered = true;
}

void request_fail(struct request *r, enum mbus_reason reason, const char *why)
{
        if (!r->answered)
                reply_undelivered(r->s, r->h->src.text, r->h->seq, reason, why);
        r->answered = true;
        r->failed = true;
}

void request_refuse(struct request *r, const char *reason, const char *why)
{
        reply_about(r->s, span_of("()"), "broker.refused", r->h->seq, reason, why);
        r->answered = true;
        r->failed = true;
}

void request_end(struct request *r)
{
        if (r->h->reliable && !r->answered)
                reply_acknowledge(r->s, self_of(r), r->h->src.text, &r->h->seq, 1);
}
