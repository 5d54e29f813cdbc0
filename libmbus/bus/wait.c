/*
 * wait.c - calls that sleep: until there is an event, until an entity is on the bus, or until all
 * that was sent has left.
 *
 * What is on the bus and what has left depends on the mode, and there is one function each that
 * knows: mode_ops.check_ready and mode_ops.n_left. Events that come meanwhile wait in their order.
 */
#include "bus.h"

#include <limits.h>
#include <time.h>

#include <io/clock.h>

/* Sleeps until a descriptor is ready or @until has come, and then does what is due. As
 * mbus_bus_process(), or -errno. */
static int wait_and_process(struct mbus_bus *bus, uint64_t until)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n = bus->mode->ops->get_pollfds(bus->mode, fds);
        uint64_t now = clock_now();
        uint64_t left = until > now ? until - now : 0;
        struct timespec time = { .tv_sec = (time_t)(left / NSEC_PER_SEC),
                                 .tv_nsec = (long)(left % NSEC_PER_SEC) };

        if (ppoll(fds, n, until == TIME_NEVER ? NULL : &time, NULL) < 0)
                return -errno;
        return bus_process(bus, fds);
}

static bool wait_writes_only(struct mbus_bus *bus)
{
        bool all = !bus->parts.events.failure && bus->mode->ops->write &&
                   bus->mode->ops->write(bus->mode);

        if (all)
                bus_changed(bus);
        return all;
}

/* When @timeout is over. */
static uint64_t wait_end_of(int64_t timeout)
{
        uint64_t now = clock_now();

        return timeout < 0 || (uint64_t)timeout > TIME_NEVER - now ? TIME_NEVER
                                                                   : now + (uint64_t)timeout;
}

int mbus_bus_wait(struct mbus_bus *bus, int64_t timeout)
{
        uint64_t start = clock_now(), end = wait_end_of(timeout);
        bool more = false;
        int r = bus_usable(bus, true);

        if (r != 0)
                return r;
        /* An application that pops one event a call must not keep the bus from its duties. But when
         * there is only something to write, reading waits until there is something to read. */
        if (mbus_bus_get_deadline(bus) <= start &&
            (waits_next(&bus->waits) <= start || !wait_writes_only(bus))) {
                r = mbus_bus_process(bus);
                if (r < 0)
                        return r;
                more = r > 0;
        }
        while (!bus_has_event(bus)) {
                uint64_t deadline = more ? 0 : mbus_bus_get_deadline(bus);

                r = wait_and_process(bus, deadline < end ? deadline : end);
                if (r < 0)
                        return r;
                more = r > 0;
                if (end <= clock_now() && !bus_has_event(bus))
                        return MBUS_E_NOT_READY;
        }
        return 0;
}

static int check_ready(const struct mbus_entity *entity)
{
        if (entity->refused != MBUS_REASON_NONE)
                return mbus_reason_error(entity->refused);
        return entity->mode->ops->check_ready(entity);
}

int mbus_bus_wait_ready(struct mbus_entity *entity, int64_t timeout)
{
        struct mbus_bus *bus = entity ? entity->bus : NULL;
        uint64_t end = wait_end_of(timeout);
        int r = bus_usable(bus, true), ready;

        if (r != 0)
                return r;
        ready = check_ready(entity);
        if (ready == MBUS_E_NOT_READY)
                r = mbus_bus_process(bus);
        while (ready == MBUS_E_NOT_READY && r >= 0) {
                uint64_t until = r > 0 ? 0 : mbus_bus_get_deadline(bus);

                ready = check_ready(entity);
                if (ready != MBUS_E_NOT_READY || clock_now() >= end)
                        break;
                r = wait_and_process(bus, until < end ? until : end);
        }
        if (r < 0)
                return r;
        if (entity->refused != MBUS_REASON_NONE)
                return bus_refuse_reason(bus, entity->refused);
        return bus_refuse(bus, ready);
}

/* Losses are told once. */
static int flush_result(struct mbus_bus *bus, size_t n)
{
        const struct mode_ops *ops = bus->mode->ops;

        n += ops->take_lost ? ops->take_lost(bus->mode) : 0;
        return n < INT_MAX ? (int)n : INT_MAX;
}

int mbus_bus_flush(struct mbus_bus *bus, int64_t timeout)
{
        uint64_t end;
        size_t n;
        int r = bus_usable(bus, true);

        if (r != 0)
                return r < 0 ? r : -EINVAL;
        end = wait_end_of(timeout);
        r = mbus_bus_process(bus);
        while (r >= 0) {
                uint64_t until = r > 0 ? 0 : mbus_bus_get_deadline(bus);

                n = bus->mode->ops->n_left(bus->mode);
                /* Counting may have asked for something, which is to be written. */
                if (n > 0 && r == 0)
                        until = mbus_bus_get_deadline(bus);
                if (n == 0 || clock_now() >= end)
                        return flush_result(bus, n);
                r = wait_and_process(bus, until < end ? until : end);
        }
        return r;
}
