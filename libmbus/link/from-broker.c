/*
 * from-broker.c - what the broker says to the library (spec/attach.md): answers to its questions, who
 * is on the bus, what was lost.
 */
#include "link.h"

#include <stdlib.h>

#include <io/clock.h>

/* How long an address that we had is asked for again, a little longer than TCP needs to find out that
 * a link is gone, and how often. */
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

static bool take_seq(struct args *args, uint32_t *ret_seq)
{
        const struct value *v = args_take(args, MBUS_VALUE_INTEGER);

        if (!v || v->overflow || v->integer < 0 || v->integer > UINT32_MAX)
                return false;
        *ret_seq = (uint32_t)v->integer;
        return true;
}

static struct span take_text(struct args *args, enum mbus_value_type type)
{
        const struct value *v = args_take(args, type);

        return v ? v->text : SPAN_NULL;
}

static bool take_address(struct args *args, struct address *ret_address)
{
        struct span text = take_text(args, MBUS_VALUE_STRING);

        return text.at && address_parse(text, LENIENT, ret_address, NULL, NULL) == 0;
}

/* What else the broker says of an attachment: lists of a name and what is said under it. Names that are not
 * known here are skipped. */
static void take_options(struct mbus_bus *bus, struct args args)
{
        struct link *l = bus->impl;
        size_t largest = bus->largest;

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
        link_set_largest(bus, largest);
}

/* ---- attachments and tickets --------------------------------------------------------------- */

static void on_attached(struct mbus_bus *bus, struct args args)
{
        struct link *l = bus->impl;
        const struct ticket *ticket;
        struct mbus_entity *entity;
        struct address address;
        uint32_t seq;
        int r;

        if (!take_seq(&args, &seq) || !args_take(&args, MBUS_VALUE_INTEGER) ||
            !take_address(&args, &address))
                return;
        ticket = tickets_find(&l->tickets, seq);
        if (!ticket || !ticket->attach) {
                /* The application has removed it meanwhile. */
                (void)link_detach(bus, address.text);
                return;
        }
        take_options(bus, args);
        entity = ticket->entity;
        tickets_remove(&l->tickets, seq);
        link_forget_known(l);
        r = index_add(&l->attached, &entity->attached, &address);
        if (r == 0)
                r = entity_ready(entity, &address);
        if (r < 0)
                bus->failure = r;
        else
                early_go(entity);
}

/* The address that an entity had is somebody else's now. With an id that the broker made, another
 * will do. */
static bool ask_anew(struct mbus_entity *entity)
{
        if (!entity->text || entity->anew || address_get(entity->given, "id").at)
                return false;
        return link_attach(entity, true) == 0;
}

/* After a lost link it may be our old one that has the address, until the broker finds out that we are
 * not there any more. */
static bool ask_later(struct mbus_bus *bus, struct mbus_entity *entity)
{
        struct link *l = bus->impl;
        uint64_t now = clock_now();

        if (!entity->text || l->up_at == 0 || now >= l->up_at + TAKEN_PATIENCE)
                return false;
        entity->waits = true;
        if (l->ask_at == TIME_NEVER)
                l->ask_at = now + TAKEN_PAUSE;
        return true;
}

static void refuse_for_good(struct mbus_bus *bus, struct mbus_entity *entity,
                            enum mbus_reason reason, struct span why)
{
        struct mbus_event event = { .type = MBUS_EVENT_REFUSED,
                                    .entity = entity,
                                    .reason = reason };

        if (event_queue_reserve(&bus->queue, 1) < 0) {
                bus->failure = -ENOMEM;
                return;
        }
        event.why = why_string(why);
        event_queue_push(bus, &event, NULL);
        entity->refused = true;
        early_fail(entity, reason, why);
}

static void refuse(struct mbus_bus *bus, struct mbus_entity *entity, enum mbus_reason reason,
                   struct span why)
{
        if (reason != MBUS_REASON_TAKEN || (!ask_anew(entity) && !ask_later(bus, entity)))
                refuse_for_good(bus, entity, reason, why);
}

static bool is_asked_to_observe(const struct link *l, uint32_t seq)
{
        return l->observe_asked && seq == l->observe_seq;
}

/* A question of the library's own was not granted. */
static void on_question_failed(struct mbus_bus *bus, uint32_t seq, enum mbus_reason reason,
                               struct span why)
{
        struct link *l = bus->impl;

        /* A broker that does not know the question has answered it all the same. */
        if (link_on_flushed(l, seq))
                return;
        if (is_asked_to_observe(l, seq)) {
                l->observe_asked = false;
                observe_ended(bus, reason, why);
        }
        for (size_t i = 0; i < bus->n_watches; i++) {
                if (bus->watches[i].seq != seq || bus->watches[i].answered)
                        continue;
                watch_ended(bus, i, reason, why);
                return;
        }
}

/* broker.refused and broker.undelivered alike: something that was asked for will not be. */
static void on_failed(struct mbus_bus *bus, struct args args)
{
        struct link *l = bus->impl;
        const struct ticket *found;
        enum mbus_reason reason;
        struct ticket ticket;
        struct span why;
        uint32_t seq;

        if (!take_seq(&args, &seq))
                return;
        reason = reason_from_name(take_text(&args, MBUS_VALUE_SYMBOL));
        why = take_text(&args, MBUS_VALUE_STRING);
        if (reason == MBUS_REASON_NONE)
                reason = MBUS_REASON_DENIED;
        found = tickets_find(&l->tickets, seq);
        if (!found) {
                on_question_failed(bus, seq, reason, why);
                return;
        }
        ticket = *found;
        tickets_remove(&l->tickets, seq);
        if (ticket.attach)
                refuse(bus, ticket.entity, reason, why);
        else
                link_finish(bus, &ticket, reason, why);
}

/* The owner of the broker dropped an entity, [policy] does not cover it any more, or somebody else on the bus
 * has its address. What it had under way
 * ends with it. */
static void on_detached(struct mbus_bus *bus, struct args args)
{
        struct link *l = bus->impl;
        struct mbus_entity *entity;
        enum mbus_reason reason;
        struct address address;
        struct ticket ticket;
        struct span why;
        size_t cursor = 0;

        if (!take_address(&args, &address))
                return;
        entity = entity_of_attached(index_find(&l->attached, &address));
        if (!entity)
                return;
        reason = reason_from_name(take_text(&args, MBUS_VALUE_SYMBOL));
        if (reason == MBUS_REASON_NONE)
                reason = MBUS_REASON_DENIED;
        why = take_text(&args, MBUS_VALUE_STRING);
        link_forget_known(l);
        index_remove(&l->attached, &entity->attached);
        while (tickets_take(&l->tickets, entity, &cursor, &ticket))
                link_finish(bus, &ticket, reason, why);
        if (reason == MBUS_REASON_TAKEN && ask_anew(entity))
                return;
        refuse_for_good(bus, entity, reason, why);
}

/* Somebody else on the bus has the address. */
static void on_renamed(struct mbus_bus *bus, struct args args)
{
        struct link *l = bus->impl;
        struct address from, to;
        struct mbus_entity *entity;
        int r;

        if (!take_address(&args, &from) || !take_address(&args, &to))
                return;
        entity = entity_of_attached(index_find(&l->attached, &from));
        if (!entity || index_find(&l->attached, &to))
                return;
        link_forget_known(l);
        index_remove(&l->attached, &entity->attached);
        r = index_add(&l->attached, &entity->attached, &to);
        if (r == 0)
                r = entity_ready(entity, &to);
        if (r < 0)
                bus->failure = r;
}
/* The broker has done what the library asked of it. */
void link_on_broker_acks(struct mbus_bus *bus, const struct message *m)
{
        struct link *l = bus->impl;
        struct span rest = m->header.acks;
        uint32_t seq;

        while ((l->observe_asked || l->flush_asked) && acks_next(&rest, &seq)) {
                if (link_on_flushed(l, seq) || !is_asked_to_observe(l, seq))
                        continue;
                l->observe_asked = false;
                observe_begun(bus);
        }
}

/* ---- other entities ------------------------------------------------------------------------ */

static void on_joined(struct mbus_bus *bus, struct args args)
{
        struct link *l = bus->impl;
        uint64_t now = clock_now();
        struct address address;

        while (args.next < args.end) {
                bool usable = take_address(&args, &address);
                const struct value *age = args_take(&args, MBUS_VALUE_INTEGER);
                uint64_t ms = age && age->integer > 0 ? (uint64_t)age->integer : 0;

                if (!usable || index_find(&l->attached, &address))
                        continue;
                told_joined(bus, &address, ms < now / NSEC_PER_MSEC ? now - ms * NSEC_PER_MSEC : 0);
        }
}

static void on_left(struct mbus_bus *bus, struct args args)
{
        struct address address;

        if (take_address(&args, &address))
                told_left(bus, &address, reason_from_name(take_text(&args, MBUS_VALUE_SYMBOL)));
}

static bool report_watching(struct mbus_bus *bus)
{
        bool room = event_queue_reserve(&bus->queue, 1) == 0;

        if (room)
                event_queue_push(bus, &(struct mbus_event){ .type = MBUS_EVENT_WATCHING }, NULL);
        else
                bus->failure = -ENOMEM;
        return room;
}

static void on_watching(struct mbus_bus *bus, struct args args)
{
        bool all = true;
        uint32_t seq;

        if (!take_seq(&args, &seq))
                return;
        link_set_interface(bus->impl, take_text(&args, MBUS_VALUE_STRING));
        for (size_t i = 0; i < bus->n_watches; i++) {
                struct watch *watch = &bus->watches[i];

                if (watch->seq == seq && !watch->answered) {
                        watch->answered = true;
                        watch->told = watch->told || report_watching(bus);
                }
                all = all && watch->answered;
        }
        if (all)
                told_sweep(bus);
}

static void on_unwatched(struct mbus_bus *bus, struct args args)
{
        enum mbus_reason reason = reason_from_name(take_text(&args, MBUS_VALUE_SYMBOL));

        struct span why = take_text(&args, MBUS_VALUE_STRING);

        for (size_t i = bus->n_watches; i > 0 && reason != MBUS_REASON_NONE; i--)
                watch_ended(bus, i - 1, reason, why);
}

static void on_unobserved(struct mbus_bus *bus, struct args args)
{
        enum mbus_reason reason = reason_from_name(take_text(&args, MBUS_VALUE_SYMBOL));

        if (reason != MBUS_REASON_NONE)
                observe_ended(bus, reason, take_text(&args, MBUS_VALUE_STRING));
}

static void on_dropped(struct mbus_bus *bus, struct args args)
{
        const struct value *count = args_take(&args, MBUS_VALUE_INTEGER);
        struct mbus_event event = { .type = MBUS_EVENT_DROPPED };

        if (!count || count->integer <= 0)
                return;
        event.drop = drop_from_name(take_text(&args, MBUS_VALUE_SYMBOL));
        event.count = (uint64_t)count->integer;
        /* Of those that were denied, the SeqNum of the first, and why it was. */
        (void)args_take(&args, MBUS_VALUE_INTEGER);
        event.why = why_string(take_text(&args, MBUS_VALUE_STRING));
        bus->dropped[event.drop] += event.count;
        event_queue_push(bus, &event, NULL);
}

static void on_network(struct mbus_bus *bus, struct args args)
{
        struct span name = take_text(&args, MBUS_VALUE_SYMBOL);
        struct span interface = take_text(&args, MBUS_VALUE_STRING);

        link_on_network(bus, name, interface, take_text(&args, MBUS_VALUE_STRING));
}

/* ---- dispatch ------------------------------------------------------------------------------ */

static const struct {
        const char *name;
        void (*handle)(struct mbus_bus *bus, struct args args);
} verbs[] = {
        { "broker.attached", on_attached },
        { "broker.refused", on_failed },
        { "broker.undelivered", on_failed },
        { "broker.joined", on_joined },
        { "broker.left", on_left },
        { "broker.watching", on_watching },
        { "broker.dropped", on_dropped },
        { "broker.detached", on_detached },
        { "broker.renamed", on_renamed },
        { "broker.unwatched", on_unwatched },
        { "broker.unobserved", on_unobserved },
        { "broker.network", on_network },
};

/* Whether @command was the broker's to the library. */
static bool on_broker_command(struct mbus_bus *bus, const struct payload *p,
                              const struct command *command)
{
        for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
                if (!span_equal_text(command->name, verbs[i].name))
                        continue;
                verbs[i].handle(bus, args_of(payload_args(p, command)));
                return true;
        }
        return false;
}

bool link_on_broker_message(struct mbus_bus *bus, const struct message *m)
{
        bool all = true;

        for (size_t i = 0; i < m->payload.n; i++)
                all = on_broker_command(bus, &m->payload, &m->payload.commands[i]) && all;
        return all;
}
