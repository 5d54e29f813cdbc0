/*
 * engine-mode.c - what direct and mem mode share: an engine of our own behind the bus.
 *
 * Events stay in the engine's bounded queue and become the application's one by one, when it asks.
 * Ids are made here (RFC 3259, 4.1): two numbers and the host's id. If somebody else turns out to
 * use an address of ours, the entity is given another first number (spec/errata.md, 27).
 */
#include <bus/bus.h>

#include <stdatomic.h>
#include <stdlib.h>

#include <io/clock.h>

/* How often a number that is taken is replaced by the next. */
#define ID_ATTEMPTS 16
/* 1*5DIGIT */
#define ID_SECOND_MAX 99999

int engine_mode_open(struct mbus_bus *bus, const struct config *config, uint64_t seed, bool surveys)
{
        struct engine_options options;
        int r = crypto_new(config, &bus->crypto);

        if (r != 0)
                return r;
        options = (struct engine_options){ .crypto = bus->crypto,
                                           .dialect = config->dialect,
                                           .seed = seed,
                                           .max_age_ms = config->max_age_ms,
                                           .send_unicast = config->send_unicast,
                                           .owner_surveys = surveys };
        r = engine_new(&options, &bus->engine);
        if (r == 0)
                engine_set_patience(bus->engine, bus->patience);
        return r;
}

void engine_mode_close(struct mbus_bus *bus)
{
        bus->engine = engine_free(bus->engine);
        bus->crypto = crypto_free(bus->crypto);
}

/* ---- entities ------------------------------------------------------------------------------ */

/* The second number of an id: unlike any other of this process, for all its buses share one host
 * and one process id; of a mem: bus its own, so that the same program gets the same ids. */
static uint32_t second_number(struct mbus_bus *bus)
{
        static _Atomic uint32_t last;
        uint32_t n = bus->next_id ? bus->next_id++ : atomic_fetch_add(&last, 1) + 1;

        return (n - 1) % ID_SECOND_MAX + 1;
}

/* @given with an id element that is made here. */
static int complete(struct mbus_bus *bus, const struct address *given, struct address **ret_address)
{
        struct buffer text = BUFFER_INIT;
        struct address parsed;
        int r;

        buffer_add_char(&text, '(');
        for (unsigned i = 0; i < given->n; i++) {
                if (span_equal_text(address_tag(given, i), "id"))
                        continue;
                buffer_add_span(&text, address_tag(given, i));
                buffer_add_char(&text, ':');
                buffer_add_span(&text, address_value(given, i));
                buffer_add_char(&text, ' ');
        }
        buffer_add_text(&text, "id:");
        buffer_add_uint(&text, bus->id);
        buffer_add_char(&text, '-');
        buffer_add_uint(&text, second_number(bus));
        buffer_add_char(&text, '@');
        buffer_add_text(&text, bus->host);
        buffer_add_char(&text, ')');
        r = text.failed ? -ENOMEM : address_parse(buffer_span(&text), STRICT, &parsed, NULL, NULL);
        if (r == 0) {
                *ret_address = address_dup(&parsed);
                r = *ret_address ? 0 : -ENOMEM;
        }
        buffer_deinit(&text);
        return r;
}

/* Gives @entity the complete @address, its first one or another. */
static int take_address(struct mbus_entity *entity, const struct address *address)
{
        struct mbus_bus *bus = entity->bus;
        uint64_t now = clock_now();
        int r = bus->mode->claim ? bus->mode->claim(entity, address) : 0;

        if (r != 0)
                return r;
        if (entity->engine)
                return engine_rename_entity(bus->engine, now, clock_wall_ms(), entity->engine,
                                            address);
        return engine_add_entity(bus->engine, now, address, entity, &entity->engine);
}

static int take_made_address(struct mbus_entity *entity)
{
        struct address *address;
        int r = MBUS_E_TAKEN;

        for (unsigned i = 0; i < ID_ATTEMPTS && r == MBUS_E_TAKEN; i++) {
                r = complete(entity->bus, entity->given, &address);
                if (r == 0) {
                        r = take_address(entity, address);
                        free(address);
                }
        }
        return r;
}

static bool is_given(const struct mbus_entity *entity)
{
        return address_get(entity->given, "id").at;
}

/* The address that the application gave is somebody else's. The engine knows nothing of it any more. */
static void refuse(struct mbus_entity *entity)
{
        struct mbus_event event = { .type = MBUS_EVENT_REFUSED,
                                    .entity = entity,
                                    .reason = MBUS_REASON_TAKEN };

        entity->refused = true;
        event_queue_push(entity->bus, &event, NULL);
}

/* Of an entity of this bus the call itself tells, of others an event, as of those that are heard later. */
static int take_given_address(struct mbus_entity *entity)
{
        int r = take_address(entity, entity->given);

        if (r == MBUS_E_TAKEN && !engine_find(entity->bus->engine, entity->given)) {
                refuse(entity);
                return 0;
        }
        if (r == 0)
                entity_keep_address(entity->engine);
        return r;
}

int engine_mode_add_entity(struct mbus_entity *entity)
{
        int r = is_given(entity) ? take_given_address(entity) : take_made_address(entity);

        if (r == 0 && entity->engine) {
                r = entity_ready(entity, entity_address(entity->engine));
                if (r != 0)
                        engine_mode_remove_entity(entity);
        }
        entity->bus->stirred = true;
        return r;
}

void engine_mode_remove_entity(struct mbus_entity *entity)
{
        if (entity->engine)
                engine_remove_entity(entity->bus->engine, clock_now(), clock_wall_ms(),
                                     entity->engine);
        entity->engine = NULL;
}

static void on_event(struct mbus_bus *bus, struct event *event);

/* What it had under way ends with it; a bye would be the other one's. */
static void yield(struct mbus_entity *entity)
{
        struct mbus_bus *bus = entity->bus;
        struct event event;

        engine_fail_tickets(bus->engine, entity->engine, MBUS_REASON_TAKEN);
        while (engine_pop_event(bus->engine, &event)) {
                on_event(bus, &event);
                event_deinit(&event);
        }
        if (!entity->engine)
                return;
        engine_withdraw_entity(bus->engine, clock_now(), clock_wall_ms(), entity->engine);
        entity->engine = NULL;
        refuse(entity);
}

/* Somebody else uses the address: another process with our number, in another container, say. */
static void on_conflict(struct mbus_entity *entity)
{
        struct mbus_bus *bus = entity->bus;
        int r;

        if (is_given(entity)) {
                yield(entity);
                return;
        }
        bus->id = random_u32(&bus->random);
        r = take_made_address(entity);
        if (r == 0)
                r = entity_ready(entity, entity_address(entity->engine));
        if (r != 0)
                bus->failure = r < 0 ? r : -EADDRINUSE;
}

/* ---- sending and asking -------------------------------------------------------------------- */

int engine_mode_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
                     uint64_t *ret_ticket)
{
        struct engine *e = entity->bus->engine;
        uint64_t now = clock_now(), wall_ms = bus_time_of_day(entity->bus);

        if (!entity->engine)
                return MBUS_E_NOT_READY;
        if (!ret_ticket)
                return engine_send(e, now, wall_ms, entity->engine, dest, payload);
        /* To an entity of this bus it goes, and is acknowledged, at once. */
        entity->bus->stirred = true;
        return engine_send_reliable(e, now, wall_ms, entity->engine, dest, payload, ret_ticket);
}

int engine_mode_ping(struct mbus_entity *entity, const struct address *dest)
{
        if (!entity->engine)
                return MBUS_E_NOT_READY;
        return engine_ping(entity->bus->engine, clock_now(), clock_wall_ms(), entity->engine, dest);
}

int engine_mode_watch(struct mbus_bus *bus, struct watch *watch)
{
        struct peer_info info;
        size_t cursor = 0;

        while (engine_next_peer(bus->engine, watch->address, &cursor, &info))
                told_joined(bus, info.address, info.joined);
        event_queue_push(bus, &(struct mbus_event){ .type = MBUS_EVENT_WATCHING }, NULL);
        bus->stirred = true;
        return 0;
}

/* There is but one bus, which is what a broker calls main. */
static bool name_other_bus(const struct filter *filters)
{
        for (; filters; filters = filters->next)
                if (!span_equal_nocase(span_of(filters->bus), BUS_MAIN))
                        return true;
        return false;
}

int engine_mode_observe(struct mbus_bus *bus)
{
        const struct observing *o = &bus->observing;
        bool unknown = name_other_bus(o->filters);

        engine_observe(bus->engine, !unknown, o->hello);
        engine_observe_only(bus->engine, o->filters);
        if (unknown)
                observe_ended(bus, MBUS_REASON_UNKNOWN, SPAN_NULL);
        else
                observe_begun(bus);
        bus->stirred = true;
        return 0;
}

int engine_mode_list(struct mbus_bus *bus, const struct address *dest, struct mbus_peers *peers)
{
        uint64_t now = clock_now();
        struct peer_info info;
        size_t cursor = 0;
        int r = 0;

        while (r == 0 && engine_next_peer(bus->engine, dest, &cursor, &info))
                if (bus_watches(bus, info.address))
                        r = peers_add(peers, info.address,
                                      now > info.joined ? now - info.joined : 0);
        return r;
}

/* ---- events -------------------------------------------------------------------------------- */

static struct mbus_entity *outer(const struct entity *entity)
{
        return entity ? entity_data(entity) : NULL;
}

static void on_message(struct mbus_bus *bus, const struct event *event)
{
        for (size_t i = 0; i < event->n_recipients; i++)
                if (event_queue_message(bus, outer(event->recipients[i]), event->message) < 0)
                        bus->failure = -ENOMEM;
}

static void on_event(struct mbus_bus *bus, struct event *event)
{
        struct mbus_event out = { .entity = outer(event->entity) };

        switch (event->type) {
        case EVENT_MESSAGE:
                on_message(bus, event);
                return;
        case EVENT_JOINED:
                told_joined(bus, event->address, clock_now());
                return;
        case EVENT_LEFT:
                told_left(bus, event->address, event->reason);
                return;
        case EVENT_CONFLICT:
                on_conflict(out.entity);
                return;
        case EVENT_DELIVERED:
                out.type = MBUS_EVENT_DELIVERED;
                out.ticket = event->ticket;
                break;
        case EVENT_FAILED:
                out.type = MBUS_EVENT_FAILED;
                out.ticket = event->ticket;
                out.reason = event->reason;
                break;
        case EVENT_OBSERVED:
                out.type = MBUS_EVENT_OBSERVED;
                out.message = (struct mbus_message *)message_ref(event->message);
                out.time = bus->wall_ns;
                break;
        case EVENT_DROPPED:
                out.type = MBUS_EVENT_DROPPED;
                out.drop = event->drop;
                out.count = event->count;
                break;
        }
        event_queue_push(bus, &out, NULL);
}

bool engine_mode_pull(struct mbus_bus *bus)
{
        struct event event;

        while (bus->queue.n == 0 && engine_pop_event(bus->engine, &event)) {
                on_event(bus, &event);
                event_deinit(&event);
        }
        return bus->queue.n > 0;
}
