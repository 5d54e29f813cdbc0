/*
 * flush.c - waits until all that was sent has left, and tells what has not.
 *
 * What has left depends on the mode, and there is one function that knows: bus_n_left(). Whatever in the
 * library keeps messages of the application counts there.
 */
#include "bus.h"

#include <limits.h>

#include <io/clock.h>

size_t bus_n_left(struct mbus_bus *bus)
{
        return bus->mode->n_left(bus) + bus->n_early;
}

size_t engine_mode_n_left(struct mbus_bus *bus)
{
        return engine_n_unfinished(bus->engine) + engine_n_datagrams(bus->engine);
}

/* Losses are told once. */
static int settle(struct mbus_bus *bus, size_t n)
{
        n += bus->n_lost;
        bus->n_lost = 0;
        return n < INT_MAX ? (int)n : INT_MAX;
}

int mbus_bus_flush(struct mbus_bus *bus, int64_t timeout)
{
        uint64_t end;
        size_t n;
        int r = bus_usable(bus, true);

        if (r != 0)
                return r < 0 ? r : -EINVAL;
        end = bus_end_of(timeout);
        r = mbus_bus_process(bus);
        while (r >= 0) {
                uint64_t until = r > 0 ? 0 : mbus_bus_get_deadline(bus);

                n = bus_n_left(bus);
                /* Counting may have asked for something, which is to be written. */
                if (n > 0 && r == 0)
                        until = mbus_bus_get_deadline(bus);
                if (n == 0 || clock_now() >= end)
                        return settle(bus, n);
                r = bus_sleep_and_process(bus, until < end ? until : end);
        }
        return r;
}
