/*
 * engine-mode.c - what direct and mem mode share: an engine of our own behind the bus.
 *
 * Events stay in the engine's bounded queue and become the application's one by one, when it asks.
 * Ids are made here (RFC 3259, 4.1): two numbers and the host's id. If somebody else turns out to
 * use an address of ours, the entity is given another first number (spec/errata.md, 27).
 */
#include "engine-mode.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <io/clock.h>

/* How often a number that is taken is replaced by the next. */
#define ID_ATTEMPTS 16
/* 1*5DIGIT */
#define ID_SECOND_MAX 99999

int engine_mode_open(struct engine_mode *m, const struct config *config, uint64_t patience,
                     bool surveys)
{
        struct engine_options options;
        int r = crypto_new(config, &m->crypto);

        if (r != 0)
                return r;
        options = (struct engine_options){ .crypto = m->crypto,
                                           .dialect = config->dialect,
                                           .seed = random_u64(&m->random),
                                           .max_age_ms = config->max_age_ms,
                                           .send_unicast = config->send_unicast,
                                           .owner_surveys = surveys };
        r = engine_new(&options, &m->engine);
        if (r == 0)
                engine_set_patience(m->engine, patience);
        return r;
}

void engine_mode_close(struct engine_mode *m)
{
        m->engine = engine_free(m->engine);
        m->crypto = crypto_free(m->crypto);
}

/* ---- entities ------------------------------------------------------------------------------ */

/* The second number of an id: unlike any other of this process, for all its buses share one host
 * and one process id; of a mem: bus its own, so that the same program gets the same ids. */
static uint32_t second_number(struct engine_mode *m)
{
        static _Atomic uint32_t last;
        uint32_t n = m->next_id ? m->next_id++ : atomic_fetch_add(&last, 1) + 1;

        return (n - 1) % ID_SECOND_MAX + 1;
}

/* @given with an id element that is made here. */
static int complete_address(struct engine_mode *m, const struct address *given,
                            struct address **ret_address)
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
        buffer_add_uint(&text, m->id);
        buffer_add_char(&text, '-');
        buffer_add_uint(&text, second_number(m));
        buffer_add_char(&text, '@');
        buffer_add_text(&text, m->host);
        buffer_add_char(&text, ')');
        r = text.failed ? -ENOMEM : address_parse(buffer_span(&text), STRICT, &parsed, NULL, NULL);
        assert(r != 0 || address_has_proper_id(&parsed));
        if (r == 0) {
                *ret_address = address_dup(&parsed);
                r = *ret_address ? 0 : -ENOMEM;
        }
        buffer_deinit(&text);
        return r;
}

static struct engine_mode *mode_of(const struct engine_entity *entity)
{
        return engine_mode_of(entity->base.mode);
}

static struct event_queue *events_of(const struct engine_mode *m)
{
        return &m->base.bus->events;
}

/* Gives @entity the complete @address, its first one or another. */
static int engine_mode_take_address(struct engine_entity *entity, const struct address *address)
{
        struct engine_mode *m = mode_of(entity);
        uint64_t now = clock_now();
        int r = m->claim ? m->claim(entity, address) : 0;

        if (r != 0)
                return r;
        if (entity->engine)
                return engine_rename_entity(m->engine, now, clock_wall_ms(), entity->engine,
                                            address);
        return engine_add_entity(m->engine, now, address, entity, &entity->engine);
}

static int take_made_address(struct engine_entity *entity)
{
        struct address *address;
        int r = MBUS_E_TAKEN;

        for (unsigned i = 0; i < ID_ATTEMPTS && r == MBUS_E_TAKEN; i++) {
                r = complete_address(mode_of(entity), entity->base.given, &address);
                if (r == 0) {
                        r = engine_mode_take_address(entity, address);
                        free(address);
                }
        }
        return r;
}

static bool has_given_id(const struct engine_entity *entity)
{
        return address_get(entity->base.given, "id").at;
}

/* The address that the application gave is somebody else's. The engine knows nothing of it any
 * more. */
static void report_refused(struct engine_entity *entity)
{
        struct mbus_event event = { .type = MBUS_EVENT_REFUSED,
                                    .entity = &entity->base,
                                    .reason = MBUS_REASON_TAKEN };

        assert(!entity->engine);
        entity->base.refused = event.reason;
        event_queue_push(events_of(mode_of(entity)), &event, NULL);
}

/* Of an entity of this bus the call itself tells, of others an event, as of those that are heard
 * later. */
static int take_given_address(struct engine_entity *entity)
{
        int r = engine_mode_take_address(entity, entity->base.given);

        if (r == MBUS_E_TAKEN && !engine_find(mode_of(entity)->engine, entity->base.given)) {
                report_refused(entity);
                return 0;
        }
        if (r == 0)
                entity_keep_address(entity->engine);
        return r;
}

static int report_ready(struct engine_entity *entity)
{
        return entity_ready(&entity->base, events_of(mode_of(entity)),
                            entity_address(entity->engine));
}

int engine_mode_add_entity(struct mbus_entity *base)
{
        struct engine_entity *entity = engine_entity_of(base);
        int r = has_given_id(entity) ? take_given_address(entity) : take_made_address(entity);

        if (r == 0 && entity->engine) {
                r = report_ready(entity);
                if (r != 0)
                        engine_mode_remove_entity(base);
        }
        base->mode->bus->stirred = true;
        return r;
}

void engine_mode_remove_entity(struct mbus_entity *base)
{
        struct engine_entity *entity = engine_entity_of(base);

        if (entity->engine)
                engine_remove_entity(mode_of(entity)->engine, clock_now(), clock_wall_ms(),
                                     entity->engine);
        entity->engine = NULL;
}

static void engine_mode_on_event(struct engine_mode *m, struct event *event);

/* What it had under way ends with it; a bye would be the other one's. */
static void yield_address(struct engine_entity *entity)
{
        struct engine_mode *m = mode_of(entity);
        struct event event;

        engine_fail_tickets(m->engine, entity->engine, MBUS_REASON_TAKEN);
        while (engine_pop_event(m->engine, &event)) {
                engine_mode_on_event(m, &event);
                event_deinit(&event);
        }
        if (!entity->engine)
                return;
        engine_withdraw_entity(m->engine, clock_now(), clock_wall_ms(), entity->engine);
        entity->engine = NULL;
        report_refused(entity);
}

/* Somebody else uses the address: another process with our number, in another container, say. */
static void engine_mode_on_conflict(struct engine_entity *entity)
{
        struct engine_mode *m = mode_of(entity);
        int r;

        if (has_given_id(entity)) {
                yield_address(entity);
                return;
        }
        m->id = random_u32(&m->random);
        r = take_made_address(entity);
        if (r == 0)
                r = report_ready(entity);
        if (r != 0)
                events_of(m)->failure = r < 0 ? r : -EADDRINUSE;
}

/* ---- sending and asking -------------------------------------------------------------------- */

int engine_mode_send(struct mbus_entity *base, const struct address *dest, struct span payload,
                     uint64_t *ret_ticket)
{
        struct engine_entity *entity = engine_entity_of(base);
        struct engine_mode *m = mode_of(entity);
        uint64_t now = clock_now(), wall_ms = time_of_day_ms(&m->time);

        if (!entity->engine)
                return MBUS_E_NOT_READY;
        if (!ret_ticket)
                return engine_send(m->engine, now, wall_ms, entity->engine, dest, payload);
        /* To an entity of this bus it goes, and is acknowledged, at once. */
        m->base.bus->stirred = true;
        return engine_send_reliable(m->engine, now, wall_ms, entity->engine, dest, payload,
                                    ret_ticket);
}

int engine_mode_ping(struct mbus_entity *base, const struct address *dest)
{
        struct engine_entity *entity = engine_entity_of(base);

        if (!entity->engine)
                return MBUS_E_NOT_READY;
        return engine_ping(mode_of(entity)->engine, clock_now(), clock_wall_ms(), entity->engine,
                           dest);
}

int engine_mode_check_ready(const struct mbus_entity *base)
{
        return engine_entity_of((struct mbus_entity *)base)->engine ? 0 : MBUS_E_NOT_READY;
}

int engine_mode_watch(struct mode *mode, struct watch *watch)
{
        struct engine_mode *m = engine_mode_of(mode);
        struct peer_info info;
        size_t cursor = 0;

        while (engine_next_peer(m->engine, watch->address, &cursor, &info))
                reported_joined(&mode->bus->reported, info.address, info.joined);
        event_queue_push(events_of(m), &(struct mbus_event){ .type = MBUS_EVENT_WATCHING }, NULL);
        mode->bus->stirred = true;
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

int engine_mode_observe(struct mode *mode)
{
        struct engine_mode *m = engine_mode_of(mode);
        struct observing *o = &mode->bus->observing;
        bool unknown = name_other_bus(o->filters);

        engine_observe(m->engine, !unknown, o->hello);
        engine_observe_only(m->engine, o->filters);
        if (unknown)
                observing_ended(o, events_of(m), MBUS_REASON_UNKNOWN, SPAN_NULL);
        else
                observing_begun(o, events_of(m));
        mode->bus->stirred = true;
        return 0;
}

int engine_mode_list(struct mode *mode, const struct address *dest, struct mbus_peers *peers)
{
        struct engine_mode *m = engine_mode_of(mode);
        uint64_t now = clock_now();
        struct peer_info info;
        size_t cursor = 0;
        int r = 0;

        while (r == 0 && engine_next_peer(m->engine, dest, &cursor, &info))
                if (watches_match(&mode->bus->watches, info.address))
                        r = peer_list_add(peers, info.address,
                                          now > info.joined ? now - info.joined : 0);
        return r;
}

/* ---- events -------------------------------------------------------------------------------- */

/* The application's entity of one of the engine, or NULL. */
static struct mbus_entity *outer(const struct entity *entity)
{
        struct engine_entity *e = entity ? entity_data(entity) : NULL;

        return e ? &e->base : NULL;
}

static void engine_mode_on_message(struct engine_mode *m, const struct event *event)
{
        for (size_t i = 0; i < event->n_recipients; i++)
                if (event_queue_message(events_of(m), outer(event->recipients[i]), event->message) <
                    0)
                        events_of(m)->failure = -ENOMEM;
}

static void engine_mode_on_event(struct engine_mode *m, struct event *event)
{
        struct mbus_event out = { .entity = outer(event->entity) };

        switch (event->type) {
        case EVENT_MESSAGE:
                engine_mode_on_message(m, event);
                return;
        case EVENT_JOINED:
                reported_joined(&m->base.bus->reported, event->address, clock_now());
                return;
        case EVENT_LEFT:
                reported_left(&m->base.bus->reported, event->address, event->reason);
                return;
        case EVENT_CONFLICT:
                engine_mode_on_conflict(engine_entity_of(out.entity));
                return;
        case EVENT_OBSERVED:
                if (event_queue_observed(events_of(m), event->message) < 0)
                        events_of(m)->failure = -ENOMEM;
                return;
        case EVENT_DELIVERED:
                out.type = MBUS_EVENT_DELIVERED;
                out.ticket = event->ticket;
                out.round_trip = event->round_trip;
                break;
        case EVENT_FAILED:
                out.type = MBUS_EVENT_FAILED;
                out.ticket = event->ticket;
                out.reason = event->reason;
                break;
        case EVENT_DROPPED:
                out.type = MBUS_EVENT_DROPPED;
                out.drop = event->drop;
                out.count = event->count;
                break;
        }
        event_queue_push(events_of(m), &out, NULL);
}

bool engine_mode_pull(struct mode *mode)
{
        struct engine_mode *m = engine_mode_of(mode);
        struct event event;

        while (events_of(m)->n == 0 && engine_pop_event(m->engine, &event)) {
                engine_mode_on_event(m, &event);
                event_deinit(&event);
        }
        return events_of(m)->n > 0;
}

/* ---- figures ------------------------------------------------------------------------------- */

uint64_t engine_mode_get_dropped(const struct mode *mode, enum mbus_drop drop)
{
        return engine_dropped(engine_mode_of(mode)->engine, drop);
}

void engine_mode_get_sizes(const struct mode *mode, size_t *ret_size, size_t *ret_largest)
{
        const struct engine_mode *m = engine_mode_of(mode);

        *ret_size = engine_too_large(m->engine);
        *ret_largest = engine_largest(m->engine);
}

size_t engine_mode_n_left(struct mode *mode)
{
        const struct engine_mode *m = engine_mode_of(mode);

        return engine_n_unfinished(m->engine) + engine_n_datagrams(m->engine);
}
