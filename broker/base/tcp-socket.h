/*
 * tcp-socket.h - what is asked of the system for sockets of TCP.
 */
#ifndef BROKER_BASE_TCP_SOCKET_H
#define BROKER_BASE_TCP_SOCKET_H

#include <stdbool.h>

#include <io/tcp-name.h>

/* A descriptor that listens at @a, or -errno. The IPv6 address of all is for IPv4, too. */
int tcp_socket_listen(const union socket_address *a);
/* Whether @error, of tcp_socket_listen(), says that this host does not have the address: of those
 * of a name some may not be had here. */
bool tcp_socket_is_elsewhere(int error);
/* Nothing waits to be sent with more, and a host that is gone is noticed. */
void tcp_socket_set_options(int fd);
/* Whether the other host has all that the system took. */
bool tcp_socket_is_sent(int fd);

#endif
