/*
 * proof.h - broker.nonce and broker.same-bus (spec/attach.md, "Which bus").
 */
#ifndef BROKER_CONTROL_PROOF_H
#define BROKER_CONTROL_PROOF_H

#include "dispatch.h"

extern const struct command_table proof_commands;

#endif
