/*
 * attach.h - entities of a session come and go: broker.attach and broker.detach (spec/attach.md).
 */
#ifndef BROKER_CONTROL_ATTACH_H
#define BROKER_CONTROL_ATTACH_H

#include "dispatch.h"

extern const struct command_table attach_commands;

#endif
