/*
 * one-fd.h - the descriptor of mbus_bus_get_fd(): an epoll set with the descriptors of a bus and a
 * timer.
 *
 * Invariant, once somebody asked for it: after each call of the application the set holds what
 * get_pollfds() says and the timer stands at what get_deadline() says. The timer is never read: it
 * stays readable until it is set anew.
 */
#ifndef MBUS_BUS_ONE_FD_H
#define MBUS_BUS_ONE_FD_H

#include <poll.h>

#include <api/api.h>

struct one_fd {
        int epoll; /* -1: nobody asked for it */
        int timer;
        uint64_t armed;
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n_fds;
        bool replaced; /* a descriptor may have become another one under the same number */
};

#define ONE_FD_INIT ((struct one_fd){ .epoll = -1, .timer = -1 })

/* 0 or -errno; it is empty. */
int one_fd_open(struct one_fd *one);
void one_fd_deinit(struct one_fd *one);
/* Brings the set and its timer up to date. 0 or -errno. */
int one_fd_set(struct one_fd *one, const struct pollfd *fds, size_t n, uint64_t deadline);
/* @fd is about to be closed: a copy of it in a child would keep it in the set. */
void one_fd_forget(struct one_fd *one, int fd);
/* A descriptor was opened, or closed. */
static inline void one_fd_replaced(struct one_fd *one)
{
        one->replaced = true;
}

#endif
