/*
 * unix-listener.h - clients over the Unix socket (local-socket.h).
 */
#ifndef BROKER_NET_UNIX_LISTENER_H
#define BROKER_NET_UNIX_LISTENER_H

#include "connection.h"

/* Reads on from links whose pause is over. */
void link_local_resume(struct broker *b);
/* Takes clients from now on. 0 or -errno. */
int link_local_start(struct broker *b);
/* Takes clients from @fd, which listens, instead of the socket so far. */
void link_local_relisten(struct broker *b, int fd);
/* No more clients; the socket's file goes away. */
void link_local_stop(struct broker *b);
void link_local_close(struct broker *b);

/* Makes a link of @fd, one end of a pair of sockets of ours, for a client at @place. 0 or -errno: then
 * @fd is not closed. */
int link_local_adopt(struct broker *b, int fd, const char *place);
/* @c, and its user, have @n messages less for now, by their SEND_RATE. */
void link_local_charge(struct client *c, uint64_t n);
/* Polls for what @c waits for. */
void link_local_poll(struct client *c);
/* Frees the clients whose links ended; their entities say bye. */
void link_local_reap(struct broker *b);

#endif
