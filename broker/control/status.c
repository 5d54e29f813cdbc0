/*
 * status.c - what the owner of the broker may ask, and drop (spec/attach.md, "The owner").
 *
 * An answer is a command of the same name. It may take several messages; the first parameter is 1
 * if more follow, and 0 in the last one. What comes behind are lists, each a name and a value, or
 * for clients and entities lists of such lists.
 */
#include <unistd.h>

#include <broker/bridge/bridge.h>
#include "request.h"
#include "control.h"
#include "lists.h"
#include <broker/base/excerpt.h>
#include <broker/ops/stats.h>

/* Whether the command goes on; if not, that is said. */
static bool may_ask(struct request *r)
{
        if (client_is_owner(r->c))
                return true;
        broker_count(r->b, COUNT_DENIED, r->c, "only the owner may say %.*s",
                     shown_size(r->command->text), r->command->text.at);
        control_fail(
                r, MBUS_REASON_DENIED,
                "only the owner of the broker, its own user or root, may ask for this, whatever "
                "[policy] says");
        return false;
}

/* ---- answers ------------------------------------------------------------------------------- */

struct answer {
        struct request *r;
        const char *name;
        struct buffer items;
};

static struct answer answer_to(struct request *r, const char *name)
{
        return (struct answer){ .r = r, .name = name, .items = BUFFER_INIT };
}

static void say(struct answer *a, bool more)
{
        struct buffer text = BUFFER_INIT;

        buffer_add_text(&text, a->name);
        buffer_add_text(&text, more ? "(1" : "(0");
        buffer_add_span(&text, buffer_span(&a->items));
        buffer_add_char(&text, ')');
        if (text.failed || a->items.failed)
                client_kill(a->r->c, "memory is short");
        else
                control_answer(a->r, buffer_span(&text));
        buffer_deinit(&text);
        buffer_clear(&a->items);
}

static void end(struct answer *a)
{
        say(a, false);
        buffer_deinit(&a->items);
}

/* An item is complete. */
static void end_item(struct answer *a)
{
        buffer_add_char(&a->items, ')');
        if (a->items.n > JOINED_BYTES_MAX)
                say(a, true);
}

static void add_name(struct answer *a, const char *name)
{
        bool first = a->items.n > 0 && a->items.at[a->items.n - 1] == '(';

        buffer_add_text(&a->items, first ? "(" : " (");
        buffer_add_text(&a->items, name);
        buffer_add_char(&a->items, ' ');
}

static void add_number(struct answer *a, const char *name, uint64_t number)
{
        add_name(a, name);
        buffer_add_uint(&a->items, number);
        buffer_add_char(&a->items, ')');
}

static void add_seconds(struct answer *a, const char *name, uint64_t ns)
{
        struct figure f = { .value = ns / NSEC_PER_MSEC, .in_ms = true };

        add_name(a, name);
        stats_format_value(&f, &a->items);
        buffer_add_char(&a->items, ')');
}

/* The name of a file may be anything; a message is UTF-8. */
static void add_string(struct answer *a, const char *name, struct span text)
{
        add_name(a, name);
        value_format_string(span_is_utf8(text, NULL) ? text : span_of("?"), &a->items);
        buffer_add_char(&a->items, ')');
}

/* The text that applications know it by. */
static void add_address(struct answer *a, const struct address *address)
{
        struct buffer text = BUFFER_INIT;

        address_format_canonical(address, &text);
        if (text.failed)
                a->items.failed = true;
        else
                add_string(a, "address", buffer_span(&text));
        buffer_deinit(&text);
}

/* A list of strings: between begin and end, each with add_item(). */
static void begin_list(struct answer *a, const char *name)
{
        add_name(a, name);
        buffer_add_char(&a->items, '(');
}

static void add_item(struct answer *a, struct span text)
{
        if (a->items.n > 0 && a->items.at[a->items.n - 1] != '(')
                buffer_add_char(&a->items, ' ');
        value_format_string(text, &a->items);
}

/* False, and nothing is added, if there is no room for it. */
static bool add_item_that_fits(struct answer *a, struct span text)
{
        size_t before = a->items.n;

        add_item(a, text);
        if (a->items.n <= ANSWER_BYTES_MAX)
                return true;
        a->items.n = before;
        return false;
}

static void end_list(struct answer *a)
{
        buffer_add_text(&a->items, "))");
}

/* What is the matter with the network of @bus, if anything is. */
static void add_network(struct answer *a, const struct bus *bus)
{
        const char *text;
        bool any = false;

        for (unsigned network = 0; network < MBUS_NETWORK_MAX; network++) {
                text = udp_network(bus->udp, bus->engine, (enum mbus_network)network);
                if (!text)
                        continue;
                if (!any)
                        begin_list(a, "network");
                any = true;
                add_item(a, span_of(text));
        }
        if (any)
                end_list(a);
}

/* ---- what may be asked --------------------------------------------------------------------- */

void control_on_status(struct request *r)
{
        static const char *const multicast[] = { [MULTICAST_ALWAYS] = "always",
                                                 [MULTICAST_WHEN_REMOTE] = "when-remote",
                                                 [MULTICAST_NEVER] = "never" };
        struct answer a = answer_to(r, "broker.status");
        struct broker *b = r->b;
        const struct bus *bus;

        if (!may_ask(r))
                return;
        add_string(&a, "version", span_of(stats_version()));
        add_number(&a, "pid", (uint64_t)getpid());
        add_address(&a, entity_address(b->self->entity));
        add_string(&a, "socket", span_of(b->path));
        add_string(&a, "bus", span_of(udp_name(b->udp)));
        add_string(&a, "interface", span_of(udp_interface(b->udp)));
        add_network(&a, &b->bus);
        add_string(&a, "multicast", span_of(multicast[b->options.multicast]));
        begin_list(&a, "buses");
        for (size_t i = 0; (bus = bridges_get_bus(b, i)); i++)
                add_item(&a, span_of(bus->name));
        end_list(&a);
        end(&a);
}

/* The names of the buses that are joined with @bus, by this broker or, @works is false, by another one
 * that it stands by for. */
static void add_joined(struct answer *a, const char *name, const struct bus *bus, bool works)
{
        const struct bus *other;
        size_t cursor = 0;
        bool does;

        begin_list(a, name);
        while ((other = bridges_next_joined(bus, &cursor, &does)))
                if (does == works)
                        add_item(a, span_of(other->name));
        end_list(a);
}

/* Those that lead away from @bus, as many as fit, and how many others there are. */
static void add_routes(struct answer *a, const struct bus *bus)
{
        const struct bus_configs *configs = a->r->b->options.buses;
        struct buffer text = BUFFER_INIT;
        uint64_t n_more = 0;

        begin_list(a, "routes");
        for (const struct rule *rule = configs->rules; rule; rule = rule->next) {
                if (!span_equal_nocase(span_of(rule->from), bus->name))
                        continue;
                buffer_clear(&text);
                rule_format(rule, &text);
                a->items.failed |= text.failed;
                if (!add_item_that_fits(a, buffer_span(&text)))
                        n_more++;
        }
        if (n_more > 0) {
                buffer_clear(&text);
                buffer_add_text(&text, "and ");
                buffer_add_uint(&text, n_more);
                buffer_add_text(&text, " more");
                add_item(a, buffer_span(&text));
        }
        end_list(a);
        buffer_deinit(&text);
}

void control_on_buses(struct request *r)
{
        struct answer a = answer_to(r, "broker.buses");
        const struct bus *bus;

        if (!may_ask(r))
                return;
        for (size_t i = 0; (bus = bridges_get_bus(r->b, i)); i++) {
                buffer_add_text(&a.items, " (");
                add_string(&a, "bus", span_of(bus->name));
                add_string(&a, "where", span_of(udp_name(bus->udp)));
                add_string(&a, "interface", span_of(udp_interface(bus->udp)));
                add_network(&a, bus);
                add_string(&a, "dialect", span_of(bus->dialect == DIALECT_UCL ? "ucl" : "rfc3259"));
                add_number(&a, "local", engine_n_entities(bus->engine));
                add_number(&a, "remote", engine_n_peers(bus->engine));
                add_joined(&a, "joined", bus, true);
                add_joined(&a, "standby", bus, false);
                add_routes(&a, bus);
                end_item(&a);
        }
        end(&a);
}

static void put_figure(void *data, const struct figure *f)
{
        struct answer *a = data;

        buffer_add_text(&a->items, " (");
        stats_format_symbol(f, &a->items);
        buffer_add_char(&a->items, ' ');
        stats_format_value(f, &a->items);
        end_item(a);
}

void control_on_stats(struct request *r)
{
        struct answer a = answer_to(r, "broker.stats");

        if (!may_ask(r))
                return;
        stats_each(r->b, put_figure, &a);
        end(&a);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* A piece of a list is complete; @more follow. */
static void end_piece(struct answer *a, bool more)
{
        say(a, more);
        buffer_deinit(&a->items);
}

static bool is_full(const struct answer *a)
{
        return a->items.failed || a->items.n > JOINED_BYTES_MAX;
}

static void add_client(struct answer *a, const struct client *c)
{
        buffer_add_text(&a->items, " (");
        add_number(a, "link", c->number);
        add_number(a, "pid", (uint64_t)c->pid);
        add_number(a, "uid", c->uid);
        if (c->place)
                add_string(a, "tcp", span_of(c->place));
        add_number(a, "entities", c->n_attachments);
        add_number(a, "watches", c->n_watches);
        add_number(a, "observes", c->observes);
        add_number(a, "queued-messages", c->queue.n_messages);
        add_number(a, "queued-bytes", c->queue.bytes);
        buffer_add_char(&a->items, ')');
}

/* The newest link is the first, and has the highest number. */
static bool tell_clients(struct request *r, struct list_place *place)
{
        struct answer a = answer_to(r, "broker.clients");
        const struct client *c = r->b->clients;

        while (c && place->number > 0 && c->number >= place->number)
                c = c->next;
        for (; c && !is_full(&a); c = c->next) {
                add_client(&a, c);
                place->number = c->number;
        }
        end_piece(&a, c);
        return !c;
}

void control_on_clients(struct request *r)
{
        if (may_ask(r) && lists_take(r))
                r->list = tell_clients;
}

static void add_local(struct answer *a, const struct attachment *attachment)
{
        struct broker *b = a->r->b;

        buffer_add_text(&a->items, " (");
        add_address(a, entity_address(attachment->entity));
        add_string(a, "bus", span_of(b->bus.name));
        add_number(a, "link", attachment->client ? attachment->client->number : 0);
        add_seconds(a, "age", b->it.now - attachment->joined);
        buffer_add_char(&a->items, ')');
}

static void add_remote(struct answer *a, const struct bus *bus, const struct peer_info *peer)
{
        uint64_t now = a->r->b->it.now;

        buffer_add_text(&a->items, " (");
        add_address(a, peer->address);
        add_string(a, "bus", span_of(bus->name));
        add_seconds(a, "age", now - peer->joined);
        add_seconds(a, "silent", now - peer->heard);
        buffer_add_char(&a->items, ')');
}

/* The bus of the least number from @number on, or NULL: buses come and go while they are told of. */
static struct bus *bus_from(struct broker *b, uint64_t number)
{
        struct bus *found = NULL, *bus;

        for (size_t i = 0; (bus = bridges_get_bus(b, i)); i++)
                if (bus->number >= number && (!found || bus->number < found->number))
                        found = bus;
        return found;
}

/* Adds the next entity of another host. False if there is none. */
static bool add_next_remote(struct answer *a, struct list_place *place)
{
        const struct address all = ADDRESS_ALL;
        struct peer_info peer;
        const struct bus *bus;

        while ((bus = bus_from(a->r->b, place->number))) {
                if (bus->number != place->number)
                        place->walk = INDEX_WALK_INIT;
                place->number = bus->number;
                if (engine_walk_peers(bus->engine, &all, &place->walk, &peer)) {
                        add_remote(a, bus, &peer);
                        return true;
                }
                place->number++;
                place->walk = INDEX_WALK_INIT;
        }
        return false;
}

/* The broker itself, entities of links, those of other hosts. */
enum {
        STAGE_SELF,
        STAGE_LOCAL,
        STAGE_REMOTE,
};

/* Adds the next entity. False if there is none. */
static bool add_next_entity(struct answer *a, struct list_place *place)
{
        const struct address all = ADDRESS_ALL;
        const struct broker *b = a->r->b;
        struct entity *entity;

        if (place->stage == STAGE_SELF) {
                place->stage = STAGE_LOCAL;
                add_local(a, b->self);
                return true;
        }
        while (place->stage == STAGE_LOCAL) {
                const struct attachment *attachment;

                entity = engine_walk_entities(b->engine, &all, &place->walk);
                attachment = entity ? entity_data(entity) : NULL;
                if (attachment && attachment->client) {
                        add_local(a, attachment);
                        return true;
                }
                if (attachment)
                        continue;
                place->stage = STAGE_REMOTE;
                place->walk = INDEX_WALK_INIT;
        }
        return add_next_remote(a, place);
}

static bool tell_entities(struct request *r, struct list_place *place)
{
        struct answer a = answer_to(r, "broker.entities");
        bool more = true;

        while (more && !is_full(&a))
                more = add_next_entity(&a, place);
        end_piece(&a, more);
        return !more;
}

void control_on_entities(struct request *r)
{
        if (may_ask(r) && lists_take(r))
                r->list = tell_entities;
}

/* ---- dropping ------------------------------------------------------------------------------ */

static bool drop_client(struct broker *b, int64_t number)
{
        for (struct client *c = b->clients; c; c = c->next) {
                if (number < 0 || c->number != (uint64_t)number || c->dead)
                        continue;
                client_kill(c, "the owner dropped it");
                return true;
        }
        return false;
}

static bool drop_entity(struct request *r, struct span text)
{
        struct attachment *found;
        struct address address;

        if (address_parse(text, LENIENT, &address, NULL, NULL))
                return false;
        found = attachment_find(r->b, &address);
        if (!found || !found->client)
                return false;
        if (r->src == found)
                r->src = NULL;
        control_detach(r->b, found, MBUS_REASON_DENIED,
                       "the owner of the broker took it off the bus");
        return true;
}

void control_on_drop(struct request *r)
{
        const struct value *args = payload_args(r->payload, r->command);
        char name[CLIENT_NAME_SIZE];
        bool done;

        if (!may_ask(r))
                return;
        if (args->items == 1 && args[1].type == MBUS_VALUE_INTEGER) {
                done = drop_client(r->b, args[1].integer);
        } else if (args->items == 1 && args[1].type == MBUS_VALUE_STRING) {
                done = drop_entity(r, args[1].text);
        } else {
                control_fail(r, MBUS_REASON_MALFORMED,
                             "broker.drop wants the number of a link or an address");
                return;
        }
        client_name(r->c, name);
        if (done)
                log_info("%s dropped %.*s", name, (int)args[1].raw.n, args[1].raw.at);
        else
                control_fail(r, MBUS_REASON_UNKNOWN, "there is no such link or local entity");
}
