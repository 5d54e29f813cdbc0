/*
 * netlink.h - what the kernel says about interfaces, addresses and routes: how they are, and when
 * something changed.
 */
#ifndef MBUS_IO_NETLINK_H
#define MBUS_IO_NETLINK_H

#include "devices.h"

/* Links that one look at the news tells apart; more are as if news were lost. */
#define NETLINK_NEWS_MAX 16

/* What changed since the last look. */
struct netlink_news {
        bool changed;                     /* anything */
        bool lost;                        /* and nobody knows all of it: any link may be another */
        unsigned links[NETLINK_NEWS_MAX]; /* these came, went, or changed */
        unsigned n_links;
};

/* Whether @r, of any of these functions, means that there is no netlink here at all: a sandbox, or
 * an emulator of system calls. The one place where this is decided. */
bool netlink_is_missing(int r);

/* A descriptor to ask with, which belongs to the network namespace that it was made in, wherever
 * the program goes later. 0 or -errno. */
int netlink_open(int *ret_fd);
/* All interfaces, their names and addresses (devices.h). 0 or -errno. */
int netlink_read(int fd, struct devices *d);
/* The routes of the main table to @group. 0 or -errno. */
int netlink_read_routes(int fd, const union socket_address *group, struct devices *d);
/*
 * The interface through which the kernel would send to @to if nobody named one. 0, -ENETUNREACH and
 * the like if there is no route, other -errno.
 */
int netlink_route(int fd, const union socket_address *to, unsigned *ret_index);

/* A descriptor that becomes readable when an interface or its addresses, or with @routes a route,
 * change. 0 or -errno. */
int netlink_watch(bool routes, int *ret_fd);
/* Empties the descriptor. */
struct netlink_news netlink_read_news(int fd);
bool netlink_news_has_link(const struct netlink_news *news, unsigned index);

#endif
