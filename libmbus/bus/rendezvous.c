/*
 * rendezvous.c - an entity waits until another one says that it may go on, says so itself, or asks
 * others to end (RFC 3259, 9.4 to 9.6).
 */
#include "bus.h"

#include <string.h>

#include <core/address.h>
#include <core/bus-command.h>
#include <io/clock.h>

static int rendezvous_usable(const struct mbus_entity *entity, bool there)
{
        int r = bus_usable(entity ? entity->bus : NULL, there);

        return r != 0 && entity ? bus_refuse(entity->bus, r) : r;
}

/* @command with @condition, if there is one. */
static int rendezvous_commands(struct mbus_bus *bus, const char *command, const char *condition,
                               struct mbus_commands **ret_commands)
{
        struct mbus_commands *commands;
        int r;

        if (condition && strlen(condition) > CONDITION_MAX)
                return bus_refuse_text(bus, MBUS_E_TOO_LARGE, condition, CONDITION_MAX,
                                       "a condition is not as long as that");
        r = mbus_commands_new(&commands);
        if (r != 0)
                return r;
        mbus_commands_begin(commands, command);
        if (condition)
                mbus_commands_add_string(commands, condition);
        mbus_commands_end(commands);
        r = mbus_commands_check(commands);
        if (r != 0) {
                mbus_commands_free(commands);
                return r == MBUS_E_MALFORMED
                               ? bus_refuse_text(bus, r, condition ? condition : command, 0,
                                                 "a condition is UTF-8, and not empty")
                               : r;
        }
        *ret_commands = commands;
        return 0;
}

static int wait_begin(struct mbus_entity *entity, const char *destination, const char *condition,
                      struct span payload, int64_t timeout)
{
        struct mbus_bus *bus = entity->bus;
        struct parse_error error = { 0, "" };
        struct address to;
        uint64_t now = clock_now();
        uint64_t end = timeout < 0 || (uint64_t)timeout > TIME_NEVER - now
                               ? TIME_NEVER
                               : now + (uint64_t)timeout;
        int r = address_parse(span_of(destination), LENIENT, &to, NULL, &error);

        if (r != 0)
                return bus_refuse_text(bus, r, destination, error.at, error.what);
        r = waits_add(&bus->waits, entity, &to, condition, payload, now, end);
        bus_changed(bus);
        if (r == MBUS_E_TAKEN)
                return bus_refuse_text(bus, r, condition, 0, "the entity waits for this already");
        return bus_refuse(bus, r);
}

int mbus_entity_wait(struct mbus_entity *entity, const char *destination, const char *condition,
                     int64_t timeout)
{
        struct mbus_commands *commands;
        struct span payload;
        int r = rendezvous_usable(entity, destination && condition);

        if (r == 0)
                r = rendezvous_commands(entity->bus, "mbus.waiting", condition, &commands);
        if (r != 0)
                return r;
        r = commands_payload(commands, false, &payload);
        r = r != 0 ? bus_refuse(entity->bus, r)
                   : wait_begin(entity, destination, condition, payload, timeout);
        mbus_commands_free(commands);
        return r;
}

int mbus_entity_cancel_wait(struct mbus_entity *entity, const char *condition)
{
        struct mbus_bus *bus;
        int r = rendezvous_usable(entity, condition);

        if (r != 0)
                return r;
        bus = entity->bus;
        r = waits_cancel(&bus->waits, entity, condition);
        if (r != 0)
                return bus_refuse_text(bus, r, condition, 0, "the entity does not wait for this");
        bus->parts.stirred = true;
        bus_changed(bus);
        return 0;
}

int mbus_entity_go(struct mbus_entity *entity, const char *destination, const char *condition,
                   uint64_t *ret_ticket)
{
        struct mbus_commands *commands;
        int r = rendezvous_usable(entity, destination && condition && ret_ticket);

        if (r == 0)
                r = rendezvous_commands(entity->bus, "mbus.go", condition, &commands);
        if (r != 0)
                return r;
        r = mbus_entity_send_reliable(entity, destination, commands, ret_ticket);
        mbus_commands_free(commands);
        return r;
}

int mbus_entity_quit(struct mbus_entity *entity, const char *destination, uint64_t *ret_ticket)
{
        struct mbus_commands *commands;
        int r = rendezvous_usable(entity, destination);

        if (r == 0)
                r = rendezvous_commands(entity->bus, "mbus.quit", NULL, &commands);
        if (r != 0)
                return r;
        r = ret_ticket ? mbus_entity_send_reliable(entity, destination, commands, ret_ticket)
                       : mbus_entity_send(entity, destination, commands);
        mbus_commands_free(commands);
        return r;
}
