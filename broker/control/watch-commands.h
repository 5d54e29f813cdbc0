/*
 * watch-commands.h - watching entities and observing messages (spec/attach.md).
 */
#ifndef BROKER_CONTROL_WATCH_COMMANDS_H
#define BROKER_CONTROL_WATCH_COMMANDS_H

#include "dispatch.h"

extern const struct command_table watch_commands;

#endif
