/*
 * events.c - the events that wait for the application, in a ring.
 *
 * In direct and mem mode the bounded queue is the engine's, and this one holds only what the last
 * event of it became. In link mode messages wait here, and the link is not read while too many do.
 * An event whose entity went away stays in the ring as MBUS_EVENT_MAX and is skipped.
 */
#include "bus.h"

#include <stdlib.h>

static inline size_t queued_bytes(const struct queued *item)
{
        const struct message *m = (const struct message *)item->event.message;

        return m ? message_memory(m) : 0;
}

void queued_deinit(struct queued *item)
{
        message_unref((struct message *)item->event.message);
        free((char *)item->event.why);
        free(item->text);
        *item = (struct queued){ .text = NULL };
}

char *why_string(struct span why)
{
        char *copy;

        if (why.n > WHY_MAX) {
                why.n = WHY_MAX;
                /* Not within a character. */
                while (why.n > 0 && ((unsigned char)why.at[why.n] & 0xc0) == 0x80)
                        why.n--;
        }
        copy = why.n > 0 ? malloc(why.n + 1) : NULL;
        if (copy) {
                memcpy(copy, why.at, why.n);
                copy[why.n] = '\0';
        }
        return copy;
}

void event_queue_deinit(struct event_queue *q)
{
        for (size_t i = 0; i < q->n; i++)
                queued_deinit(&q->ring[(q->head + i) & (q->size - 1)]);
        free(q->ring);
        *q = (struct event_queue){ .ring = NULL };
}

int event_queue_reserve(struct event_queue *q, size_t n)
{
        size_t size = q->size ? q->size : 16;
        struct queued *ring;

        n += q->promised;
        if (n <= q->size - q->n)
                return 0;
        while (size - q->n < n)
                size *= 2;
        ring = malloc(size * sizeof(*ring));
        if (!ring)
                return -ENOMEM;
        for (size_t i = 0; i < q->n; i++)
                ring[i] = q->ring[(q->head + i) & (q->size - 1)];
        free(q->ring);
        q->ring = ring;
        q->size = size;
        q->head = 0;
        return 0;
}

int event_queue_promise(struct event_queue *q)
{
        int r = event_queue_reserve(q, 1);

        if (r == 0)
                q->promised++;
        return r;
}

void event_queue_redeem(struct event_queue *q)
{
        q->promised--;
}

/* There is room. */
static void append(struct event_queue *q, const struct mbus_event *event, char *text)
{
        struct queued *item = &q->ring[(q->head + q->n++) & (q->size - 1)];

        item->event = *event;
        item->text = text;
        q->bytes += queued_bytes(item);
}

void event_queue_push(struct mbus_bus *bus, const struct mbus_event *event, char *text)
{
        struct queued item = { *event, text };

        if (event_queue_reserve(&bus->queue, 1) == 0) {
                append(&bus->queue, event, text);
                return;
        }
        queued_deinit(&item);
        bus->failure = -ENOMEM;
}

/* What an application learns of a message: MBUS_EVENT_MAX, nothing, when all of its commands are
 * about the awareness of section 8, which is the library's. */
static enum mbus_event_type message_event(const struct message *m)
{
        enum mbus_event_type type = MBUS_EVENT_MAX;

        for (size_t i = 0; i < m->payload.n; i++) {
                struct span name = m->payload.commands[i].name;

                if (!span_begins(name, "mbus."))
                        type = MBUS_EVENT_MESSAGE;
                else if (span_equal_text(name, "mbus.quit"))
                        return MBUS_EVENT_QUIT;
                else if (!span_equal_text(name, "mbus.hello") &&
                         !span_equal_text(name, "mbus.bye") && !span_equal_text(name, "mbus.ping"))
                        type = MBUS_EVENT_MESSAGE;
        }
        return type;
}

int event_queue_message(struct mbus_bus *bus, struct mbus_entity *entity, struct message *message)
{
        struct mbus_event event = { .type = message_event(message),
                                    .entity = entity,
                                    .message = (struct mbus_message *)message,
                                    .time = bus->wall_ns };

        if (event.type == MBUS_EVENT_MAX)
                return 0;
        if (event_queue_reserve(&bus->queue, 1) < 0)
                return -ENOMEM;
        message_ref(message);
        append(&bus->queue, &event, NULL);
        return 0;
}

void event_queue_network(struct mbus_bus *bus, enum mbus_network network, struct span why)
{
        struct mbus_event event = { .type = MBUS_EVENT_NETWORK, .network = network };

        event.why = why_string(why);
        event_queue_push(bus, &event, NULL);
}

void event_queue_forget(struct event_queue *q, const struct mbus_entity *entity)
{
        for (size_t i = 0; i < q->n; i++) {
                struct queued *item = &q->ring[(q->head + i) & (q->size - 1)];

                if (item->event.entity != entity)
                        continue;
                q->bytes -= queued_bytes(item);
                queued_deinit(item);
                item->event.type = MBUS_EVENT_MAX;
        }
}

/* Takes the first one, which there is. */
/* Takes the first one off. */
static inline void event_queue_drop(struct event_queue *q)
{
        q->bytes -= queued_bytes(&q->ring[q->head]);
        q->head = (q->head + 1) & (q->size - 1);
        q->n--;
}

bool bus_has_event(struct mbus_bus *bus)
{
        struct event_queue *q = &bus->queue;

        do {
                while (q->n > 0) {
                        if (q->ring[q->head].event.type != MBUS_EVENT_MAX)
                                return true;
                        event_queue_drop(q);
                }
        } while (bus->mode->pull(bus));
        return false;
}

/* The application is done with the event that it popped. */
static void let_go(struct mbus_bus *bus)
{
        struct queued *current = &bus->current;
        struct message *message = (struct message *)current->event.message;

        if (message && bus->mode->let_go) {
                bus->mode->let_go(bus, message);
                current->event.message = NULL;
        }
        if (current->event.message || current->event.why || current->text)
                queued_deinit(current);
}

const struct mbus_event *mbus_bus_pop_event(struct mbus_bus *bus)
{
        struct mbus_event *event;

        if (bus_usable(bus, true) != 0)
                return NULL;
        event = &bus->current.event;
        let_go(bus);
        if (!bus_has_event(bus)) {
                bus_changed(bus);
                return NULL;
        }
        bus->current = bus->queue.ring[bus->queue.head];
        event_queue_drop(&bus->queue);
        if (event->type == MBUS_EVENT_READY) {
                struct mbus_entity *entity = event->entity;

                if (entity->next_text) {
                        free(entity->text);
                        entity->text = entity->next_text;
                        entity->next_text = NULL;
                }
                event->address = entity->text;
        } else if (bus->current.text) {
                event->address = bus->current.text;
        }
        bus_changed(bus);
        return event;
}
