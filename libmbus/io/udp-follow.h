/*
 * udp-follow.h - a bus moves with the interfaces of the host, and joins again what was lost.
 */
#ifndef MBUS_IO_UDP_FOLLOW_H
#define MBUS_IO_UDP_FOLLOW_H

#include "netlink.h"
#include "udp-state.h"

/* Something on the host changed: the bus moves to where the rule has it now. */
void udp_follow(struct udp *u, const struct netlink_news *news);
/* Joins anew whatever was joined, in case the kernel has lost it. */
void udp_join_anew(struct udp *u);
/* Writes down where the bus is. */
void udp_name_interfaces(struct udp *u);

#endif
