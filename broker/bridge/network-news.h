/*
 * network-news.h - what is the matter with the network of a bus, for the log and for clients.
 */
#ifndef BROKER_BRIDGE_NETWORK_NEWS_H
#define BROKER_BRIDGE_NETWORK_NEWS_H

#include "state.h"

/* Something became of the network of @bus: it is logged, and all clients that the bus is of use
 * to are told, which is work for as many as there are, at a moment when something has changed on
 * this host. */
void network_note(struct bridges *all, struct bus *bus, enum mbus_network network,
                  const char *text);
/* Tells @s what is the matter with the bus that the clients are on, at this moment. */
void network_tell(struct session *s);

#endif
