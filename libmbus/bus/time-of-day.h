/*
 * time-of-day.h - the time of day in ms, for TimeStamps, at next to no cost.
 *
 * Who sends many messages a millisecond would pay a quarter of all that sending costs to read the
 * clock, so what it says holds until the kernel's ticks.
 */
#ifndef MBUS_BUS_TIME_OF_DAY_H
#define MBUS_BUS_TIME_OF_DAY_H

#include <stdint.h>

struct time_of_day {
        uint64_t tick_ns; /* when it was last exact ... */
        uint64_t ms;      /* ... and what it said */
};

uint64_t time_of_day_ms(struct time_of_day *t);

#endif
