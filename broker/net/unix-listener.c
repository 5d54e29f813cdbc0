/*
 * unix-listener.c - clients come over the Unix socket, and go.
 */
#include "unix-listener.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admission.h"
#include <broker/broker.h>
#include <broker/control/lists.h>
#include <broker/base/socket-file.h>
#include <broker/routing/monitor.h>
#include <broker/routing/router.h>

/* ---- clients come and go ------------------------------------------------------------------- */

/* @place: where a client over TCP is, which becomes the link's; else NULL. */
static int client_new(struct broker *b, int fd, char *place)
{
        struct client *c = malloc(sizeof(*c));
        struct admission admission;
        char name[CLIENT_NAME_SIZE];
        int r = c ? deadlines_reserve(&b->pauses) : -ENOMEM;

        if (r || !admit(b, fd, place != NULL, &admission)) {
                if (!r)
                        deadlines_release(&b->pauses);
                free(c);
                return -EACCES;
        }
        *c = (struct client){ .broker = b,
                              .fd = fd,
                              .number = ++b->next_client,
                              .pid = admission.pid,
                              .uid = admission.uid,
                              .place = place,
                              .user = admission.user,
                              .rights = admission.rights,
                              .pause = DEADLINE_INIT,
                              .next = b->clients };
        queue_init(&c->queue, c->user);
        if (uv_poll_init(&b->it.loop, &c->poll, fd) < 0) {
                deadlines_release(&b->pauses);
                admit_undo(c->user, c->rights);
                free(c);
                return -ENOMEM;
        }
        c->poll.data = c;
        if (b->clients)
                b->clients->previous = c;
        b->clients = c;
        b->n_clients++;
        link_local_poll(c);
        client_name(c, name);
        log_debug("%s begins", name);
        return 0;
}

int link_local_adopt(struct broker *b, int fd, const char *place)
{
        char *copy = strdup(place);
        int r = copy ? client_new(b, fd, copy) : -ENOMEM;

        if (r < 0)
                free(copy);
        return r;
}

static void on_closed(uv_handle_t *handle)
{
        free(handle->data);
}

static void client_free(struct client *c)
{
        struct broker *b = c->broker;

        while (c->attachments)
                attachment_free(b, c->attachments);
        monitor_forget(b, c);
        lists_forget(c);
        router_forget(c);
        queue_deinit(&c->queue);
        deadlines_set(&b->pauses, &c->pause, TIME_NEVER);
        deadlines_release(&b->pauses);
        admit_undo(c->user, c->rights);
        chunk_unref(c->partial);
        free(c->place);
        if (c->previous)
                c->previous->next = c->next;
        else
                b->clients = c->next;
        if (c->next)
                c->next->previous = c->previous;
        b->n_clients--;
        uv_close((uv_handle_t *)&c->poll, on_closed);
        close(c->fd);
}

/* Takes @c off the list of those with something to write. */
static void forget_dirty(struct broker *b, struct client *c)
{
        struct client **link = &b->dirty;

        while (c->dirty && *link != c)
                link = &(*link)->next_dirty;
        if (c->dirty)
                *link = c->next_dirty;
        c->dirty = false;
}

void link_local_reap(struct broker *b)
{
        while (b->dead) {
                struct client *c = b->dead;

                b->dead = c->next_dead;
                forget_dirty(b, c);
                client_free(c);
        }
}

static void log_no_descriptors(struct broker *b, int error)
{
        if (!log_trouble_is_due(&b->no_descriptors, b->it.now))
                return;
        log_warning("%s: no more clients for now: %s (%zu are there); raise the limit of "
                    "descriptors (ulimit -n, LimitNOFILE=) or lower LINKS in [limits]",
                    b->path, strerror(error), b->n_clients);
}

static void on_accept_timer(uv_timer_t *timer);

static void on_listener(uv_poll_t *poll, int status, int events)
{
        struct broker *b = poll->data;
        int fd;

        (void)status;
        (void)events;
        iteration_wake(&b->it);
        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd >= 0 && log_trouble_is_over(&b->no_descriptors))
                        log_info("%s: clients are taken again (%zu are there)", b->path,
                                 b->n_clients);
                if (fd >= 0 && client_new(b, fd, NULL) < 0)
                        close(fd);
                if (fd >= 0 || errno == EINTR || errno == ECONNABORTED)
                        continue;
                if (errno == EAGAIN)
                        return;
                log_no_descriptors(b, errno);
                uv_poll_stop(&b->listener_poll);
                uv_timer_start(&b->accept_timer, on_accept_timer, ACCEPT_PAUSE_MS, 0);
                return;
        }
}

static void on_accept_timer(uv_timer_t *timer)
{
        struct broker *b = timer->data;

        uv_poll_start(&b->listener_poll, UV_READABLE, on_listener);
}

void link_local_relisten(struct broker *b, int fd)
{
        /* Who has connected to the old one is taken still. */
        on_listener(&b->listener_poll, 0, UV_READABLE);
        uv_poll_stop(&b->listener_poll);
        uv_timer_stop(&b->accept_timer);
        /* The new one has the number of the old one, which the poll knows. */
        if (dup3(fd, b->listener, O_CLOEXEC) < 0)
                log_error("%s: it cannot be listened on: %s", b->path, strerror(errno));
        close(fd);
        uv_poll_start(&b->listener_poll, UV_READABLE, on_listener);
}

int link_local_start(struct broker *b)
{
        int r = uv_timer_init(&b->it.loop, &b->accept_timer);

        b->accept_timer.data = b;
        b->listener_poll.data = b;
        if (r == 0)
                r = uv_poll_init(&b->it.loop, &b->listener_poll, b->listener);
        if (r == 0)
                r = uv_poll_start(&b->listener_poll, UV_READABLE, on_listener);
        return r;
}

void link_local_stop(struct broker *b)
{
        uv_poll_stop(&b->listener_poll);
        uv_timer_stop(&b->accept_timer);
        uv_timer_stop(&b->socket_timer);
        local_socket_remove(b);
}

void link_local_close(struct broker *b)
{
        local_socket_close(b);
}
