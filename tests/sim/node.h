/*
 * node.h - one process of the simulated bus: its engine, its entities, its application.
 */
#ifndef MBUS_TESTS_SIM_NODE_H
#define MBUS_TESTS_SIM_NODE_H

#include "world.h"

struct endpoint node_endpoint(uint32_t index);
/* Takes the events that wait; a slow application only when its time has come, unless @all. */
void node_pop(struct world *w, struct node *node, bool all);
/* What waits goes to the network. */
void node_transmit(struct world *w, struct node *node);
/* The place that an address says, by its id; false if it is none of the simulator's. */
bool parse_place(const struct address *address, uint32_t *ret_node, uint32_t *ret_slot);
/* The living member of that address, or NULL. */
struct member *find_member(const struct world *w, const struct address *address);

#endif
