/*
 * bus-events.h - the bus that the clients are on, and what its events mean.
 */
#ifndef BROKER_BRIDGE_BUS_EVENTS_H
#define BROKER_BRIDGE_BUS_EVENTS_H

#include <broker/broker.h>

/* Reads the configuration (made if there is none), opens engine and sockets, and puts the broker
 * itself on the bus. 0 or the exit status, with a line in the log. */
int link_udp_open(struct broker *b);
void link_udp_close(struct broker *b);

/* Lets the engine do what is due and deals with its events. */
void link_udp_process(struct broker *b);

#endif
