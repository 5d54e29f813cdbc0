/*
 * refuse.c - why the last call that was refused was: a sentence for whoever reads the program's
 * output.
 *
 * A positive error says what to do, but not what is wrong where. The sentence is made when a call
 * fails and stays until the next one does, so that calls that succeed pay nothing for it.
 */
#include "bus.h"

#include <stdio.h>

/* Addresses and commands are shown up to here. */
#define REFUSE_TEXT_MAX 160

int bus_refuse(struct mbus_bus *bus, int error)
{
        size_t size, largest;

        if (error <= 0 || !bus)
                return error;
        mbus_bus_get_sizes(bus, &size, &largest);
        if (error == MBUS_E_TOO_LARGE && size > 0)
                snprintf(bus->error, sizeof(bus->error),
                         "the message would have %zu octets, and the bus takes no more than %zu",
                         size, largest);
        else
                snprintf(bus->error, sizeof(bus->error), "%s", mbus_error_text(error));
        return error;
}

int bus_refuse_text(struct mbus_bus *bus, int error, const char *text, size_t at, const char *what)
{
        if (error > 0)
                snprintf(bus->error, sizeof(bus->error), "%.*s, at %zu: %s", REFUSE_TEXT_MAX, text,
                         at, what);
        return error;
}

int bus_refuse_reason(struct mbus_bus *bus, enum mbus_reason reason)
{
        snprintf(bus->error, sizeof(bus->error), "%s", mbus_reason_text(reason));
        return mbus_reason_error(reason);
}

const char *mbus_bus_get_error(const struct mbus_bus *bus)
{
        return bus ? bus->error : "";
}
