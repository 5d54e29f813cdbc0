/*
 * clock.h - the clocks of the operating system, read once per dispatch and handed inwards.
 */
#ifndef MBUS_IO_CLOCK_H
#define MBUS_IO_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in ns: for every deadline and interval. */
uint64_t clock_now(void);
/* CLOCK_REALTIME since 1970-01-01 UTC: in ms for the TimeStamp of messages, in ns for logs. */
uint64_t clock_wall_ms(void);
uint64_t clock_wall_ns(void);
/* The same in ns, as of the last tick of the kernel: up to 10 ms old, and read in a tenth of the
 * time. */
uint64_t clock_wall_tick_ns(void);

#endif
