/*
 * tcp-listener.h - clients over TCP, which have proved that they have the key of the bus
 * (spec/attach.md).
 */
#ifndef BROKER_NET_TCP_LISTENER_H
#define BROKER_NET_TCP_LISTENER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcp-connection.h"

/* Listens at @addresses, if there are any, for clients that have the keys of @crypto. All pointers
 * stay the caller's. 0 or the exit status, with a line in the log. */
int tcp_listener_open(struct tcp_listener *t, struct connections *connections,
                      struct crypto *crypto, const struct tcp_listen_addresses *addresses,
                      const char *config_path);
/* 0 or -errno. */
int tcp_listener_start(struct tcp_listener *t);
/* No more clients; what waits for those that are there is sent if it can be at once. */
void tcp_listener_stop(struct tcp_listener *t);

/* How often a connection was closed for that. */
uint64_t tcp_listener_n_rejected(const struct tcp_listener *t, enum tcp_rejection why);

/* What the broker has said so far is sent, as much as the system takes at once. */
void tcp_listener_flush(struct tcp_listener *t);
/* All connections, also those that have not proved that they have the keys. */
size_t tcp_listener_n_connections(const struct tcp_listener *t);
/* Fills @fds, one for each connection at most, with those for which something waits. *@ret_unsure:
 * whether there are others whose host has not got yet what the system took. */
nfds_t tcp_listener_gather(const struct tcp_listener *t, struct pollfd *fds, bool *ret_unsure);

void tcp_listener_close(struct tcp_listener *t);

#endif
