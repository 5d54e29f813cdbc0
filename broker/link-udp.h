/*
 * link-udp.h - the bus: the engine behind its sockets.
 */
#ifndef BROKER_LINK_UDP_H
#define BROKER_LINK_UDP_H

#include "broker.h"

/* Reads the configuration (made if there is none), opens engine and sockets, and puts the broker
 * itself on the bus. 0 or the exit status, with a line in the log. */
int link_udp_open(struct broker *b);
/* 0 or -errno. */
int link_udp_start(struct broker *b);
void link_udp_close(struct broker *b);

/* Lets the engine do what is due and deals with its events. */
void link_udp_process(struct broker *b);
/* Sends what the engine has queued. */
void link_udp_send(struct broker *b);
/* The end: sends what is queued, for STOP_MS at most. */
void link_udp_drain(struct broker *b);

#endif
