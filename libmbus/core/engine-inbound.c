/*
 * engine-inbound.c - see engine-inbound.h.
 */
#include "engine-inbound.h"

bool inbound_is_relayed(const struct engine *e, const struct inbound *in)
{
        return e->options.owner_relays && !in->header.reliable;
}

bool inbound_is_for_us(const struct inbound *in)
{
        return in->header.reliable ? in->exact != NULL : in->matched || in->header.dest.n == 0;
}

void inbound_find_recipients(const struct engine *e, struct inbound *in)
{
        struct index_cursor cursor = index_match(&e->locals, &in->header.dest);
        struct entity *first = entity_of_entry(index_next(&cursor));

        in->matched = first != NULL;
        if (!in->header.reliable || !first)
                return;
        if (first->entry.address->n == in->header.dest.n)
                in->exact = first;
        else if (e->options.dialect == DIALECT_UCL && !index_next(&cursor))
                in->exact = first;
        else
                in->exact = entity_of_entry(index_find(&e->locals, &in->header.dest));
}

static void scan_commands(struct inbound *in)
{
        const struct payload *payload = &in->message->payload;

        for (size_t i = 0; i < payload->n; ++i) {
                struct span name = payload->commands[i].name;

                if (span_equal_text(name, "mbus.hello"))
                        in->hello = true;
                else if (span_equal_text(name, "mbus.bye"))
                        in->bye = true;
                else if (span_equal_text(name, "mbus.ping"))
                        in->ping = true;
                else
                        in->has_payload = true;
        }
}

bool inbound_read_payload(struct engine *e, struct inbound *in)
{
        bool is_wanted = inbound_is_for_us(in) || inbound_is_relayed(e, in);
        int r;

        if (!e->observe && (!is_wanted || in->header.payload == in->text.n))
                return true;
        r = message_new(in->text, &in->message, NULL);
        if (r != 0) {
                count_drop(e, r > 0 ? MBUS_DROP_MALFORMED : MBUS_DROP_EVENTS);
                return false;
        }
        scan_commands(in);
        return true;
}
