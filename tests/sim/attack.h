/*
 * attack.h - strangers on the bus: noise, forgeries, and a key holder that makes up sources.
 */
#ifndef MBUS_TESTS_SIM_ATTACK_H
#define MBUS_TESTS_SIM_ATTACK_H

#include "world.h"

/* @n datagrams of strangers, damaged ones and noise reach all nodes; nothing may come of it. */
void attack_forge(struct world *w, uint64_t seed, unsigned n);
/* Authentic messages of @n sources that do not exist reach all nodes; who is known must stay. */
void attack_flood(struct world *w, uint64_t seed, unsigned n);

#endif
