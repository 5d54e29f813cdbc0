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

static const char *sentence_of(int error)
{
        switch (error) {
        case MBUS_E_MALFORMED:
                return "NULL, or commands that are none: mbus_commands_add_text() tells where";
        case MBUS_E_RESERVED:
                return "a command that begins with \"mbus.\" is not an application's, or not to be "
                       "sent so";
        case MBUS_E_UNKNOWN:
                return "no known entity matches the destination";
        case MBUS_E_NOT_UNIQUE:
                return "several known entities match the destination; a reliable message goes to "
                       "one";
        case MBUS_E_FULL:
                return "a queue or table is at its limit: process the bus, pop events, and try "
                       "again";
        case MBUS_E_NOT_READY:
                return "the link to the broker is down, or the entity is refused";
        case MBUS_E_TAKEN:
                return "an entity of this process has the address: choose another id, or none";
        default:
                return mbus_error_name(error);
        }
}

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
                snprintf(bus->error, sizeof(bus->error), "%s", sentence_of(error));
        return error;
}

int bus_refuse_text(struct mbus_bus *bus, int error, const char *text, size_t at, const char *what)
{
        if (error > 0)
                snprintf(bus->error, sizeof(bus->error), "%.*s, at %zu: %s", REFUSE_TEXT_MAX, text,
                         at, what);
        return error;
}

const char *mbus_bus_get_error(const struct mbus_bus *bus)
{
        return bus ? bus->error : "";
}
