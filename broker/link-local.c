/*
 * link-local.c - the Unix socket that applications connect to.
 *
 * The lock file beside the socket settles who may replace a socket that nobody listens on: it is
 * held for the life of the broker and never removed, or two starters could hold two of them.
 */
#include "link-local.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admit.h"
#include "broker.h"
#include "directory.h"
#include "exit.h"
#include "lists.h"
#include "monitor.h"
#include "router.h"
#include "sections.h"

/* ---- the socket ---------------------------------------------------------------------------- */

static char *default_path(void)
{
        const char *runtime = getenv("XDG_RUNTIME_DIR");
        char *path;

        if (geteuid() == 0 || !runtime || runtime[0] != '/')
                return strdup("/run/mbus/broker.sock");
        return asprintf(&path, "%s/mbus/broker.sock", runtime) < 0 ? NULL : path;
}

static int fail(const struct broker *b, const char *what, int error)
{
        log_error("%s: %s: %s", b->path, what, strerror(error));
        return EXIT_NO_BUS;
}

/* The directory of the socket, to be freed; NULL when memory is short. */
static char *directory_of(const struct broker *b)
{
        const char *slash = strrchr(b->path, '/');

        if (!slash)
                return strdup(".");
        return slash == b->path ? strdup("/") : strndup(b->path, (size_t)(slash - b->path));
}

static int prepare_directory(struct broker *b)
{
        char *directory = directory_of(b);
        int r;

        if (!directory)
                return fail(b, "its directory cannot be made", ENOMEM);
        b->made_directory = mkdir(directory, 0700) == 0;
        if (!b->made_directory && errno != EEXIST)
                r = fail(b, "its directory cannot be made", errno);
        else
                r = directory_check(b->path, directory);
        free(directory);
        return r;
}

/* Others must be able to come to the socket that they may open. A directory of our own making is
 * opened for them, any other is its owner's business. */
static void share_directory(const struct broker *b)
{
        mode_t mode = b->options.socket_mode, needed = 0;
        char *directory = directory_of(b);
        struct stat s;

        if (mode & 0006)
                needed = S_IXGRP | S_IXOTH;
        else if (mode & 0060)
                needed = b->options.socket_group == (gid_t)-1 ? S_IXGRP : S_IXGRP | S_IXOTH;
        if (!directory || stat(directory, &s) < 0 || (s.st_mode & needed) == needed) {
                free(directory);
                return;
        }
        if (!b->made_directory || chmod(directory, (s.st_mode & 07777) | needed) < 0)
                log_warning("%s: SOCKET_MODE lets others open it, but they cannot enter its "
                            "directory; mend it with: chmod %s %s",
                            b->path, needed & S_IXOTH ? "go+x" : "g+x", directory);
        free(directory);
}

int link_local_share(struct broker *b)
{
        const struct options *o = &b->options;

        if (o->socket_mode == 0600 && o->socket_group == (gid_t)-1)
                return 0;
        if (b->handed_over) {
                log_warning("%s: the service manager made it, SOCKET_MODE and SOCKET_GROUP do not "
                            "count; write SocketMode= and SocketGroup= there",
                            b->path);
                return 0;
        }
        /* It is 0600 up to now, so nobody comes in before it is the right group's. */
        if (o->socket_group != (gid_t)-1 && lchown(b->path, (uid_t)-1, o->socket_group) < 0) {
                section_log_error(b->config_path, o->lines.socket_group, "SOCKET_GROUP",
                                  "%s cannot be given to group %u: %s; write a group that the "
                                  "broker's user is in",
                                  b->path, (unsigned)o->socket_group, strerror(errno));
                return EXIT_NO_BUS;
        }
        if (chmod(b->path, o->socket_mode) < 0)
                return fail(b, "SOCKET_MODE cannot be set", errno);
        share_directory(b);
        return 0;
}

static int already_running(const struct broker *b)
{
        log_error("%s: a broker is running there already; it was left alone", b->path);
        return EXIT_NO_BUS;
}

static int take_lock(struct broker *b)
{
        char *path;

        if (asprintf(&path, "%s.lock", b->path) < 0)
                return fail(b, "the lock file", ENOMEM);
        b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        free(path);
        if (b->lock < 0)
                return fail(b, "its lock file cannot be opened", errno);
        if (flock(b->lock, LOCK_EX | LOCK_NB) == 0)
                return 0;
        return errno == EWOULDBLOCK ? already_running(b)
                                    : fail(b, "its lock file cannot be locked", errno);
}

/* Removes a socket that nobody listens on. */
static int remove_stale(struct broker *b, const struct sockaddr_un *address)
{
        struct stat status;
        int fd, error;

        if (lstat(b->path, &status) < 0)
                return errno == ENOENT ? 0 : fail(b, "the path cannot be used", errno);
        if (!S_ISSOCK(status.st_mode))
                return fail(b,
                            "what is there is no socket; remove it or name another with --socket",
                            EEXIST);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return fail(b, "no socket can be made", errno);
        error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
        close(fd);
        if (error == 0 || error == EAGAIN)
                return already_running(b);
        if (error != ECONNREFUSED)
                return fail(b, "whether somebody listens there cannot be found out", error);
        if (unlink(b->path) < 0)
                return fail(b, "the stale socket cannot be removed", errno);
        log_info("%s: a stale socket was replaced", b->path);
        return 0;
}

static int listen_at(struct broker *b, const struct sockaddr_un *address)
{
        mode_t mask;
        int r;

        b->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (b->listener < 0)
                return fail(b, "no socket can be made", errno);
        mask = umask(0177);
        r = bind(b->listener, (const struct sockaddr *)address, sizeof(*address));
        umask(mask);
        if (r < 0 || listen(b->listener, SOMAXCONN) < 0)
                return fail(b, "it cannot be listened on", errno);
        return 0;
}

/* The socket is the service manager's, or one that is made here. */
int link_local_open(struct broker *b)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int r = supervise_take_listener(&b->listener, &b->path);

        b->handed_over = r == 0;
        if (r != -ENOENT) {
                if (r < 0)
                        log_error("what the service manager handed over is not one Unix socket "
                                  "that listens (ListenStream=PATH)");
                return r < 0 ? EXIT_NO_BUS : 0;
        }
        b->path = b->options.socket ? strdup(b->options.socket) : default_path();
        if (!b->path)
                return EXIT_SYSTEM;
        /* It would be an abstract socket, which everybody can open whatever its mode. */
        if (b->path[0] == '\0') {
                log_error("--socket: its path is empty; name one, or leave the option out");
                return EXIT_USAGE;
        }
        if (strlen(b->path) >= sizeof(address.sun_path)) {
                log_error("%s: a socket's path has at most %zu octets", b->path,
                          sizeof(address.sun_path) - 1);
                return EXIT_USAGE;
        }
        strcpy(address.sun_path, b->path);
        r = prepare_directory(b);
        if (r == 0)
                r = take_lock(b);
        if (r == 0)
                r = remove_stale(b, &address);
        return r ? r : listen_at(b, &address);
}

void link_local_remove(struct broker *b)
{
        if (!b->handed_over)
                unlink(b->path);
}

void link_local_stop(struct broker *b)
{
        uv_poll_stop(&b->listener_poll);
        uv_timer_stop(&b->accept_timer);
        link_local_remove(b);
}

void link_local_close(struct broker *b)
{
        if (b->listener >= 0)
                close(b->listener);
        if (b->lock >= 0)
                close(b->lock);
        free(b->path);
        b->chunk = chunk_unref(b->chunk);
        chunk_pool_deinit(&b->chunks);
}

/* ---- clients come and go ------------------------------------------------------------------- */

/* @place: where a client over TCP is, which becomes the link's; else NULL. */
static int client_new(struct broker *b, int fd, char *place)
{
        struct client *c = malloc(sizeof(*c));
        struct admission admission;
        char name[CLIENT_NAME_SIZE];
        int r = c ? deadlines_reserve(&b->pauses) : -ENOMEM;

        if (r || !admit(b, fd, &admission)) {
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
        if (uv_poll_init(&b->loop, &c->poll, fd) < 0) {
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
        if (!log_trouble_is_due(&b->no_descriptors, b->now))
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
        broker_wake(b);
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

int link_local_start(struct broker *b)
{
        int r = uv_timer_init(&b->loop, &b->accept_timer);

        b->accept_timer.data = b;
        b->listener_poll.data = b;
        if (r == 0)
                r = uv_poll_init(&b->loop, &b->listener_poll, b->listener);
        if (r == 0)
                r = uv_poll_start(&b->listener_poll, UV_READABLE, on_listener);
        return r;
}
