/*
 * tcp-listener.h - clients over TCP, which have proved that they have the key of the bus (spec/attach.md).
 */
#ifndef BROKER_NET_TCP_LISTENER_H
#define BROKER_NET_TCP_LISTENER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcp-connection.h"

struct broker;

/* Listens if that is wanted. 0 or the exit status, with a line in the log. */
int link_tcp_open(struct broker *b);
/* 0 or -errno. */
int link_tcp_start(struct broker *b);
/* No more clients; what waits for those that are there is sent if it can be at once. */
void link_tcp_stop(struct broker *b);

/* How often a connection was closed for that. */
uint64_t link_tcp_n_rejected(const struct broker *b, enum tcp_rejection why);

/* What the broker has said so far is sent, as much as the system takes at once. */
void link_tcp_flush(struct broker *b);
/* All connections, also of strangers. */
size_t link_tcp_n_links(const struct broker *b);
/* Fills @fds, one for each connection at most, with those for which something waits. *@ret_unsure:
 * whether there are others whose host has not got yet what the system took. */
nfds_t link_tcp_gather(const struct broker *b, struct pollfd *fds, bool *ret_unsure);

void link_tcp_close(struct broker *b);

#endif
