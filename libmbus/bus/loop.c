/*
 * loop.c - how a bus fits into a main loop: its descriptors, its deadline, its turn; and the one
 * descriptor for all of that.
 */
#include "bus.h"

#include <assert.h>
#include <limits.h>

#include <io/clock.h>

int mbus_bus_get_pollfds(struct mbus_bus *bus, struct pollfd *fds, size_t size, size_t *ret_n)
{
        struct pollfd all[MBUS_POLLFDS_MAX];
        int r = bus_usable(bus, (fds || size == 0) && ret_n);
        size_t n;

        if (r != 0)
                return r;
        n = bus->mode->ops->get_pollfds(bus->mode, all);
        if (n > size)
                return MBUS_E_FULL;
        for (size_t i = 0; i < n; i++)
                fds[i] = all[i];
        *ret_n = n;
        return 0;
}

uint64_t mbus_bus_get_deadline(struct mbus_bus *bus)
{
        uint64_t mode, waits;

        if (bus_usable(bus, true) != 0)
                return TIME_NEVER;
        if (bus->parts.events.failure || bus->parts.stirred)
                return 0;
        mode = bus->mode->ops->get_deadline(bus->mode);
        waits = waits_next(&bus->waits);
        return mode < waits ? mode : waits;
}

int mbus_bus_get_timeout_ms(struct mbus_bus *bus)
{
        uint64_t deadline = mbus_bus_get_deadline(bus), now, ms;

        if (deadline == TIME_NEVER)
                return -1;
        now = clock_now();
        if (deadline <= now)
                return 0;
        ms = (deadline - now - 1) / NSEC_PER_MSEC + 1;
        return ms < INT_MAX ? (int)ms : INT_MAX;
}

static int loop_set_fd(struct mbus_bus *bus)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n = bus->mode->ops->get_pollfds(bus->mode, fds);

        return one_fd_set(&bus->parts.one_fd, fds, n, mbus_bus_get_deadline(bus));
}

void bus_changed(struct mbus_bus *bus)
{
        int r = bus->parts.one_fd.epoll < 0 ? 0 : loop_set_fd(bus);

        if (r < 0)
                bus->parts.events.failure = r;
}

int mbus_bus_get_fd(struct mbus_bus *bus, int *ret_fd)
{
        struct one_fd *one;
        int r = bus_usable(bus, ret_fd);

        if (r != 0)
                return r;
        one = &bus->parts.one_fd;
        if (one->epoll < 0) {
                r = one_fd_open(one);
                if (r == 0)
                        r = loop_set_fd(bus);
                if (r < 0)
                        one_fd_deinit(one);
        }
        if (r == 0)
                *ret_fd = one->epoll;
        return r;
}

int bus_process(struct mbus_bus *bus, const struct pollfd *fds)
{
        struct event_queue *events = &bus->parts.events;
        int r = events->failure;

        assert(bus->mode && r <= 0);
        events->failure = 0;
        bus->parts.stirred = false;
        events->time = clock_wall_ns();
        if (waits_next(&bus->waits) < TIME_NEVER)
                waits_say(&bus->waits, clock_now());
        if (r == 0)
                r = bus->mode->ops->process(bus->mode, fds);
        if (waits_next(&bus->waits) < TIME_NEVER)
                waits_expire(&bus->waits, clock_now());
        bus_changed(bus);
        return r;
}

int mbus_bus_process(struct mbus_bus *bus)
{
        int r = bus_usable(bus, true);

        return r != 0 ? r : bus_process(bus, NULL);
}
