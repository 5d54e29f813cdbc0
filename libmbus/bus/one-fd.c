/*
 * one-fd.c - see one-fd.h.
 */
#include "one-fd.h"

#include <assert.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <core/limits.h>
#include <io/descriptor.h>

int one_fd_open(struct one_fd *one)
{
        struct epoll_event event = { .events = EPOLLIN };

        assert(one->epoll < 0 && one->timer < 0);
        *one = (struct one_fd){ .epoll = descriptor_apart(epoll_create1(EPOLL_CLOEXEC)),
                                .timer = descriptor_apart(timerfd_create(
                                        CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
                                .armed = TIME_NEVER };
        if (one->epoll < 0 || one->timer < 0 ||
            epoll_ctl(one->epoll, EPOLL_CTL_ADD, one->timer, &event) < 0)
                return -errno;
        return 0;
}

void one_fd_deinit(struct one_fd *one)
{
        if (one->epoll >= 0)
                close(one->epoll);
        if (one->timer >= 0)
                close(one->timer);
        one->epoll = one->timer = -1;
}

static int one_fd_control(const struct one_fd *one, int op, const struct pollfd *fd)
{
        struct epoll_event event = { .data.fd = fd->fd };

        if (fd->events & POLLIN)
                event.events |= EPOLLIN;
        if (fd->events & POLLOUT)
                event.events |= EPOLLOUT;
        return epoll_ctl(one->epoll, op, fd->fd, &event) < 0 ? -errno : 0;
}

static const struct pollfd *one_fd_find(const struct pollfd *fds, size_t n, int fd)
{
        for (size_t i = 0; i < n; i++)
                if (fds[i].fd == fd)
                        return &fds[i];
        return NULL;
}

/* Makes the set hold @fds. What was closed has left it: one_fd_forget(). */
static int one_fd_set_fds(struct one_fd *one, const struct pollfd *fds, size_t n)
{
        int r = 0;

        assert(n <= MBUS_POLLFDS_MAX);
        for (size_t i = 0; i < one->n_fds; i++)
                if (!one_fd_find(fds, n, one->fds[i].fd))
                        one_fd_control(one, EPOLL_CTL_DEL, &one->fds[i]);
        for (size_t i = 0; i < n && r == 0; i++) {
                const struct pollfd *old = one_fd_find(one->fds, one->n_fds, fds[i].fd);

                if (old && old->events == fds[i].events && !one->replaced)
                        continue;
                r = one_fd_control(one, old ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, &fds[i]);
                if (r == -ENOENT)
                        r = one_fd_control(one, EPOLL_CTL_ADD, &fds[i]);
        }
        for (size_t i = 0; i < n; i++)
                one->fds[i] = fds[i];
        one->replaced = false;
        one->n_fds = n;
        return r;
}

void one_fd_forget(struct one_fd *one, int fd)
{
        size_t i = 0;

        while (i < one->n_fds && one->fds[i].fd != fd)
                i++;
        if (one->epoll < 0 || i == one->n_fds)
                return;
        one_fd_control(one, EPOLL_CTL_DEL, &one->fds[i]);
        one->fds[i] = one->fds[--one->n_fds];
}

static int one_fd_set_timer(struct one_fd *one, uint64_t deadline)
{
        /* 0 would mean never to the kernel. */
        uint64_t at = deadline == 0 ? 1 : deadline;
        struct itimerspec time = { .it_interval = { 0, 0 } };

        if (deadline == one->armed)
                return 0;
        if (deadline != TIME_NEVER)
                time.it_value = (struct timespec){ .tv_sec = (time_t)(at / NSEC_PER_SEC),
                                                   .tv_nsec = (long)(at % NSEC_PER_SEC) };
        if (timerfd_settime(one->timer, TFD_TIMER_ABSTIME, &time, NULL) < 0)
                return -errno;
        one->armed = deadline;
        return 0;
}

int one_fd_set(struct one_fd *one, const struct pollfd *fds, size_t n, uint64_t deadline)
{
        int r = one_fd_set_fds(one, fds, n);

        return r < 0 ? r : one_fd_set_timer(one, deadline);
}
