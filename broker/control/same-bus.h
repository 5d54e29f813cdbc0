/*
 * same-bus.h - broker.nonce and broker.same-bus (spec/attach.md, "Which bus").
 */
#ifndef BROKER_CONTROL_SAME_BUS_H
#define BROKER_CONTROL_SAME_BUS_H

#include "dispatch.h"

extern const struct command_table same_bus_commands;

#endif
