/*
 * buses.h - what tests of the public library share: buses that are turned until nothing moves, and
 * events that are looked for.
 */
#ifndef MBUS_SUPPORT_BUSES_H
#define MBUS_SUPPORT_BUSES_H

#include <check.h>
#include <poll.h>
#include <time.h>

#include <mbus/mbus.h>

static inline struct mbus_bus *bus_open(const char *url, const char *text)
{
        struct mbus_config *config;
        struct mbus_bus *bus = NULL;
        int r;

        ck_assert_int_eq(mbus_config_new(&config), 0);
        mbus_config_set_url(config, url);
        mbus_config_set_text(config, text);
        r = mbus_bus_open(&bus, config);
        ck_assert_msg(r == 0, "%s: %s", url, mbus_config_get_error(config));
        mbus_config_free(config);
        return bus;
}

static inline struct mbus_entity *entity_add(struct mbus_bus *bus, const char *address)
{
        struct mbus_entity *entity = NULL;

        ck_assert_int_eq(mbus_bus_add_entity(bus, address, &entity), 0);
        return entity;
}

/* What mbus_bus_observe() says to one filter, whose parts may be NULL. */
static inline int observe_filtered(struct mbus_bus *bus, const char *address, const char *beginning,
                                   const char *name)
{
        struct mbus_observation *o;
        int r;

        ck_assert_int_eq(mbus_observation_new(&o), 0);
        mbus_observation_add_filter(o, address, beginning, name);
        r = mbus_bus_observe(bus, o);
        mbus_observation_free(o);
        return r;
}

/* Observes all messages, bare hellos and acknowledgements included. */
static inline void observe_hello(struct mbus_bus *bus)
{
        struct mbus_observation *o;

        ck_assert_int_eq(mbus_observation_new(&o), 0);
        mbus_observation_set_hello(o, true);
        ck_assert_int_eq(mbus_bus_observe(bus, o), 0);
        ck_assert_ptr_null(mbus_observation_free(o));
}

static inline bool bus_is_due(struct mbus_bus *bus)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n;

        ck_assert_int_eq(mbus_bus_get_pollfds(bus, fds, MBUS_POLLFDS_MAX, &n), 0);
        return mbus_bus_get_deadline(bus) == 0 || poll(fds, n, 0) > 0;
}

/* Turns @buses, up to a NULL, until none of them has anything to do at once. */
static inline void buses_settle(struct mbus_bus **buses)
{
        bool due = true;

        while (due) {
                due = false;
                for (size_t i = 0; buses[i]; i++) {
                        if (!bus_is_due(buses[i]))
                                continue;
                        due = true;
                        ck_assert_int_ge(mbus_bus_process(buses[i]), 0);
                }
        }
}

/* The next event of @type, what is before it is thrown away; NULL if there is none. */
static inline const struct mbus_event *event_find(struct mbus_bus *bus, enum mbus_event_type type)
{
        const struct mbus_event *event;

        do {
                event = mbus_bus_pop_event(bus);
        } while (event && event->type != type);
        return event;
}

/* As event_find(), but fails the test when there is none. */
static inline const struct mbus_event *event_expect(struct mbus_bus *bus, enum mbus_event_type type)
{
        const struct mbus_event *event = event_find(bus, type);

        ck_assert_msg(event != NULL, "no event of type %d", (int)type);
        return event;
}

/* Turns both buses until @bus has an event of @type; those before it are thrown away. The bound is there for a
 * test that fails. */
static inline const struct mbus_event *event_await(struct mbus_bus *bus, struct mbus_bus *other,
                                                   enum mbus_event_type type)
{
        for (int i = 0; i < 10000; i++) {
                const struct mbus_event *event;

                ck_assert_int_ge(mbus_bus_process(other), 0);
                if (mbus_bus_wait(bus, 2000000) != 0)
                        continue;
                event = mbus_bus_pop_event(bus);
                if (event && event->type == type)
                        return event;
        }
        ck_abort_msg("no event of type %d", (int)type);
        return NULL;
}

static inline void events_clear(struct mbus_bus *bus)
{
        while (mbus_bus_pop_event(bus))
                ;
}

#endif
