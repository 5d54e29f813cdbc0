/*
 * retain-commands.h - broker.retain and broker.forget: last values for late joiners.
 */
#ifndef BROKER_CONTROL_RETAIN_COMMANDS_H
#define BROKER_CONTROL_RETAIN_COMMANDS_H

#include "dispatch.h"

extern const struct command_table retain_commands;

#endif
