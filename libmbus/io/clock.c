/*
 * clock.c - the only place that reads a clock. The core ring is handed the time (RFC 3259, section
 * 3 for the TimeStamp), and so whole buses run on a virtual clock in tests.
 */
#include "clock.h"

#include <assert.h>
#include <time.h>

#include <core/limits.h>

static uint64_t read_clock(clockid_t id)
{
        struct timespec t;
        int r = clock_gettime(id, &t);

        /* Both clocks exist on every system that we build on. */
        assert(r == 0);
        (void)r;
        return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

uint64_t clock_now(void)
{
        return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
        return clock_wall_ns() / NSEC_PER_MSEC;
}

uint64_t clock_wall_ns(void)
{
        return read_clock(CLOCK_REALTIME);
}

uint64_t clock_wall_tick_ns(void)
{
        return read_clock(CLOCK_REALTIME_COARSE);
}
