/*
 * request.c - how a command for the broker is answered.
 */
#include "request.h"

static struct span self_of(const struct request *request)
{
        return request->control->sessions->self_address->text;
}

void request_answer(struct request *request, struct span payload)
{
        reply_message(request->s, self_of(request), request->h->src.text, NULL, 0, payload);
}

void request_confirm(struct request *request, struct span payload)
{
        reply_message(request->s, self_of(request), span_of("()"), &request->h->seq, 1, payload);
        request->answered = true;
}

void request_fail(struct request *request, enum mbus_reason reason, const char *why)
{
        if (!request->answered)
                reply_undelivered(request->s, request->h->src.text, request->h->seq, reason, why);
        request->answered = true;
        request->failed = true;
}

void request_refuse(struct request *request, const char *reason, const char *why)
{
        reply_about(request->s, span_of("()"), "broker.refused", request->h->seq, reason, why);
        request->answered = true;
        request->failed = true;
}

void request_end(struct request *request)
{
        if (request->h->reliable && !request->answered)
                reply_acknowledge(request->s, self_of(request), request->h->src.text,
                                  &request->h->seq, 1);
}
