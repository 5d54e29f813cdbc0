/*
 * udp-sockets.h - the two sockets of a bus: how they are opened, where they are joined to the
 * group, and from which address the kernel sends.
 */
#ifndef MBUS_IO_UDP_SOCKETS_H
#define MBUS_IO_UDP_SOCKETS_H

#include "udp-state.h"

/* A plain HOSTLOCAL bus: on lo, now and for ever. */
bool udp_is_pinned(const struct udp *u);
/* Whether a step of opening succeeded; the first that did not is remembered. */
bool udp_did(struct udp *u, const char *call, int r);
/* Open the socket that hears the group, and the one that sends. False, with the step remembered, if
 * that cannot be. */
bool udp_open_group(struct udp *u);
bool udp_open_own(struct udp *u);
/* Joins wherever the bus is and has not joined. 0, or -errno of the last that failed, which is
 * told. */
int udp_join(struct udp *u);
/* Whether we sent from the address of @a lately; its port is not looked at. */
bool udp_is_source(const struct udp *u, const union socket_address *a);
/* Finds out which address the kernel sends from to the group now. False if it would not send. */
bool udp_learn_source(struct udp *u);
/* What fits into one packet of the interface, and into UDP at all. */
size_t udp_payload_size(const struct udp *u);

#endif
