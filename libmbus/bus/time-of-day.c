/*
 * time-of-day.c - see time-of-day.h.
 */
#include "time-of-day.h"

#include <io/clock.h>

uint64_t time_of_day_ms(struct time_of_day *t)
{
        uint64_t tick = clock_wall_tick_ns();

        if (tick != t->tick_ns) {
                t->tick_ns = tick;
                t->ms = clock_wall_ms();
        }
        return t->ms;
}
