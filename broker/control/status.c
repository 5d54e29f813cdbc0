/*
 * status.c - what the owner of the broker may ask, and drop (spec/attach.md, "The owner").
 */
#include "commands.h"

#include <unistd.h>

#include "answer.h"
#include "lists.h"

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
                        answer_begin_list(a, "network");
                any = true;
                answer_add_item(a, span_of(text));
        }
        if (any)
                answer_end_list(a);
}

/* ---- what may be asked --------------------------------------------------------------------- */

static void on_status(struct request *request)
{
        static const char *const multicast[] = { [MULTICAST_ALWAYS] = "always",
                                                 [MULTICAST_WHEN_REMOTE] = "when-remote",
                                                 [MULTICAST_NEVER] = "never" };
        struct answer a = answer_to(request, "broker.status");
        const struct control *control = request->control;
        const struct bus *main = &control->buses->main;
        const struct bus *bus;

        answer_add_string(&a, "version", span_of(BROKER_VERSION));
        answer_add_number(&a, "pid", (uint64_t)getpid());
        answer_add_address(&a, control->sessions->self_address);
        answer_add_string(&a, "socket", span_of(control->socket->path));
        answer_add_string(&a, "bus", span_of(udp_name(main->udp)));
        answer_add_string(&a, "interface", span_of(udp_interface(main->udp)));
        add_network(&a, main);
        answer_add_string(&a, "multicast",
                          span_of(multicast[control->settings->options.multicast]));
        answer_begin_list(&a, "buses");
        for (size_t i = 0; (bus = buses_get(control->buses, i)); i++)
                answer_add_item(&a, span_of(bus->name));
        answer_end_list(&a);
        answer_end(&a);
}

/* The names of the buses that are joined with @bus, by this broker or, @works is false, by
 * another one that it stands by for. */
static void add_joined(struct answer *a, const char *name, const struct bus *bus, bool works)
{
        const struct bus *other;
        size_t cursor = 0;
        bool does;

        answer_begin_list(a, name);
        while ((other = bridges_next_joined(a->request->control->bridges, bus, &cursor, &does)))
                if (does == works)
                        answer_add_item(a, span_of(other->name));
        answer_end_list(a);
}

/* Those that lead away from @bus, as many as fit, and how many others there are. */
static void add_routes(struct answer *a, const struct bus *bus)
{
        const struct bus_configs *configs = a->request->control->settings->options.buses;
        struct buffer text = BUFFER_INIT;
        uint64_t n_more = 0;

        answer_begin_list(a, "routes");
        for (const struct export_rule *rule = configs->rules; rule; rule = rule->next) {
                if (!span_equal_nocase(span_of(rule->from), bus->name))
                        continue;
                buffer_clear(&text);
                export_rule_format(rule, &text);
                a->items.failed |= text.failed;
                if (!answer_add_item_that_fits(a, buffer_span(&text)))
                        n_more++;
        }
        if (n_more > 0) {
                buffer_clear(&text);
                buffer_add_text(&text, "and ");
                buffer_add_uint(&text, n_more);
                buffer_add_text(&text, " more");
                answer_add_item(a, buffer_span(&text));
        }
        answer_end_list(a);
        buffer_deinit(&text);
}

static void on_buses(struct request *request)
{
        struct answer a = answer_to(request, "broker.buses");
        const struct bus *bus;

        for (size_t i = 0; (bus = buses_get(request->control->buses, i)); i++) {
                buffer_add_text(&a.items, " (");
                answer_add_string(&a, "bus", span_of(bus->name));
                answer_add_string(&a, "where", span_of(udp_name(bus->udp)));
                answer_add_string(&a, "interface", span_of(udp_interface(bus->udp)));
                add_network(&a, bus);
                answer_add_string(&a, "dialect",
                                  span_of(bus->dialect == DIALECT_UCL ? "ucl" : "rfc3259"));
                answer_add_number(&a, "local", engine_n_entities(bus->engine));
                answer_add_number(&a, "remote", engine_n_peers(bus->engine));
                add_joined(&a, "joined", bus, true);
                add_joined(&a, "standby", bus, false);
                add_routes(&a, bus);
                answer_end_item(&a);
        }
        answer_end(&a);
}

/* ---- lists --------------------------------------------------------------------------------- */

static void add_client(struct answer *a, const struct session *s)
{
        buffer_add_text(&a->items, " (");
        answer_add_number(a, "link", s->link.number);
        answer_add_number(a, "pid", (uint64_t)s->link.pid);
        answer_add_number(a, "uid", s->link.uid);
        if (s->link.peer)
                answer_add_string(a, "tcp", span_of(s->link.peer));
        answer_add_number(a, "entities", s->n_entities);
        answer_add_number(a, "watches", s->routing->n_watches);
        answer_add_number(a, "observes", s->routing->observes);
        answer_add_number(a, "queued-messages", s->link.queue.n_messages);
        answer_add_number(a, "queued-bytes", s->link.queue.bytes);
        buffer_add_char(&a->items, ')');
}

/* The newest is the first, and its link has the highest number. */
static bool tell_clients(struct request *request, struct list_position *position)
{
        struct answer a = answer_to(request, "broker.clients");
        const struct session *s = sessions_first(request->control->sessions);

        while (s && position->number > 0 && s->link.number >= position->number)
                s = session_next(s);
        for (; s && !answer_is_full(&a); s = session_next(s)) {
                add_client(&a, s);
                position->number = s->link.number;
        }
        answer_end_piece(&a, s);
        return !s;
}

static void on_clients(struct request *request)
{
        if (lists_take(request))
                request->list = tell_clients;
}

static void add_local(struct answer *a, const struct local_entity *e)
{
        const struct control *control = a->request->control;

        buffer_add_text(&a->items, " (");
        answer_add_address(a, entity_address(e->entity));
        answer_add_string(a, "bus", span_of(control->buses->main.name));
        answer_add_number(a, "link", e->session ? e->session->link.number : 0);
        answer_add_seconds(a, "age", control->it->now - e->joined);
        buffer_add_char(&a->items, ')');
}

static void add_remote(struct answer *a, const struct bus *bus, const struct peer_info *peer)
{
        uint64_t now = a->request->control->it->now;

        buffer_add_text(&a->items, " (");
        answer_add_address(a, peer->address);
        answer_add_string(a, "bus", span_of(bus->name));
        answer_add_seconds(a, "age", now - peer->joined);
        answer_add_seconds(a, "silent", now - peer->heard);
        buffer_add_char(&a->items, ')');
}

/* The bus of the least number from @number on, or NULL: buses come and go while they are told
 * of. */
static struct bus *bus_from(struct buses *buses, uint64_t number)
{
        struct bus *found = NULL, *bus;

        for (size_t i = 0; (bus = buses_get(buses, i)); i++)
                if (bus->number >= number && (!found || bus->number < found->number))
                        found = bus;
        return found;
}

/* Adds the next entity of another host. False if there is none. */
static bool add_next_remote(struct answer *a, struct list_position *position)
{
        const struct address all = ADDRESS_ALL;
        struct peer_info peer;
        const struct bus *bus;

        while ((bus = bus_from(a->request->control->buses, position->number))) {
                if (bus->number != position->number)
                        position->walk = INDEX_WALK_INIT;
                position->number = bus->number;
                if (engine_walk_peers(bus->engine, &all, &position->walk, &peer)) {
                        add_remote(a, bus, &peer);
                        return true;
                }
                position->number++;
                position->walk = INDEX_WALK_INIT;
        }
        return false;
}

/* The broker itself, entities of sessions, those of other hosts. */
enum {
        STAGE_SELF,
        STAGE_LOCAL,
        STAGE_REMOTE,
};

/* Adds the next entity. False if there is none. */
static bool add_next_entity(struct answer *a, struct list_position *position)
{
        const struct address all = ADDRESS_ALL;
        const struct control *control = a->request->control;
        struct entity *entity;

        if (position->stage == STAGE_SELF) {
                position->stage = STAGE_LOCAL;
                add_local(a, control->sessions->self);
                return true;
        }
        while (position->stage == STAGE_LOCAL) {
                const struct local_entity *e;

                entity = engine_walk_entities(control->routing->engine, &all, &position->walk);
                e = entity ? entity_data(entity) : NULL;
                if (e && e->session) {
                        add_local(a, e);
                        return true;
                }
                if (e)
                        continue;
                position->stage = STAGE_REMOTE;
                position->walk = INDEX_WALK_INIT;
        }
        return add_next_remote(a, position);
}

static bool tell_entities(struct request *request, struct list_position *position)
{
        struct answer a = answer_to(request, "broker.entities");
        bool more = true;

        while (more && !answer_is_full(&a))
                more = add_next_entity(&a, position);
        answer_end_piece(&a, more);
        return !more;
}

static void on_entities(struct request *request)
{
        if (lists_take(request))
                request->list = tell_entities;
}

/* ---- dropping ------------------------------------------------------------------------------ */

static bool drop_session(struct control *control, int64_t number)
{
        for (struct session *s = sessions_first(control->sessions); s; s = session_next(s)) {
                if (number < 0 || s->link.number != (uint64_t)number || s->link.is_dead)
                        continue;
                connection_kill(&s->link, "the owner dropped it");
                return true;
        }
        return false;
}

static bool drop_entity(struct request *request, struct span text)
{
        struct local_entity *found;
        struct address address;

        if (address_parse(text, LENIENT, &address, NULL, NULL))
                return false;
        found = local_entity_find(request->control->sessions, &address);
        if (!found || !found->session)
                return false;
        if (request->src == found)
                request->src = NULL;
        local_entity_detach(found, MBUS_REASON_DENIED,
                            "the owner of the broker took it off the bus");
        return true;
}

static void on_drop(struct request *request)
{
        const struct value *args = payload_args(request->payload, request->command);
        char name[CONNECTION_NAME_SIZE];
        bool done;

        if (args->items == 1 && args[1].type == MBUS_VALUE_INTEGER) {
                done = drop_session(request->control, args[1].integer);
        } else if (args->items == 1 && args[1].type == MBUS_VALUE_STRING) {
                done = drop_entity(request, args[1].text);
        } else {
                request_fail(request, MBUS_REASON_MALFORMED,
                             "broker.drop wants the number of a link or an address");
                return;
        }
        connection_name(&request->s->link, name);
        if (done)
                log_info("%s dropped %.*s", name, (int)args[1].raw.n, args[1].raw.at);
        else
                request_fail(request, MBUS_REASON_UNKNOWN, "there is no such link or local entity");
}

static const struct command_entry entries[] = {
        { "broker.status", SPEAKER_OWNER, on_status },
        { "broker.buses", SPEAKER_OWNER, on_buses },
        { "broker.clients", SPEAKER_OWNER, on_clients },
        { "broker.entities", SPEAKER_OWNER, on_entities },
        { "broker.drop", SPEAKER_OWNER, on_drop },
};

const struct command_table status_commands = { entries, sizeof(entries) / sizeof(*entries), NULL };
