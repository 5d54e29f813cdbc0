/*
 * memory.h - the simulator itself ends when memory is short; only the engine has to live with that.
 */
#ifndef MBUS_TESTS_SIM_MEMORY_H
#define MBUS_TESTS_SIM_MEMORY_H

#include <stdio.h>
#include <stdlib.h>

static inline void *must(void *p)
{
        if (!p) {
                fputs("sim: memory is short\n", stderr);
                exit(2);
        }
        return p;
}

#endif
