/*
 * sending.c - what entities of the application send.
 */
#include "bus.h"

#include <assert.h>
#include <string.h>

static int sending_usable(const struct mbus_entity *entity, bool there)
{
        return bus_usable(entity ? entity->bus : NULL, there);
}

/* Most applications send to the same destination again and again. */
static int parse_destination(struct mbus_bus *bus, const char *destination)
{
        struct parse_error error = { 0, "" };
        struct span text;
        int r;

        assert(bus->to_text.n == 0 || bus->to_text.at[bus->to_text.n - 1] == '\0');
        if (bus->to_text.n > 0 && strcmp(bus->to_text.at, destination) == 0)
                return 0;
        text = span_of(destination);
        buffer_clear(&bus->to_text);
        buffer_add_span(&bus->to_text, text);
        buffer_add_char(&bus->to_text, '\0');
        if (bus->to_text.failed) {
                buffer_clear(&bus->to_text);
                return -ENOMEM;
        }
        text.at = bus->to_text.at;
        r = address_parse(text, LENIENT, &bus->to, NULL, &error);
        if (r == 0)
                return 0;
        buffer_clear(&bus->to_text);
        return bus_refuse_text(bus, r, destination, error.at, error.what);
}

static int send_commands(struct mbus_entity *entity, const char *destination,
                         const struct mbus_commands *commands, uint64_t *ret_ticket)
{
        struct span payload;
        int r = sending_usable(entity, destination && commands);

        if (r == 0)
                r = commands_payload(commands, ret_ticket != NULL, &payload);
        if (r != 0)
                return entity ? bus_refuse(entity->bus, r) : r;
        r = parse_destination(entity->bus, destination);
        if (r != 0)
                return r;
        r = entity->mode->ops->send(entity, &entity->bus->to, payload, ret_ticket);
        bus_changed(entity->bus);
        return r == 0 ? 0 : bus_refuse(entity->bus, r);
}

int mbus_entity_send(struct mbus_entity *entity, const char *destination,
                     const struct mbus_commands *commands)
{
        return send_commands(entity, destination, commands, NULL);
}

int mbus_entity_send_reliable(struct mbus_entity *entity, const char *destination,
                              const struct mbus_commands *commands, uint64_t *ret_ticket)
{
        int r = sending_usable(entity, ret_ticket);

        if (r != 0)
                return entity ? bus_refuse(entity->bus, r) : r;
        return send_commands(entity, destination, commands, ret_ticket);
}

int mbus_entity_send_each(struct mbus_entity *entity, const char *destination,
                          const struct mbus_commands *commands, uint64_t *ret_tickets, size_t size,
                          size_t *ret_n)
{
        struct mbus_peers *peers;
        size_t n = 0;
        int r = sending_usable(entity,
                               destination && commands && (ret_tickets || size == 0) && ret_n);

        if (r != 0)
                return entity ? bus_refuse(entity->bus, r) : r;
        r = mbus_peers_new(entity->bus, destination, &peers);
        if (r != 0)
                return r;
        if (mbus_peers_get_n(peers) > size)
                r = bus_refuse(entity->bus, MBUS_E_FULL);
        while (r == 0 && n < mbus_peers_get_n(peers)) {
                r = send_commands(entity, mbus_peers_get_address(peers, n), commands,
                                  &ret_tickets[n]);
                n += r == 0;
        }
        mbus_peers_free(peers);
        *ret_n = n;
        return r;
}

int mbus_entity_send_text(struct mbus_entity *entity, const char *destination, const char *text)
{
        struct mbus_commands *commands;
        const char *what = "";
        size_t at = 0;
        int r = sending_usable(entity, destination && text);

        if (r != 0)
                return entity ? bus_refuse(entity->bus, r) : r;
        r = mbus_commands_new(&commands);
        if (r != 0)
                return r;
        r = mbus_commands_add_text(commands, text, &at, &what);
        if (r != 0)
                bus_refuse_text(entity->bus, r, text, at, what);
        else
                r = send_commands(entity, destination, commands, NULL);
        mbus_commands_free(commands);
        return r;
}

int mbus_entity_ping(struct mbus_entity *entity, const char *destination)
{
        int r = sending_usable(entity, destination);

        if (r != 0)
                return entity ? bus_refuse(entity->bus, r) : r;
        r = parse_destination(entity->bus, destination);
        if (r != 0)
                return r;
        r = entity->mode->ops->ping(entity, &entity->bus->to);
        bus_changed(entity->bus);
        return bus_refuse(entity->bus, r);
}
