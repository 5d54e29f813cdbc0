/*
 * one-fd.c - one descriptor for all of a bus: an epoll set with its descriptors and a timer.
 *
 * Invariant, once somebody asked for it: after each call of the application the set holds what
 * get_pollfds() says and the timer stands at what get_deadline() says. The timer is never read: it
 * stays readable until it is set anew.
 */
#include "bus.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <io/descriptor.h>

void one_fd_deinit(struct one_fd *one)
{
        if (one->epoll >= 0)
                close(one->epoll);
        if (one->timer >= 0)
                close(one->timer);
        one->epoll = one->timer = -1;
}

static int control(const struct one_fd *one, int op, const struct pollfd *fd)
{
        struct epoll_event event = { .data.fd = fd->fd };

        if (fd->events & POLLIN)
                event.events |= EPOLLIN;
        if (fd->events & POLLOUT)
                event.events |= EPOLLOUT;
        return epoll_ctl(one->epoll, op, fd->fd, &event) < 0 ? -errno : 0;
}

static const struct pollfd *find(const struct pollfd *fds, size_t n, int fd)
{
        for (size_t i = 0; i < n; i++)
                if (fds[i].fd == fd)
                        return &fds[i];
        return NULL;
}

/* Makes the set hold @fds. What was closed has left it: bus_forget_fd(). */
static int set_fds(struct one_fd *one, const struct pollfd *fds, size_t n, bool replaced)
{
        int r = 0;

        for (size_t i = 0; i < one->n_fds; i++)
                if (!find(fds, n, one->fds[i].fd))
                        control(one, EPOLL_CTL_DEL, &one->fds[i]);
        for (size_t i = 0; i < n && r == 0; i++) {
                const struct pollfd *old = find(one->fds, one->n_fds, fds[i].fd);

                if (old && old->events == fds[i].events && !replaced)
                        continue;
                r = control(one, old ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, &fds[i]);
                if (r == -ENOENT)
                        r = control(one, EPOLL_CTL_ADD, &fds[i]);
        }
        for (size_t i = 0; i < n; i++)
                one->fds[i] = fds[i];
        one->n_fds = n;
        return r;
}

void bus_forget_fd(struct mbus_bus *bus, int fd)
{
        struct one_fd *one = &bus->one;
        size_t i = 0;

        while (i < one->n_fds && one->fds[i].fd != fd)
                i++;
        if (one->epoll < 0 || i == one->n_fds)
                return;
        control(one, EPOLL_CTL_DEL, &one->fds[i]);
        one->fds[i] = one->fds[--one->n_fds];
}

static int set_timer(struct one_fd *one, uint64_t deadline)
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

static int synchronise(struct mbus_bus *bus)
{
        struct one_fd *one = &bus->one;
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n = bus->mode->get_pollfds(bus, fds);
        int r = set_fds(one, fds, n, one->generation != bus->generation);

        one->generation = bus->generation;
        return r < 0 ? r : set_timer(one, mbus_bus_get_deadline(bus));
}

void bus_changed(struct mbus_bus *bus)
{
        int r = bus->one.epoll < 0 ? 0 : synchronise(bus);

        if (r < 0)
                bus->failure = r;
}

int mbus_bus_get_fd(struct mbus_bus *bus, int *ret_fd)
{
        struct one_fd *one = &bus->one;
        struct epoll_event event = { .events = EPOLLIN };
        int r = bus_usable(bus, ret_fd);

        if (r == 0 && one->epoll < 0) {
                *one = (struct one_fd){ .epoll = descriptor_apart(epoll_create1(EPOLL_CLOEXEC)),
                                        .timer = descriptor_apart(timerfd_create(
                                                CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
                                        .armed = TIME_NEVER,
                                        .generation = bus->generation };
                if (one->epoll < 0 || one->timer < 0 ||
                    epoll_ctl(one->epoll, EPOLL_CTL_ADD, one->timer, &event) < 0)
                        r = -errno;
                if (r == 0)
                        r = synchronise(bus);
                if (r < 0)
                        one_fd_deinit(one);
        }
        if (r == 0)
                *ret_fd = one->epoll;
        return r;
}
