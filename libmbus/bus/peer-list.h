/*
 * peer-list.h - a snapshot of entities, struct mbus_peers.
 */
#ifndef MBUS_BUS_PEER_LIST_H
#define MBUS_BUS_PEER_LIST_H

#include <api/api.h>

/* NULL: there is no memory. mbus_peers_free() ends it. */
struct mbus_peers *peer_list_new(void);
/* @age: ns that it is known for. 0 or -ENOMEM. */
int peer_list_add(struct mbus_peers *peers, const struct address *address, uint64_t age);

#endif
