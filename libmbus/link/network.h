/*
 * network.h - what the broker says of the network that its bus is on: what is the matter with it
 * now, and on which interface it is (spec/attach.md).
 */
#ifndef MBUS_LINK_NETWORK_H
#define MBUS_LINK_NETWORK_H

#include <bus/mode.h>

/* NULL: nothing. */
struct link_network {
        char *interface;
        char *texts[MBUS_NETWORK_MAX];
};

/* broker.network(NAME "INTERFACE" "WHY"): an event, unless it is known. */
void network_told(struct link_network *n, struct event_queue *events, struct span name,
                  struct span interface, struct span why);
void network_set_interface(struct link_network *n, struct span interface);
/* The link is gone: the next broker tells anew. */
void network_forget(struct link_network *n);

#endif
