/*
 * pop.c - events become the application's, one at a time.
 *
 * What was popped last stays until the next one is: its texts and its message are what the
 * application looks at.
 */
#include "bus.h"

#include <assert.h>

bool bus_has_event(struct mbus_bus *bus)
{
        const struct mode_ops *ops = bus->mode->ops;

        if (waits_has_ended(&bus->waits))
                return true;
        do {
                if (event_queue_first(&bus->parts.events))
                        return true;
        } while (ops->pull && ops->pull(bus->mode));
        return waits_give_up(&bus->waits);
}

/* The application is done with the event that it popped. */
static void pop_let_go(struct mbus_bus *bus)
{
        struct queued *current = &bus->current;
        struct message *message = (struct message *)current->event.message;

        if (message && bus->mode->ops->let_go) {
                bus->mode->ops->let_go(bus->mode, message);
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
        pop_let_go(bus);
        if (!bus_has_event(bus)) {
                bus_changed(bus);
                return NULL;
        }
        assert(!bus->current.event.message && !bus->current.event.why && !bus->current.text);
        if (waits_has_ended(&bus->waits))
                waits_pop(&bus->waits, event);
        else
                event_queue_pop(&bus->parts.events, &bus->current);
        if (event->type == MBUS_EVENT_MESSAGE || event->type == MBUS_EVENT_QUIT)
                waits_heard(&bus->waits, event->entity, event->message);
        else if (event->type == MBUS_EVENT_READY)
                event->address = entity_take_text(event->entity);
        else if (bus->current.text)
                event->address = bus->current.text;
        bus_changed(bus);
        return event;
}
