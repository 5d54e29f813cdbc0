/*
 * app.c - an application: it opens a bus, watches, adds entities, pops events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <core/frame.h>

#include "../memory.h"
#include "world.h"

struct process *app_broker(const struct app *app)
{
        if (app->direct)
                return NULL;
        return &links->brokers[(app->process.index - links->n_brokers) % links->n_brokers];
}

struct person *person_at(uint32_t process, uint32_t slot)
{
        if (process < links->n_brokers || process >= links->n_brokers + links->n_apps)
                return NULL;
        return links->apps[process - links->n_brokers].slots[slot];
}

/* ---- troubles ------------------------------------------------------------------------------ */

void app_trouble(struct app *app)
{
        app->troubles =
                must(realloc(app->troubles, (app->n_troubles + 1) * sizeof(*app->troubles)));
        app->troubles[app->n_troubles++] = machine->now;
}

bool app_had_trouble(const struct app *app, uint64_t from, uint64_t to)
{
        for (size_t i = 0; i < app->n_troubles; ++i) {
                if (app->troubles[i] >= from && app->troubles[i] <= to)
                        return true;
        }
        return false;
}

/* ---- life ---------------------------------------------------------------------------------- */

static struct person *make_person(struct app *app, uint32_t slot)
{
        struct person *person = must(calloc(1, sizeof(*person)));

        if (links->n_people == links->people_size) {
                links->people_size = links->people_size ? 2 * links->people_size : 16;
                links->people =
                        must(realloc(links->people, links->people_size * sizeof(*links->people)));
        }
        *person = (struct person){ .index = links->n_people,
                                   .app = app->process.index,
                                   .slot = slot,
                                   .died = TIME_NEVER };
        links->people[links->n_people++] = person;
        return person;
}

/* Every second one leaves its id to the library or the broker. */
static void add_entity(struct app *app, uint32_t slot)
{
        struct person *person = make_person(app, slot);
        uint32_t place = app->process.index;
        char text[ADDRESS_SIZE], id[40] = "";
        int r;

        if ((place + slot) % 2)
                snprintf(id, sizeof(id), " id:%u-%u@10.0.0.%u", 100 + place, slot, place + 1);
        snprintf(text, sizeof(text), "(app:sim place:%u-%u role:%c%s)", place, slot,
                 "abc"[(place * 7 + slot) % 3], id);
        r = mbus_bus_add_entity(app->bus, text, &person->entity);
        if (r != 0) {
                machine_fail("can-join", "%s cannot be added: %d", text, r);
                return;
        }
        mbus_entity_set_data(person->entity, person);
        app->slots[slot] = person;
}

#define WAIT_FOR (3 * NSEC_PER_SEC)

/* For what nobody says: the wait ends in every life that lasts, whatever becomes of the link. */
static void begin_wait(struct app *app)
{
        int r;

        app->wait_end = 0;
        if (!app->slots[0])
                return;
        r = mbus_entity_wait(app->slots[0]->entity, "(app:nobody)", "start", (int64_t)WAIT_FOR);
        if (r != 0) {
                machine_fail("can-send", "application %u cannot wait: %d", app->process.index, r);
                return;
        }
        app->wait_end = machine->now + WAIT_FOR;
}

static void set_url(const struct app *app, struct mbus_config *config)
{
        uint32_t broker = app->direct ? 0 : app_broker(app)->index;
        char url[64] = "udp:";

        if (!app->direct && links->scenario->links.tcp && app->process.index % 2)
                snprintf(url, sizeof(url), "tcp:127.0.0.1:%u", TCP_PORT_FIRST + broker);
        else if (!app->direct)
                snprintf(url, sizeof(url), "unix:/broker-%u", broker);
        mbus_config_set_url(config, url);
        /* Over a Unix socket it would name a bus that the broker is to be on. */
        if (strncmp(url, "unix:", 5) != 0)
                mbus_config_set_text(config, app->process.config);
        mbus_config_set_patience(config, links->scenario->links.patience);
}

void app_begin(struct app *app)
{
        struct mbus_config *config;
        int r;

        if (app->bus || (!app->direct && !links->running[app_broker(app)->index]))
                return;
        process_begin(&app->process);
        process_enter(&app->process);
        must(mbus_config_new(&config) == 0 ? config : NULL);
        set_url(app, config);
        app->known.n = 0;
        app->n_lost = 0;
        app->lost_of_others = false;
        app->since = machine->now;
        app_trouble(app);
        r = mbus_bus_open(&app->bus, config);
        if (r == 0) {
                r = mbus_bus_watch(app->bus, "(app:sim)");
                for (uint32_t slot = 0; r == 0 && slot < links->scenario->options.per_node; ++slot)
                        add_entity(app, slot);
                begin_wait(app);
        } else if (app->direct || links->running[app_broker(app)->index]) {
                /* A broker that ends just then is no fault. */
                machine_fail("can-join", "application %u cannot open its bus: %s",
                             app->process.index, mbus_config_get_error(config));
        }
        mbus_config_free(config);
        process_leave();
}

static void bury(struct app *app)
{
        for (uint32_t slot = 0; slot < SLOTS; ++slot) {
                struct person *person = app->slots[slot];

                if (!person)
                        continue;
                post_forget(person);
                person->entity = NULL;
                person->ready = false;
                person->died = machine->now;
                app->slots[slot] = NULL;
        }
}

static void pop_all(struct app *app);

void app_end(struct app *app, bool killed)
{
        if (!app->bus)
                return;
        /* What its library had taken in had reached it. */
        process_enter(&app->process);
        pop_all(app);
        if (killed)
                process_kill(&app->process);
        bury(app);
        app_trouble(app);
        process_enter(&app->process);
        app->bus = mbus_bus_close(app->bus);
        if (descriptors_of(&app->process) > 0)
                machine_fail("descriptors", "application %u ends with %zu open descriptors",
                             app->process.index, descriptors_of(&app->process));
        process_leave();
}

/* Any of its descriptors will do: there is one, but for the moment in which one ends. */
void app_break(struct app *app)
{
        for (size_t i = 0; i < machine->n_descriptors; ++i) {
                const struct descriptor *d = machine->descriptors[i];

                if (d->type != DESCRIPTOR_STREAM || d->owner != app->process.index)
                        continue;
                stream_break(FD_FIRST + (int)i);
                app_trouble(app);
        }
}

/* ---- events -------------------------------------------------------------------------------- */

static size_t find_known(const struct known *known, const char *address)
{
        size_t i = 0;

        while (i < known->n && strcmp(known->addresses[i], address) != 0)
                ++i;
        return i;
}

static void on_joined(struct app *app, const char *address)
{
        struct known *known = &app->known;

        if (find_known(known, address) < known->n)
                machine_fail("joined-and-left", "application %u hears twice that %s joined",
                             app->process.index, address);
        if (known->n == known->size) {
                known->size = known->size ? 2 * known->size : 16;
                known->addresses =
                        must(realloc(known->addresses, known->size * sizeof(*known->addresses)));
        }
        snprintf(known->addresses[known->n++], ADDRESS_SIZE, "%s", address);
}

static void on_left(struct app *app, const char *address)
{
        struct known *known = &app->known;
        size_t i = find_known(known, address);

        if (i == known->n) {
                machine_fail("joined-and-left", "application %u hears that %s left, unknown to it",
                             app->process.index, address);
                return;
        }
        memcpy(known->addresses[i], known->addresses[--known->n], ADDRESS_SIZE);
}

static void on_go(struct app *app, const struct mbus_event *event)
{
        if (app->wait_end == 0)
                machine_fail("waits-end-once", "application %u hears of the end of no wait",
                             app->process.index);
        else if (event->go != MBUS_GO_TIMED_OUT || machine->now < app->wait_end)
                machine_fail("waits-end-once",
                             "the wait of application %u ends as %d before its time",
                             app->process.index, (int)event->go);
        app->wait_end = 0;
}

static void on_event(struct app *app, const struct mbus_event *event)
{
        struct person *person = event->entity ? mbus_entity_get_data(event->entity) : NULL;

        switch (event->type) {
        case MBUS_EVENT_READY:
                person->ready = true;
                app->ready_at = machine->now;
                snprintf(person->address, ADDRESS_SIZE, "%s", event->address);
                break;
        case MBUS_EVENT_MESSAGE:
                post_arrived(person, event->message);
                break;
        case MBUS_EVENT_DELIVERED:
        case MBUS_EVENT_FAILED:
                post_ended(person, event);
                break;
        case MBUS_EVENT_JOINED:
                on_joined(app, event->address);
                break;
        case MBUS_EVENT_LEFT:
                on_left(app, event->address);
                break;
        case MBUS_EVENT_DROPPED:
                app->n_lost += event->count;
                app->lost_of_others |= event->drop == MBUS_DROP_SOCKET;
                break;
        case MBUS_EVENT_GO:
                on_go(app, event);
                break;
        case MBUS_EVENT_LINK_DOWN:
                app_trouble(app);
                for (uint32_t slot = 0; slot < SLOTS; ++slot)
                        if (app->slots[slot])
                                app->slots[slot]->ready = false;
                break;
        case MBUS_EVENT_LINK_UP:
                app_trouble(app);
                break;
        case MBUS_EVENT_WATCHING:
                break;
        default:
                machine_fail("can-join", "application %u: event %d, reason %s", app->process.index,
                             (int)event->type, mbus_reason_name(event->reason));
        }
}

static void pop_all(struct app *app)
{
        const struct mbus_event *event;

        while (!machine->failure.claim && (event = mbus_bus_pop_event(app->bus)))
                on_event(app, event);
}

/* ---- turns --------------------------------------------------------------------------------- */

static bool is_slow(const struct app *app)
{
        return links->scenario->options.pop_gap > 0 && app->process.index % 3 == 0;
}

bool app_is_due(const struct app *app)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n = 0;

        if (!app->bus)
                return false;
        if (app->more || mbus_bus_get_deadline(app->bus) <= machine->now ||
            (is_slow(app) && app->pop_at <= machine->now))
                return true;
        mbus_bus_get_pollfds(app->bus, fds, MBUS_POLLFDS_MAX, &n);
        for (size_t i = 0; i < n; ++i) {
                if (descriptor_events(fds[i].fd) & (fds[i].events | POLLERR | POLLHUP))
                        return true;
        }
        return false;
}

uint64_t app_next(const struct app *app)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        uint64_t next = TIME_NEVER;
        size_t n = 0;

        if (!app->bus)
                return TIME_NEVER;
        next = mbus_bus_get_deadline(app->bus);
        if (is_slow(app) && app->pop_at < next)
                next = app->pop_at;
        mbus_bus_get_pollfds(app->bus, fds, MBUS_POLLFDS_MAX, &n);
        for (size_t i = 0; i < n; ++i) {
                if (descriptor_next(fds[i].fd) < next)
                        next = descriptor_next(fds[i].fd);
        }
        return next;
}

void app_turn(struct app *app)
{
        int r;

        if (!process_goes_on(&app->process))
                return;
        process_enter(&app->process);
        r = mbus_bus_process(app->bus);
        if (r < 0)
                machine_fail("goes-on", "application %u: process says %d", app->process.index, r);
        app->more = r > 0;
        if (!is_slow(app) || app->pop_at <= machine->now) {
                app->pop_at = machine->now + links->scenario->options.pop_gap;
                pop_all(app);
                if (app->wait_end > 0 && app->wait_end <= machine->now && !machine->failure.claim)
                        machine_fail("waits-end-once", "the wait of application %u does not end",
                                     app->process.index);
        }
        process_leave();
}

/* ---- awareness ----------------------------------------------------------------------------- */

void app_check_awareness(const struct app *app)
{
        size_t n = 0;

        if (!app->bus)
                return;
        ++links->n_checks;
        for (uint32_t i = 0; i < links->n_people; ++i) {
                const struct person *person = links->people[i];

                if (!person->entity)
                        continue;
                if (!person->ready)
                        machine_fail("comes-back", "entity %u-%u is not on the bus", person->app,
                                     person->slot);
                if (person->app == app->process.index)
                        continue;
                ++n;
                if (find_known(&app->known, person->address) == app->known.n)
                        machine_fail("knows-the-living", "application %u does not know %s",
                                     app->process.index, person->address);
        }
        if (n != app->known.n)
                machine_fail("knows-the-living", "application %u knows %zu entities instead of %zu",
                             app->process.index, app->known.n, n);
}
