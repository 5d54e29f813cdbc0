/*
 * election.h - which of several brokers between two buses works.
 */
#ifndef BROKER_BRIDGE_ELECTION_H
#define BROKER_BRIDGE_ELECTION_H

#include "state.h"

/* Shows that @bridge wants to work, and asks who does already. */
void bridge_become_candidate(struct bridge *bridge);
/* Nobody else does: it works. */
void bridge_begin(struct bridge *bridge);
/* It works no more: all that it hosts leaves. */
void bridge_stand_by(struct bridge *bridge, bool bye);
/* @address may be the beacon of another broker's bridge that has come or gone. */
void bridges_check(struct bridges *all, const struct address *address);

#endif
