/*
 * observe.c - which messages the application wants to see, whoever they are for.
 *
 * In link mode the broker filters, in the others the engine does before a message takes any room:
 * in both a slow observer of few messages loses none of them to the many.
 */
#include "bus.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(MBUS_FILTERS_MAX == OBSERVE_FILTERS_MAX,
               "applications may use as many as there are");

struct mbus_observation {
        bool hello;
        struct filter *filters;
        int error; /* the first mistake */
};

/* ---- what is wanted ------------------------------------------------------------------------ */

int mbus_observation_new(struct mbus_observation **ret_observation)
{
        struct mbus_observation *o = ret_observation ? calloc(1, sizeof(*o)) : NULL;

        if (!ret_observation)
                return MBUS_E_MALFORMED;
        if (!o)
                return -ENOMEM;
        *ret_observation = o;
        return 0;
}

struct mbus_observation *mbus_observation_free(struct mbus_observation *observation)
{
        if (observation)
                filters_free(observation->filters);
        free(observation);
        return NULL;
}

void mbus_observation_set_hello(struct mbus_observation *observation, bool hello)
{
        if (observation)
                observation->hello = hello;
}

void mbus_observation_add_filter(struct mbus_observation *observation, const char *address,
                                 const char *beginning, const char *bus)
{
        struct address parsed = ADDRESS_ALL;
        int r;

        if (!observation)
                return;
        r = address ? address_parse(span_of(address), LENIENT, &parsed, NULL, NULL) : 0;
        if (r == 0 && bus && !bus[0])
                r = MBUS_E_MALFORMED;
        if (r == 0)
                r = filters_add(&observation->filters, &parsed,
                                beginning ? span_of(beginning) : SPAN_NULL,
                                bus ? span_of(bus) : SPAN_NULL);
        if (observation->error == 0)
                observation->error = r;
}

/* ---- observing ----------------------------------------------------------------------------- */

int mbus_bus_observe(struct mbus_bus *bus, const struct mbus_observation *observation)
{
        struct observing before, wanted = { .on = true };
        int r = bus_usable(bus, true);

        if (r != 0)
                return r;
        before = bus->parts.observing;
        r = observation ? observation->error : 0;
        if (r == 0 && observation) {
                wanted.hello = observation->hello;
                r = filters_copy(observation->filters, &wanted.filters);
        }
        if (r > 0)
                snprintf(bus->error, sizeof(bus->error), "%s",
                         r == MBUS_E_FULL
                                 ? "an observation has 16 filters at most"
                                 : "a filter has an address that is none, a beginning that no "
                                   "command has, or an empty name of a bus");
        if (r != 0)
                return r;
        bus->parts.observing = wanted;
        r = bus->mode->ops->observe(bus->mode);
        if (r != 0)
                bus->parts.observing = before;
        filters_free(r != 0 ? wanted.filters : before.filters);
        bus_changed(bus);
        return bus_refuse(bus, r);
}
