/*
 * status.h - what the owner of the broker may ask, and drop (spec/attach.md, "The owner").
 */
#ifndef BROKER_CONTROL_STATUS_H
#define BROKER_CONTROL_STATUS_H

#include "dispatch.h"

extern const struct command_table status_commands;

#endif
