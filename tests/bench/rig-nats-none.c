/*
 * rig-nats-none.c - in place of rig-nats-library.c where libnats is not installed.
 */
#include "flow.h"

static bool start(void)
{
        return false;
}

const struct rig rig_nats_library = { .name = "nats-server, its C library", .start = start };
