/*
 * entities.c - entities of the application, and what they send.
 */
#include "bus.h"

#include <stdlib.h>

char *address_string(const struct address *a)
{
        char *text = malloc(address_plain_size(a) + 1);

        if (text)
                *address_put_canonical(a, text) = '\0';
        return text;
}

int entity_ready(struct mbus_entity *entity, const struct address *address)
{
        char *text = address_string(address);

        if (!text)
                return -ENOMEM;
        if (!entity->text) {
                entity->text = text;
        } else {
                /* The application may hold the old text until it has popped the event. */
                free(entity->next_text);
                entity->next_text = text;
        }
        event_queue_push(entity->bus,
                         &(struct mbus_event){ .type = MBUS_EVENT_READY, .entity = entity }, NULL);
        return 0;
}

static void list_entity(struct mbus_bus *bus, struct mbus_entity *entity)
{
        entity->next = bus->entities;
        if (bus->entities)
                bus->entities->prev = entity;
        bus->entities = entity;
        bus->n_entities++;
}

static struct mbus_entity *entity_free(struct mbus_entity *entity)
{
        free(entity->given);
        free(entity->text);
        free(entity->next_text);
        free(entity);
        return NULL;
}

/* An id that the application chose must have the form of 4.1, for we answer for it. */
int address_parse_own(struct span text, struct address *ret_address, struct parse_error *error)
{
        int r = address_parse(text, STRICT, ret_address, NULL, error);
        struct span id;

        if (r != 0)
                return r;
        id = address_get(ret_address, "id");
        if (!id.at || address_has_proper_id(ret_address))
                return 0;
        return parse_fail(
                error, (size_t)(id.at - text.at),
                "an id of our own is NUMBER-NUMBER@HOST, such as 7-1@10.1.0.2: up to 10 and 5 "
                "digits, and an IP address; without one it is made");
}

static int parse_given(struct mbus_bus *bus, const char *text, struct address **ret_address)
{
        struct parse_error error = { 0, "" };
        struct address parsed;
        int r = address_parse_own(span_of(text), &parsed, &error);

        if (r != 0)
                return bus_refuse_text(bus, r, text, error.at, error.what);
        *ret_address = address_dup(&parsed);
        return *ret_address ? 0 : -ENOMEM;
}

int mbus_bus_add_entity(struct mbus_bus *bus, const char *address, struct mbus_entity **ret_entity)
{
        struct mbus_entity *entity;
        int r = bus_usable(bus, address && ret_entity);

        if (r != 0)
                return bus_refuse(bus, r);
        if (bus->n_entities >= ENTITIES_MAX)
                return bus_refuse(bus, MBUS_E_FULL);
        entity = malloc(sizeof(*entity));
        if (!entity)
                return -ENOMEM;
        *entity = (struct mbus_entity){ .bus = bus, .attached = INDEX_ENTRY_INIT };
        r = parse_given(bus, address, &entity->given);
        if (r == 0)
                r = bus_refuse(bus, bus->mode->add_entity(entity));
        if (r != 0) {
                event_queue_forget(&bus->queue, entity);
                entity_free(entity);
                return r;
        }
        list_entity(bus, entity);
        bus_changed(bus);
        *ret_entity = entity;
        return 0;
}

struct mbus_entity *mbus_entity_remove(struct mbus_entity *entity)
{
        struct mbus_bus *bus;

        if (!entity)
                return NULL;
        bus = entity->bus;
        bus_abandon(bus);
        bus->mode->remove_entity(entity);
        event_queue_forget(&bus->queue, entity);
        if (bus->current.event.entity == entity)
                bus->current.event.entity = NULL;
        if (entity->prev)
                entity->prev->next = entity->next;
        else
                bus->entities = entity->next;
        if (entity->next)
                entity->next->prev = entity->prev;
        bus->n_entities--;
        entity_free(entity);
        bus_changed(bus);
        return NULL;
}

const char *mbus_entity_get_address(const struct mbus_entity *entity)
{
        return entity ? entity->text : NULL;
}

void mbus_entity_set_data(struct mbus_entity *entity, void *data)
{
        if (entity)
                entity->data = data;
}

void *mbus_entity_get_data(const struct mbus_entity *entity)
{
        return entity ? entity->data : NULL;
}

/* ---- sending ------------------------------------------------------------------------------- */

static int usable(const struct mbus_entity *entity, bool there)
{
        return bus_usable(entity ? entity->bus : NULL, there);
}

/* Most applications send to the same destination again and again. */
static int parse_destination(struct mbus_bus *bus, const char *destination)
{
        struct parse_error error = { 0, "" };
        struct span text;
        int r;

        if (bus->to_text.n > 0 && strcmp(bus->to_text.at, destination) == 0)
                return 0;
        text = span_of(destination);
        buffer_clear(&bus->to_text);
        buffer_add_span(&bus->to_text, text);
        buffer_add_char(&bus->to_text, '\0');
        if (bus->to_text.failed)
                return -ENOMEM;
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
        int r = usable(entity, destination && commands);

        if (r == 0)
                r = commands_payload(commands, ret_ticket != NULL, &payload);
        if (r != 0)
                return entity ? bus_refuse(entity->bus, r) : r;
        r = parse_destination(entity->bus, destination);
        if (r != 0)
                return r;
        r = entity->bus->mode->send(entity, &entity->bus->to, payload, ret_ticket);
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
        int r = usable(entity, ret_ticket);

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
        int r = usable(entity, destination && commands && (ret_tickets || size == 0) && ret_n);

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
        int r = usable(entity, destination && text);

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
        int r = usable(entity, destination);

        if (r != 0)
                return entity ? bus_refuse(entity->bus, r) : r;
        r = parse_destination(entity->bus, destination);
        if (r != 0)
                return r;
        r = entity->bus->mode->ping(entity, &entity->bus->to);
        bus_changed(entity->bus);
        return bus_refuse(entity->bus, r);
}
