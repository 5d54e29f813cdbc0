/*
 * bus-commands.h - mbus.* commands to the broker, and broker.sync (spec/attach.md).
 */
#ifndef BROKER_CONTROL_BUS_COMMANDS_H
#define BROKER_CONTROL_BUS_COMMANDS_H

#include "dispatch.h"

extern const struct command_table bus_commands;

/* @who said mbus.quit, and may: the broker ends. */
void control_quit(struct control *control, const char *who);

#endif
