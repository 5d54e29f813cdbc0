/*
 * network-news.h - what is the matter with the network of a bus, for the log and for clients.
 */
#ifndef BROKER_ROUTING_NETWORK_NEWS_H
#define BROKER_ROUTING_NETWORK_NEWS_H

#include <mbus.h>

struct bus;
struct client;

/* Something became of the network of @bus: it is logged, and all clients that the bus is of use to are
 * told, which is work for as many as there are, at a moment when something has changed on this host. */
void outlook_note(struct bus *bus, enum mbus_network network, const char *text);
/* Tells @c what is the matter with the bus that the clients are on, at this moment. */
void outlook_tell(struct client *c);

#endif
