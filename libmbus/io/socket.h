/*
 * socket.h - socket options by name, for IPv4 and IPv6 alike.
 *
 * All functions return 0 or -errno of the call that failed; nothing is retried and nothing decided
 * here. The rule which option a bus needs is in udp.c and spec/interfaces.md.
 */
#ifndef MBUS_IO_SOCKET_H
#define MBUS_IO_SOCKET_H

#include "endpoint.h"

/* A UDP socket that neither blocks nor survives exec; IPv6 ones are for IPv6 only. */
int socket_open(int family, int *ret_fd);
/* Takes -1, returns -1. */
int socket_close(int fd);

/* Several programs, and several buses of one program, use the bus port. */
int socket_share_port(int fd);
/* Without this option broadcasts are refused; multicast does not mind. */
int socket_allow_broadcast(int fd);
/* As much as can be had up to @size: more than the system's limit only with CAP_NET_ADMIN. */
int socket_set_receive_buffer(int fd, int size);
/* Asks for the number of datagrams that the full buffer cost (SO_RXQ_OVFL). */
int socket_count_overflow(int fd);
/* Groups that other sockets of the host have joined are not ours to hear. */
int socket_only_joined(int fd, int family);
/* Group messages come back to the other programs on this host. */
int socket_loop_back(int fd, int family);
/* What comes from this IPv4 address and port is not received, and counts as lost (SO_RXQ_OVFL). */
int socket_skip_source(int fd, const union socket_address *source);
/* TTL or hop limit: 0 stays on the host, 1 on the link. Linux takes no TTL 0 for broadcast and
 * unicast over IPv4; these get 1. */
int socket_set_hops(int fd, int family, int hops);
/* Where multicast and, with @broadcast, broadcast goes out. */
int socket_set_interface(int fd, int family, unsigned index, bool broadcast);
/* Nothing comes in but from this interface. -EPERM if it was bound to one before. */
int socket_bind_interface(int fd, unsigned index);

/* -EADDRINUSE: this socket is a member already, perhaps on an interface of that index that is gone.
 * To have left is success. */
int socket_join(int fd, const union socket_address *group, unsigned index);
int socket_leave(int fd, const union socket_address *group, unsigned index);

/* How many datagrams the socket did not take so far: its buffer was full, or its filter refused
 * them. */
int socket_get_dropped(int fd, uint32_t *ret_n);
int socket_bind(int fd, const union socket_address *address);
int socket_connect(int fd, const union socket_address *address);
int socket_get_name(int fd, union socket_address *ret_address);

#endif
