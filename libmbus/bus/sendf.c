/*
 * sendf.c - what entities of the application send, from a format and arguments.
 */
#include "bus.h"

#include <stdarg.h>

/* Makes commands of @format and sends them: reliably with @ret_ticket. */
static int send_format(struct mbus_entity *entity, const char *destination, uint64_t *ret_ticket,
                       const char *format, va_list list)
{
        struct mbus_commands *commands = NULL;
        const char *what;
        size_t at;
        int r = mbus_commands_new(&commands);

        if (r != 0)
                return r;
        r = mbus_commands_vaddf(commands, format, list);
        if (r != 0) {
                what = mbus_commands_get_error(commands, &at);
                bus_refuse_text(entity->bus, r, format, at, what);
        } else if (ret_ticket) {
                r = mbus_entity_send_reliable(entity, destination, commands, ret_ticket);
        } else {
                r = mbus_entity_send(entity, destination, commands);
        }
        mbus_commands_free(commands);
        return r;
}

int mbus_entity_sendf(struct mbus_entity *entity, const char *destination, const char *format, ...)
{
        struct mbus_bus *bus = entity ? entity->bus : NULL;
        int r = bus_usable(bus, destination && format);
        va_list list;

        if (r != 0)
                return bus_refuse(bus, r);
        va_start(list, format);
        r = send_format(entity, destination, NULL, format, list);
        va_end(list);
        return r;
}

int mbus_entity_sendf_reliable(struct mbus_entity *entity, const char *destination,
                               uint64_t *ret_ticket, const char *format, ...)
{
        struct mbus_bus *bus = entity ? entity->bus : NULL;
        int r = bus_usable(bus, destination && ret_ticket && format);
        va_list list;

        if (r != 0)
                return bus_refuse(bus, r);
        va_start(list, format);
        r = send_format(entity, destination, ret_ticket, format, list);
        va_end(list);
        return r;
}
