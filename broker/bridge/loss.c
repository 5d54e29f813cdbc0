/*
 * loss.c - what a bus brought and nobody saw: clients are told, as they would be without a broker.
 *
 * Nobody knows whom it was for, so all who could have seen it are told how many datagrams or
 * messages it was: those with an entity, if it was main, and those who observe the bus. That is
 * work for as many as there are, at a moment when there is too much of it: they are told once in
 * LOSS_PAUSE_MS at most.
 */
#include "loss.h"

#include <core/filter.h>

static uint64_t deadline_of(const struct loss *l)
{
        if (l->n_datagrams + l->n_messages == 0)
                return TIME_NEVER;
        return l->told_at ? l->told_at + LOSS_PAUSE_MS * NSEC_PER_MSEC : 0;
}

uint64_t loss_deadline(const struct bridges *all)
{
        uint64_t first = TIME_NEVER;
        const struct bus *bus;

        for (size_t i = 0; (bus = buses_get(all->buses, i)); i++)
                if (deadline_of(&bus->loss) < first)
                        first = deadline_of(&bus->loss);
        return first;
}

static bool could_see(const struct session *s, const struct bus *bus)
{
        return (s->n_entities > 0 && bus_is_main(bus)) ||
               (s->routing->observes && filters_name_bus(s->routing->filters, bus->name));
}

static void tell(struct bridges *all, struct bus *bus)
{
        struct loss *l = &bus->loss;

        for (struct session *s = sessions_first(all->sessions); s; s = session_next(s)) {
                if (!could_see(s, bus))
                        continue;
                if (l->n_datagrams > 0)
                        reply_dropped(s, l->n_datagrams, "socket");
                if (l->n_messages > 0)
                        reply_dropped(s, l->n_messages, "events");
        }
        *l = (struct loss){ .told_at = all->it->now };
}

void loss_tell(struct bridges *all)
{
        struct bus *bus;

        for (size_t i = 0; (bus = buses_get(all->buses, i)); i++)
                if (deadline_of(&bus->loss) <= all->it->now)
                        tell(all, bus);
}
