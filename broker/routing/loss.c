/*
 * loss.c - what a bus brought and nobody saw: clients are told, as they would be without a broker.
 *
 * Nobody knows whom it was for, so all who could have seen it are told how many datagrams or messages it
 * was: those with an entity, if it was main, and those who observe the bus. That is work for as many as
 * there are, at a moment when there is too much of it: they are told once in LOSS_PAUSE_MS at most.
 */
#include "loss.h"

#include <core/filter.h>

#include <broker/bridge/bridge.h>
#include <broker/broker.h>
#include <broker/control/control.h>

void loss_note(struct bus *bus, enum mbus_drop reason, uint64_t n)
{
        if (reason == MBUS_DROP_SOCKET)
                bus->loss.n_datagrams += n;
        else
                bus->loss.n_messages += n;
}

static uint64_t deadline_of(const struct loss *l)
{
        if (l->n_datagrams + l->n_messages == 0)
                return TIME_NEVER;
        return l->told_at ? l->told_at + LOSS_PAUSE_MS * NSEC_PER_MSEC : 0;
}

uint64_t loss_deadline(struct broker *b)
{
        uint64_t first = TIME_NEVER;
        const struct bus *bus;

        for (size_t i = 0; (bus = bridges_get_bus(b, i)); i++)
                if (deadline_of(&bus->loss) < first)
                        first = deadline_of(&bus->loss);
        return first;
}

static bool could_see(const struct client *c, const struct bus *bus)
{
        return (c->attachments && bus == &c->broker->bus) ||
               (c->observes && filters_name_bus(c->filters, bus->name));
}

static void tell(struct broker *b, struct bus *bus)
{
        struct loss *l = &bus->loss;

        for (struct client *c = b->clients; c; c = c->next) {
                if (!could_see(c, bus))
                        continue;
                if (l->n_datagrams > 0)
                        control_dropped(c, l->n_datagrams, "socket");
                if (l->n_messages > 0)
                        control_dropped(c, l->n_messages, "events");
        }
        *l = (struct loss){ .told_at = b->it.now };
}

void loss_tell(struct broker *b)
{
        struct bus *bus;

        for (size_t i = 0; (bus = bridges_get_bus(b, i)); i++)
                if (deadline_of(&bus->loss) <= b->it.now)
                        tell(b, bus);
}
