/*
 * link-tcp.h - clients over TCP, which have proved that they have the key of the bus (spec/attach.md).
 */
#ifndef BROKER_LINK_TCP_H
#define BROKER_LINK_TCP_H

struct broker;

/* Listens if that is wanted. 0 or the exit status, with a line in the log. */
int link_tcp_open(struct broker *b);
/* 0 or -errno. */
int link_tcp_start(struct broker *b);
/* No more clients; what waits for those that are there is sent if it can be at once. */
void link_tcp_stop(struct broker *b);
void link_tcp_close(struct broker *b);

#endif
