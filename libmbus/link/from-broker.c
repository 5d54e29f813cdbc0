/*
 * from-broker.c - see from-broker.h.
 */
#include "from-broker.h"

#include <assert.h>
#include <stdlib.h>

#include <io/clock.h>

#include "ask.h"
#include "early.h"
#include "flush.h"
#include "send.h"

/* How long an address that we had is asked for again, a little longer than TCP needs to find out
 * that a link is gone, and how often. */
#define TAKEN_PATIENCE (30 * NSEC_PER_SEC)
#define TAKEN_PAUSE (250 * NSEC_PER_MSEC)

/* The parameters of a command of the broker, taken one after the other. */
struct args {
        const struct value *next;
        const struct value *end;
};

static struct args args_of(const struct value *list)
{
        return (struct args){ list + 1, list + list->nodes };
}

static const struct value *args_take(struct args *args, enum mbus_value_type type)
{
        const struct value *v = args->next;

        if (v >= args->end)
                return NULL;
        args->next += v->nodes;
        return v->type == type ? v : NULL;
}

static bool args_take_seq(struct args *args, uint32_t *ret_seq)
{
        const struct value *v = args_take(args, MBUS_VALUE_INTEGER);

        if (!v || v->overflow || v->integer < 0 || v->integer > UINT32_MAX)
                return false;
        *ret_seq = (uint32_t)v->integer;
        return true;
}

static struct span args_take_text(struct args *args, enum mbus_value_type type)
{
        const struct value *v = args_take(args, type);

        return v ? v->text : SPAN_NULL;
}

static bool args_take_address(struct args *args, struct address *ret_address)
{
        struct span text = args_take_text(args, MBUS_VALUE_STRING);

        return text.at && address_parse(text, LENIENT, ret_address, NULL, NULL) == 0;
}

/* What else the broker says of an attachment: lists of a name and what is said under it. Names
 * that are not known here are skipped. */
static void take_options(struct link *l, struct args args)
{
        size_t largest = l->largest;

        for (; args.next < args.end; args.next += args.next->nodes) {
                const struct value *list = args.next;
                uint64_t number;

                if (list->type != MBUS_VALUE_LIST || list->items != 2 ||
                    list[1].type != MBUS_VALUE_SYMBOL)
                        continue;
                if (list[2].type == MBUS_VALUE_SYMBOL && span_equal_text(list[1].text, "dialect") &&
                    span_equal_text(list[2].text, "ucl"))
                        l->dialect = DIALECT_UCL;
                if (list[2].type != MBUS_VALUE_INTEGER || list[2].integer < 0 ||
                    list[2].integer > UINT32_MAX)
                        continue;
                number = (uint64_t)list[2].integer;
                if (span_equal_text(list[1].text, "silence") && number * NSEC_PER_MSEC > l->silence)
                        l->silence = number * NSEC_PER_MSEC;
                if (span_equal_text(list[1].text, "largest") && number < MESSAGE_MAX)
                        largest = number;
        }
        link_set_largest(l, largest);
}

/* ---- attachments and tickets --------------------------------------------------------------- */

static void broker_on_attached(struct link *l, struct args args)
{
        const struct ticket *ticket;
        struct link_entity *entity;
        struct address address;
        uint32_t seq;
        int r;

        if (!args_take_seq(&args, &seq) || !args_take(&args, MBUS_VALUE_INTEGER) ||
            !args_take_address(&args, &address))
                return;
        ticket = tickets_find(&l->tickets, seq);
        if (!ticket || !ticket->attach) {
                /* The application has removed it meanwhile. */
                (void)link_detach(l, address.text);
                return;
        }
        take_options(l, args);
        entity = ticket->entity;
        tickets_remove(&l->tickets, seq);
        header_cache_clear(&l->headers);
        assert(!entity->attached.address && !entity->refused);
        r = index_add(&l->attached, &entity->attached, &address);
        if (r == 0)
                r = entity_ready(&entity->base, link_events(l), &address);
        if (r < 0)
                link_events(l)->failure = r;
        else
                link_send_early(entity);
}

/* The address that an entity had is somebody else's now. With an id that the broker made, another
 * will do. */
static bool ask_anew(struct link_entity *entity)
{
        if (!entity->base.text || entity->anew || address_get(entity->base.given, "id").at)
                return false;
        return link_attach(entity, true) == 0;
}

/* After a lost link it may be our old one that has the address, until the broker finds out that
 * we are not there any more. */
static bool ask_later(struct link *l, struct link_entity *entity)
{
        uint64_t now = clock_now();

        if (!entity->base.text || l->up_at == 0 || now >= l->up_at + TAKEN_PATIENCE)
                return false;
        assert(!entity->waits && !entity->attached.address);
        entity->waits = true;
        if (l->ask_at == TIME_NEVER)
                l->ask_at = now + TAKEN_PAUSE;
        return true;
}

static void refuse_for_good(struct link *l, struct link_entity *entity, enum mbus_reason reason,
                            struct span why)
{
        struct mbus_event event = { .type = MBUS_EVENT_REFUSED,
                                    .entity = &entity->base,
                                    .reason = reason };

        if (event_queue_reserve(link_events(l), 1) < 0) {
                link_events(l)->failure = -ENOMEM;
                return;
        }
        event.why = why_string(why);
        event_queue_push(link_events(l), &event, NULL);
        assert(!entity->attached.address && entity->n_tickets == 0);
        entity->refused = true;
        entity->base.refused = reason;
        early_fail(entity, reason, why);
}

static void refuse_attachment(struct link *l, struct link_entity *entity, enum mbus_reason reason,
                              struct span why)
{
        if (reason != MBUS_REASON_TAKEN || (!ask_anew(entity) && !ask_later(l, entity)))
                refuse_for_good(l, entity, reason, why);
}

static bool is_asked_to_observe(const struct link *l, uint32_t seq)
{
        return l->observe_asked && seq == l->observe_seq;
}

/* A question of the library's own was not granted. */
static void broker_on_question_failed(struct link *l, uint32_t seq, enum mbus_reason reason,
                                      struct span why)
{
        const struct watches *watches = &l->base.bus->watches;

        /* A broker that does not know the question has answered it all the same. */
        if (link_on_flushed(l, seq))
                return;
        if (is_asked_to_observe(l, seq)) {
                l->observe_asked = false;
                observing_ended(&l->base.bus->observing, link_events(l), reason, why);
        }
        for (size_t i = 0; i < watches->n; i++) {
                if (watches->all[i].seq != seq || watches->all[i].answered)
                        continue;
                reported_unwatch(&l->base.bus->reported, i, reason, why);
                return;
        }
}

/* broker.refused and broker.undelivered alike: something that was asked for will not be. */
static void broker_on_failed(struct link *l, struct args args)
{
        const struct ticket *found;
        enum mbus_reason reason;
        struct ticket ticket;
        struct span why;
        uint32_t seq;

        if (!args_take_seq(&args, &seq))
                return;
        reason = reason_from_name(args_take_text(&args, MBUS_VALUE_SYMBOL));
        why = args_take_text(&args, MBUS_VALUE_STRING);
        if (reason == MBUS_REASON_NONE)
                reason = MBUS_REASON_DENIED;
        found = tickets_find(&l->tickets, seq);
        if (!found) {
                broker_on_question_failed(l, seq, reason, why);
                return;
        }
        ticket = *found;
        tickets_remove(&l->tickets, seq);
        if (ticket.attach)
                refuse_attachment(l, ticket.entity, reason, why);
        else
                ticket_end(link_events(l), &ticket, reason, why);
}

/* The owner of the broker dropped an entity, [policy] does not cover it any more, or somebody
 * else on the bus has its address. What it had under way ends with it. */
static void broker_on_detached(struct link *l, struct args args)
{
        struct link_entity *entity;
        enum mbus_reason reason;
        struct address address;
        struct ticket ticket;
        struct span why;
        size_t cursor = 0;

        if (!args_take_address(&args, &address))
                return;
        entity = entity_of_attached(index_find(&l->attached, &address));
        if (!entity)
                return;
        reason = reason_from_name(args_take_text(&args, MBUS_VALUE_SYMBOL));
        if (reason == MBUS_REASON_NONE)
                reason = MBUS_REASON_DENIED;
        why = args_take_text(&args, MBUS_VALUE_STRING);
        header_cache_clear(&l->headers);
        index_remove(&l->attached, &entity->attached);
        while (tickets_take(&l->tickets, entity, &cursor, &ticket))
                ticket_end(link_events(l), &ticket, reason, why);
        if (reason == MBUS_REASON_TAKEN && ask_anew(entity))
                return;
        refuse_for_good(l, entity, reason, why);
}

/* Somebody else on the bus has the address. */
static void broker_on_renamed(struct link *l, struct args args)
{
        struct address from, to;
        struct link_entity *entity;
        int r;

        if (!args_take_address(&args, &from) || !args_take_address(&args, &to))
                return;
        entity = entity_of_attached(index_find(&l->attached, &from));
        if (!entity || index_find(&l->attached, &to))
                return;
        header_cache_clear(&l->headers);
        index_remove(&l->attached, &entity->attached);
        r = index_add(&l->attached, &entity->attached, &to);
        if (r == 0)
                r = entity_ready(&entity->base, link_events(l), &to);
        if (r < 0)
                link_events(l)->failure = r;
}

/* The broker has done what the library asked of it. */
void link_on_broker_acks(struct link *l, const struct message *m)
{
        struct span rest = m->header.acks;
        uint32_t seq;

        while ((l->observe_asked || l->flush_asked) && acks_next(&rest, &seq)) {
                if (link_on_flushed(l, seq) || !is_asked_to_observe(l, seq))
                        continue;
                l->observe_asked = false;
                observing_begun(&l->base.bus->observing, link_events(l));
        }
}

/* ---- other entities ------------------------------------------------------------------------ */

static void broker_on_joined(struct link *l, struct args args)
{
        uint64_t now = clock_now();
        struct address address;

        while (args.next < args.end) {
                bool usable = args_take_address(&args, &address);
                const struct value *age = args_take(&args, MBUS_VALUE_INTEGER);
                uint64_t ms = age && age->integer > 0 ? (uint64_t)age->integer : 0;

                if (!usable || index_find(&l->attached, &address))
                        continue;
                reported_joined(&l->base.bus->reported, &address,
                                ms < now / NSEC_PER_MSEC ? now - ms * NSEC_PER_MSEC : 0);
        }
}

static void broker_on_left(struct link *l, struct args args)
{
        struct address address;

        if (args_take_address(&args, &address))
                reported_left(&l->base.bus->reported, &address,
                              reason_from_name(args_take_text(&args, MBUS_VALUE_SYMBOL)));
}

static bool report_watching(struct link *l)
{
        bool room = event_queue_reserve(link_events(l), 1) == 0;

        if (room)
                event_queue_push(link_events(l),
                                 &(struct mbus_event){ .type = MBUS_EVENT_WATCHING }, NULL);
        else
                link_events(l)->failure = -ENOMEM;
        return room;
}

static void broker_on_watching(struct link *l, struct args args)
{
        struct watches *watches = &l->base.bus->watches;
        bool all = true;
        uint32_t seq;

        if (!args_take_seq(&args, &seq))
                return;
        network_set_interface(&l->network, args_take_text(&args, MBUS_VALUE_STRING));
        for (size_t i = 0; i < watches->n; i++) {
                struct watch *watch = &watches->all[i];

                if (watch->seq == seq && !watch->answered) {
                        watch->answered = true;
                        watch->announced = watch->announced || report_watching(l);
                }
                all = all && watch->answered;
        }
        if (all)
                reported_sweep(&l->base.bus->reported);
}

static void broker_on_unwatched(struct link *l, struct args args)
{
        struct watches *watches = &l->base.bus->watches;
        enum mbus_reason reason = reason_from_name(args_take_text(&args, MBUS_VALUE_SYMBOL));
        struct span why = args_take_text(&args, MBUS_VALUE_STRING);

        for (size_t i = watches->n; i > 0 && reason != MBUS_REASON_NONE; i--)
                reported_unwatch(&l->base.bus->reported, i - 1, reason, why);
}

static void broker_on_unobserved(struct link *l, struct args args)
{
        enum mbus_reason reason = reason_from_name(args_take_text(&args, MBUS_VALUE_SYMBOL));

        if (reason != MBUS_REASON_NONE)
                observing_ended(&l->base.bus->observing, link_events(l), reason,
                                args_take_text(&args, MBUS_VALUE_STRING));
}

static void broker_on_dropped(struct link *l, struct args args)
{
        const struct value *count = args_take(&args, MBUS_VALUE_INTEGER);
        struct mbus_event event = { .type = MBUS_EVENT_DROPPED };

        if (!count || count->integer <= 0)
                return;
        event.drop = drop_from_name(args_take_text(&args, MBUS_VALUE_SYMBOL));
        event.count = (uint64_t)count->integer;
        /* Of those that were denied, the SeqNum of the first, and why it was. */
        (void)args_take(&args, MBUS_VALUE_INTEGER);
        event.why = why_string(args_take_text(&args, MBUS_VALUE_STRING));
        l->dropped[event.drop] += event.count;
        event_queue_push(link_events(l), &event, NULL);
}

static void broker_on_network(struct link *l, struct args args)
{
        struct span name = args_take_text(&args, MBUS_VALUE_SYMBOL);
        struct span interface = args_take_text(&args, MBUS_VALUE_STRING);

        network_told(&l->network, link_events(l), name, interface,
                     args_take_text(&args, MBUS_VALUE_STRING));
}

/* ---- dispatch ------------------------------------------------------------------------------ */

static const struct {
        const char *name;
        void (*handle)(struct link *l, struct args args);
} verbs[] = {
        { "broker.attached", broker_on_attached },
        { "broker.refused", broker_on_failed },
        { "broker.undelivered", broker_on_failed },
        { "broker.joined", broker_on_joined },
        { "broker.left", broker_on_left },
        { "broker.watching", broker_on_watching },
        { "broker.dropped", broker_on_dropped },
        { "broker.detached", broker_on_detached },
        { "broker.renamed", broker_on_renamed },
        { "broker.unwatched", broker_on_unwatched },
        { "broker.unobserved", broker_on_unobserved },
        { "broker.network", broker_on_network },
};

/* Whether @command was the broker's to the library. */
static bool broker_on_command(struct link *l, const struct payload *p,
                              const struct command *command)
{
        for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
                if (!span_equal_text(command->name, verbs[i].name))
                        continue;
                verbs[i].handle(l, args_of(payload_args(p, command)));
                return true;
        }
        return false;
}

bool link_on_broker_message(struct link *l, const struct message *m)
{
        bool all = true;

        for (size_t i = 0; i < m->payload.n; i++)
                all = broker_on_command(l, &m->payload, &m->payload.commands[i]) && all;
        return all;
}
