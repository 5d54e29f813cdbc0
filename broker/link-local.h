/*
 * link-local.h - the Unix socket that applications connect to.
 */
#ifndef BROKER_LINK_LOCAL_H
#define BROKER_LINK_LOCAL_H

#include "client.h"

/*
 * Makes the socket, with its directory if that is missing. 0 or the exit status, with a line in the
 * log: another broker is there, the path cannot be used.
 */
int link_local_open(struct broker *b);
/* Lets those open the socket whom the configuration names. 0 or the exit status, as above. */
int link_local_share(struct broker *b);
/* Takes the socket's file away, for a broker that does not start after all. */
void link_local_remove(struct broker *b);
/* Reads on from links whose pause is over. */
void link_local_resume(struct broker *b);
/* Takes clients from now on. 0 or -errno. */
int link_local_start(struct broker *b);
/* No more clients; the socket's file goes away. */
void link_local_stop(struct broker *b);
void link_local_close(struct broker *b);

/* Makes a link of @fd, one end of a pair of sockets of ours, for a client at @place. 0 or -errno: then
 * @fd is not closed. */
int link_local_adopt(struct broker *b, int fd, const char *place);
/* Polls for what @c waits for. */
void link_local_poll(struct client *c);
/* Frees the clients whose links ended; their entities say bye. */
void link_local_reap(struct broker *b);

#endif
