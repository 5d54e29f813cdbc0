/*
 * unix-listener.c - connections that come over the Unix socket.
 */
#include "unix-listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void log_no_descriptors(struct unix_listener *l, int error)
{
        if (!log_trouble_is_due(&l->no_descriptors, l->connections->it->now))
                return;
        log_warning("%s: no more clients for now: %s (%zu are there); raise the limit of "
                    "descriptors (ulimit -n, LimitNOFILE=) or lower LINKS in [limits]",
                    l->path, strerror(error), l->connections->n);
}

static void on_unix_resume(uv_timer_t *timer);

static void on_unix_accept(uv_poll_t *poll, int status, int events)
{
        struct unix_listener *l = poll->data;
        int fd;

        (void)status;
        (void)events;
        iteration_wake(l->connections->it);
        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd >= 0 && log_trouble_is_over(&l->no_descriptors))
                        log_info("%s: clients are taken again (%zu are there)", l->path,
                                 l->connections->n);
                if (fd >= 0 && connections_add(l->connections, fd, NULL) < 0)
                        close(fd);
                if (fd >= 0 || errno == EINTR || errno == ECONNABORTED)
                        continue;
                if (errno == EAGAIN)
                        return;
                log_no_descriptors(l, errno);
                uv_poll_stop(&l->poll);
                uv_timer_start(&l->timer, on_unix_resume, ACCEPT_PAUSE_MS, 0);
                return;
        }
}

static void on_unix_resume(uv_timer_t *timer)
{
        struct unix_listener *l = timer->data;

        uv_poll_start(&l->poll, UV_READABLE, on_unix_accept);
}

int unix_listener_start(struct unix_listener *l, struct connections *connections, int fd,
                        const char *path)
{
        int r;

        assert(fd >= 0);
        *l = (struct unix_listener){ .connections = connections, .fd = fd, .path = path };
        r = uv_timer_init(&connections->it->loop, &l->timer);
        l->timer.data = l;
        l->poll.data = l;
        if (r == 0)
                r = uv_poll_init(&connections->it->loop, &l->poll, fd);
        if (r == 0)
                r = uv_poll_start(&l->poll, UV_READABLE, on_unix_accept);
        return r;
}

void unix_listener_replace(struct unix_listener *l, int fd)
{
        /* Who has connected to the old one is taken still. */
        on_unix_accept(&l->poll, 0, UV_READABLE);
        uv_poll_stop(&l->poll);
        uv_timer_stop(&l->timer);
        /* The new one has the number of the old one, which the poll knows. */
        if (dup3(fd, l->fd, O_CLOEXEC) < 0)
                log_error("%s: it cannot be listened on: %s", l->path, strerror(errno));
        close(fd);
        uv_poll_start(&l->poll, UV_READABLE, on_unix_accept);
}

void unix_listener_stop(struct unix_listener *l)
{
        uv_poll_stop(&l->poll);
        uv_timer_stop(&l->timer);
}
