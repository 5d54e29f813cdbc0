/*
 * loss.h - what a bus brought and nobody saw: clients are told, as they would be without a broker.
 */
#ifndef BROKER_BRIDGE_LOSS_H
#define BROKER_BRIDGE_LOSS_H

#include "state.h"

/* Tells the clients what is not told yet, if it is time. */
void loss_tell(struct bridges *all);
/* When that is; TIME_NEVER: there is nothing to tell. */
uint64_t loss_deadline(const struct bridges *all);

#endif
