/*
 * ask.c - see ask.h.
 */
#include "ask.h"

#include <assert.h>

#include <core/filter.h>

#include "output.h"

/* Sends @payload to the broker; @from may be "()". */
static int ask_broker(struct link *l, struct span from, bool reliable, struct span payload)
{
        struct header_spec spec = { .src = from,
                                    .dest = span_of(LINK_BROKER),
                                    .reliable = reliable };

        return link_push(l, &spec, payload, CONTROL_OUTPUT_MAX);
}

int link_ask(struct link *l, struct span payload)
{
        return ask_broker(l, span_of("()"), true, payload);
}

/* The version that we speak, and what the broker is to know of the entity. */
static void format_attach(const struct link_entity *entity, bool made, struct buffer *out)
{
        uint64_t patience = link_of_entity(entity)->patience;

        buffer_add_text(out, "broker.attach(1");
        if (patience > 0) {
                buffer_add_text(out, " (patience ");
                buffer_add_uint(out, (patience - 1) / NSEC_PER_MSEC + 1);
                buffer_add_char(out, ')');
        }
        /* The id in the address is not ours to keep. */
        if (made)
                buffer_add_text(out, " (id made)");
        buffer_add_char(out, ')');
}

int link_attach(struct link_entity *entity, bool anew)
{
        struct link *l = link_of_entity(entity);
        const char *text = entity->base.next_text ? entity->base.next_text : entity->base.text;
        struct span address = text && !anew ? span_of(text) : entity->base.given->text;
        struct ticket ticket = { .entity = entity, .seq = l->seq, .attach = true };
        struct buffer payload = BUFFER_INIT;
        int r = tickets_add(&l->tickets, &ticket);

        assert(!entity->attached.address && !entity->refused && !entity->waits);
        entity->anew = anew;
        if (r != 0)
                return r;
        format_attach(entity, text && !anew && !address_get(entity->base.given, "id").at, &payload);
        r = payload.failed ? -ENOMEM : ask_broker(l, address, true, buffer_span(&payload));
        buffer_deinit(&payload);
        if (r != 0)
                tickets_remove(&l->tickets, ticket.seq);
        return r;
}

int link_detach(struct link *l, struct span address)
{
        return ask_broker(l, address, false, span_of("broker.detach()"));
}

int link_watch(struct link *l, struct watch *watch)
{
        struct buffer payload = BUFFER_INIT;
        int r;

        buffer_add_text(&payload, "broker.watch(");
        value_format_string(watch->address->text, &payload);
        buffer_add_char(&payload, ')');
        watch->seq = l->seq;
        watch->answered = false;
        r = payload.failed ? -ENOMEM : ask_broker(l, span_of("()"), false, buffer_span(&payload));
        buffer_deinit(&payload);
        return r;
}

/* Reliably: the acknowledgement says that it begins. */
int link_observe(struct link *l)
{
        const struct observing *o = &l->base.bus->observing;
        struct buffer payload = BUFFER_INIT;
        uint32_t seq = l->seq;
        int r;

        buffer_add_text(&payload, o->hello ? "broker.observe(1" : "broker.observe(0");
        filters_format(o->filters, &payload);
        buffer_add_char(&payload, ')');
        r = payload.failed ? -ENOMEM : ask_broker(l, span_of("()"), true, buffer_span(&payload));
        buffer_deinit(&payload);
        if (r == 0) {
                l->observe_seq = seq;
                l->observe_asked = true;
        }
        return r;
}
