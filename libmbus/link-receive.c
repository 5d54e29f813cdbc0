/*
 * link-receive.c - frames of link mode come in: messages, acknowledgements, what the broker says.
 *
 * A command is the broker's own when it comes from the address that spoke first on the link, which
 * can be nobody else's: nothing passes to a client before it was answered. What the broker says
 * beyond the commands of spec/attach.md, as an entity, is a message like any other.
 */
#include "link.h"

#include <stdlib.h>

#include "io/clock.h"

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

/* ---- attachments and tickets --------------------------------------------------------------- */

void link_finish(struct mbus_bus *bus, const struct ticket *ticket, enum mbus_reason reason)
{
        struct mbus_event event = { .type = reason ? MBUS_EVENT_FAILED : MBUS_EVENT_DELIVERED,
                                    .entity = ticket->entity,
                                    .ticket = ticket->ticket,
                                    .reason = reason };

        queue_push(bus, &event, NULL);
}

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
        entity = ticket->entity;
        tickets_remove(&l->tickets, seq);
        link_forget_known(l);
        r = index_add(&l->attached, &entity->attached, &address);
        if (r == 0)
                r = entity_ready(entity, &address);
        if (r < 0)
                bus->failure = r;
}

/* The address that an entity had is somebody else's now. With an id that the broker made, another
 * will do. */
static bool ask_anew(struct mbus_entity *entity)
{
        if (!entity->text || entity->anew || address_get(entity->given, "id").at)
                return false;
        return link_attach(entity, true) == 0;
}

static void refuse(struct mbus_bus *bus, struct mbus_entity *entity, enum mbus_reason reason)
{
        if (reason == MBUS_REASON_TAKEN && ask_anew(entity))
                return;
        if (queue_reserve(&bus->queue, 1) < 0) {
                bus->failure = -ENOMEM;
                return;
        }
        queue_push(bus,
                   &(struct mbus_event){
                           .type = MBUS_EVENT_REFUSED, .entity = entity, .reason = reason },
                   NULL);
        entity->refused = true;
}

/* broker.refused and broker.undelivered alike: something that was asked for will not be. */
static void on_failed(struct mbus_bus *bus, struct args args)
{
        struct link *l = bus->impl;
        const struct ticket *found;
        enum mbus_reason reason;
        struct ticket ticket;
        uint32_t seq;

        if (!take_seq(&args, &seq))
                return;
        reason = reason_from_name(take_text(&args, MBUS_VALUE_SYMBOL));
        if (reason == MBUS_REASON_NONE)
                reason = MBUS_REASON_DENIED;
        found = tickets_find(&l->tickets, seq);
        if (!found)
                return;
        ticket = *found;
        tickets_remove(&l->tickets, seq);
        if (ticket.attach)
                refuse(bus, ticket.entity, reason);
        else
                link_finish(bus, &ticket, reason);
}

/* The owner of the broker dropped an entity. */
static void on_detached(struct mbus_bus *bus, struct args args)
{
        struct link *l = bus->impl;
        struct mbus_entity *entity;
        struct address address;

        if (!take_address(&args, &address))
                return;
        entity = entity_of_attached(index_find(&l->attached, &address));
        if (!entity)
                return;
        index_remove(&l->attached, &entity->attached);
        refuse(bus, entity, MBUS_REASON_DENIED);
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
        index_remove(&l->attached, &entity->attached);
        r = index_add(&l->attached, &entity->attached, &to);
        if (r == 0)
                r = entity_ready(entity, &to);
        if (r < 0)
                bus->failure = r;
}

static void on_acks(struct mbus_bus *bus, const struct message *m)
{
        struct link *l = bus->impl;
        struct span rest = m->header.acks;
        struct ticket ticket;
        uint32_t seq;

        while (l->tickets.n > 0 && acks_next(&rest, &seq)) {
                const struct ticket *found = tickets_find(&l->tickets, seq);

                if (!found || found->attach)
                        continue;
                ticket = *found;
                tickets_remove(&l->tickets, seq);
                link_finish(bus, &ticket, MBUS_REASON_NONE);
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
        bool room = queue_reserve(&bus->queue, 1) == 0;

        if (room)
                queue_push(bus, &(struct mbus_event){ .type = MBUS_EVENT_WATCHING }, NULL);
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

static void on_dropped(struct mbus_bus *bus, struct args args)
{
        const struct value *count = args_take(&args, MBUS_VALUE_INTEGER);
        struct mbus_event event = { .type = MBUS_EVENT_DROPPED };

        if (!count || count->integer <= 0)
                return;
        event.drop = drop_from_name(take_text(&args, MBUS_VALUE_SYMBOL));
        event.count = (uint64_t)count->integer;
        bus->dropped[event.drop] += event.count;
        queue_push(bus, &event, NULL);
}

/* ---- headers that came before -------------------------------------------------------------- */

void link_forget_known(struct link *l)
{
        for (size_t i = 0; i < l->known.n; i++)
                free(l->known.texts[i]);
        l->known.n = l->known.next = 0;
}

/* The one entity that @h goes to, but for its source; NULL if there are several, or none. */
static struct mbus_entity *find_only(const struct link *l, const struct header *h)
{
        struct index_cursor cursor = index_match(&l->attached, &h->dest);
        struct index_entry *entry, *only = NULL;

        while ((entry = index_next(&cursor))) {
                if (only || address_equal(entry->address, &h->src))
                        return NULL;
                only = entry;
        }
        return entity_of_attached(only);
}

/* Remembers @h, in the place of the oldest. Without memory nothing is remembered. */
static void remember(struct link *l, const struct header *h)
{
        const char *from = h->src.text.at;
        size_t dest = (size_t)(h->dest.text.at - from), n = dest + h->dest.text.n;
        struct known *known = &l->known;
        size_t i = known->next;
        char *text = malloc(n);

        if (!text)
                return;
        memcpy(text, from, n);
        if (i < known->n)
                free(known->texts[i]);
        else
                known->n++;
        known->next = (i + 1) % LINK_KNOWN;
        known->texts[i] = text;
        known->to[i] = find_only(l, h);
        header_copy(&known->headers[i], h);
        known->headers[i].src.text.at = text;
        known->headers[i].dest.text.at = text + dest;
}

/* ---- frames -------------------------------------------------------------------------------- */

static const struct {
        const char *name;
        void (*handle)(struct mbus_bus *bus, struct args args);
} verbs[] = {
        { "broker.attached", on_attached },  { "broker.refused", on_failed },
        { "broker.undelivered", on_failed }, { "broker.joined", on_joined },
        { "broker.left", on_left },          { "broker.watching", on_watching },
        { "broker.dropped", on_dropped },    { "broker.detached", on_detached },
        { "broker.renamed", on_renamed },
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

/* Whoever speaks first is the broker. */
static bool is_from_broker(struct mbus_bus *bus, const struct message *m)
{
        struct link *l = bus->impl;

        if (!l->broker)
                l->broker = strdup(m->src);
        if (!l->broker) {
                bus->failure = -ENOMEM;
                return false;
        }
        return span_equal_text(m->header.src.text, l->broker);
}

/* Whether all of @m was the broker's to the library. */
static bool on_broker_message(struct mbus_bus *bus, const struct message *m)
{
        bool all = true;

        for (size_t i = 0; i < m->payload.n; i++)
                all = on_broker_command(bus, &m->payload, &m->payload.commands[i]) && all;
        return all;
}

static void deliver_reliable(struct mbus_bus *bus, struct message *m, struct mbus_entity *only)
{
        struct link *l = bus->impl;
        struct mbus_entity *entity = only;

        /* It must be the full address; whom it names may be the source itself. */
        if (!only || only->attached.address->n != m->header.dest.n)
                entity = entity_of_attached(index_find(&l->attached, &m->header.dest));
        if (!entity)
                return;
        /* Without memory it is not acknowledged, and the sender hears of a time-out. */
        if (queue_message(bus, entity, m) == 0)
                link_owe_ack(bus, entity, m);
        else
                bus->dropped[MBUS_DROP_EVENTS]++;
}

/* To all that match but the one who sent it. */
static void deliver(struct mbus_bus *bus, struct message *m, struct mbus_entity *only)
{
        struct link *l = bus->impl;
        struct index_cursor cursor;
        struct index_entry *entry;

        if (only) {
                if (queue_message(bus, only, m) < 0)
                        bus->dropped[MBUS_DROP_EVENTS]++;
                return;
        }
        cursor = index_match(&l->attached, &m->header.dest);
        while ((entry = index_next(&cursor))) {
                if (address_equal(entry->address, &m->header.src))
                        continue;
                if (queue_message(bus, entity_of_attached(entry), m) < 0)
                        bus->dropped[MBUS_DROP_EVENTS]++;
        }
}

static void observe(struct mbus_bus *bus, struct message *m)
{
        struct mbus_event event = { .type = MBUS_EVENT_OBSERVED, .time = bus->wall_ns };

        if (queue_reserve(&bus->queue, 1) < 0) {
                bus->dropped[MBUS_DROP_EVENTS]++;
                return;
        }
        event.message = (struct mbus_message *)message_ref(m);
        queue_push(bus, &event, NULL);
}

static void pass_on(struct mbus_bus *bus, struct message *m, struct mbus_entity *only)
{
        if (m->payload.n == 0)
                return;
        if (m->header.reliable)
                deliver_reliable(bus, m, only);
        else
                deliver(bus, m, only);
}

/* @i is the known header that @m has, or how many there are. The broker's are never among them. */
static void on_message(struct mbus_bus *bus, struct message *m, size_t i)
{
        struct link *l = bus->impl;

        on_acks(bus, m);
        if (i < l->known.n) {
                pass_on(bus, m, l->known.to[i]);
        } else if (!is_from_broker(bus, m)) {
                pass_on(bus, m, NULL);
                remember(l, &m->header);
        } else if (m->payload.n > 0 && !on_broker_message(bus, m)) {
                pass_on(bus, m, NULL);
        }
}

/* *@ret_known is which of the known headers it has, or how many there are. */
static int make_message(struct link *l, struct span text, struct message **ret_message,
                        size_t *ret_known)
{
        struct header header;
        void *memory;
        size_t size;
        int r;

        if (header_parse_known(text, l->known.headers, l->known.n, &header, ret_known, NULL))
                return MBUS_E_MALFORMED;
        size = message_size(text, &header);
        memory = stock_take(&l->stock, size);
        if (!memory)
                return -ENOMEM;
        r = message_new_in(memory, text, &header, ret_message, NULL);
        if (r)
                stock_put(&l->stock, memory, size);
        return r;
}

void link_on_frame(struct mbus_bus *bus, struct span text, bool observed)
{
        struct link *l = bus->impl;
        struct message *m;
        size_t i;
        int r = make_message(l, text, &m, &i);

        /* Nobody knows what was in it: an acknowledgement, say, that a ticket waits for. */
        if (r < 0)
                bus->failure = r;
        if (r != 0) {
                bus->dropped[r < 0 ? MBUS_DROP_EVENTS : MBUS_DROP_MALFORMED]++;
                return;
        }
        if (observed)
                observe(bus, m);
        else
                on_message(bus, m, i);
        stock_put_message(&l->stock, m);
}
