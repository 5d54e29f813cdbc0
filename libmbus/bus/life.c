/*
 * life.c - a bus begins and ends.
 *
 * It begins without a mode, which libmbus/open finds for it; whoever gets a bus from
 * mbus_bus_open() gets one with a mode, and that stays.
 */
#include "bus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <io/entropy.h>

struct mbus_bus *bus_new(void)
{
        struct mbus_bus *bus = malloc(sizeof(*bus));

        if (!bus)
                return NULL;
        *bus = (struct mbus_bus){ .parts.one_fd = ONE_FD_INIT,
                                  .waits = WAITS_INIT,
                                  .process = fork_number() };
        reported_init(&bus->parts.reported, entropy_number(), &bus->parts.watches,
                      &bus->parts.events);
        return bus;
}

struct bus_parts *bus_get_parts(struct mbus_bus *bus)
{
        return &bus->parts;
}

void bus_set_mode(struct mbus_bus *bus, struct mode *mode)
{
        assert(!bus->mode && mode->bus == &bus->parts);
        bus->mode = mode;
}

int bus_set_url(struct bus_parts *bus, const char *scheme, const char *name)
{
        assert(!bus->url);
        bus->url = malloc(strlen(scheme) + strlen(name) + 1);
        if (!bus->url)
                return -ENOMEM;
        strcpy(bus->url, scheme);
        strcat(bus->url, name);
        return 0;
}

struct mbus_bus *mbus_bus_close(struct mbus_bus *bus)
{
        struct bus_parts *parts;

        if (!bus)
                return NULL;
        parts = &bus->parts;
        bus_abandon(bus);
        if (bus->mode && bus->mode->ops->settle && !bus->abandoned)
                bus->mode->ops->settle(bus->mode);
        while (!list_is_empty(&parts->entities))
                mbus_entity_remove(entity_of_node(parts->entities.first));
        if (bus->mode)
                bus->mode->ops->close(bus->mode);
        waits_deinit(&bus->waits);
        queued_deinit(&bus->current);
        event_queue_deinit(&parts->events);
        buffer_deinit(&bus->to_text);
        reported_deinit(&parts->reported);
        filters_free(parts->observing.filters);
        watches_deinit(&parts->watches);
        remarks_deinit(&parts->remarks);
        one_fd_deinit(&parts->one_fd);
        free(parts->url);
        free(bus);
        return NULL;
}
