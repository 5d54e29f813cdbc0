/*
 * socket-file.c - see local-socket.h.
 */
#include "socket-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <io/runtime-dir.h>

#include <broker/broker.h>
#include "directory.h"
#include "exit.h"
#include <broker/net/unix-listener.h>
#include <broker/config/sections.h>

#define SYSTEM_SOCKET "/run/mbus/broker.sock"

/* ---- where it is --------------------------------------------------------------------------- */

static char *default_path(void)
{
        char why[RUNTIME_DIR_ERROR_SIZE];
        const char *runtime = runtime_dir_get(why);
        char *path;

        if (why[0]) {
                log_error("%s; set it to a directory that only this user can write, or name a "
                          "socket with --socket",
                          why);
                return NULL;
        }
        if (!runtime)
                return strdup(SYSTEM_SOCKET);
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

int local_socket_share(struct broker *b)
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

/* ---- the lock ------------------------------------------------------------------------------ */

static int already_running(const struct broker *b)
{
        log_error("%s: a broker is running there already; it was left alone", b->path);
        return EXIT_NO_BUS;
}

/* 0: somebody listens at @b's path; else why one cannot connect there. */
static int try_to_connect(const struct broker *b)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int error = 0;

        if (fd < 0)
                return errno;
        strcpy(address.sun_path, b->path);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                error = errno;
        close(fd);
        /* One that is behind with accepting listens. */
        return error == EAGAIN ? 0 : error;
}

static bool is_lock_at(int lock, const char *path)
{
        struct stat ours, there;

        return fstat(lock, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
               ours.st_ino == there.st_ino;
}

/* The descriptor of the lock file at @path, which is locked; -EWOULDBLOCK: somebody else has it; -errno. */
static int lock_file(const char *path)
{
        for (;;) {
                int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
                int error;

                if (fd < 0)
                        return -errno;
                error = flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
                /* It may have been removed in between, and another one is there. */
                if (!error && is_lock_at(fd, path))
                        return fd;
                close(fd);
                if (error)
                        return -error;
        }
}

/* Who holds the lock file at @path, as it says itself; 0: it does not. */
static int holder_of(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), pid = 0;
        char text[16] = "";

        if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
                pid = atoi(text);
        if (fd >= 0)
                close(fd);
        return pid > 0 ? pid : 0;
}

static void write_holder(int lock)
{
        char text[16];
        int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

        /* Without room on the file system people are told less. */
        if (ftruncate(lock, 0) == 0 && pwrite(lock, text, (size_t)n, 0) < n)
                (void)!ftruncate(lock, 0);
}

/* It may be starting, ending, or about to find that its socket is gone. */
static int fail_held(const struct broker *b, const char *path)
{
        int pid = holder_of(path);
        char who[32] = "another broker";

        if (pid > 0)
                snprintf(who, sizeof(who), "the broker of pid %d", pid);
        log_error("%s: %s has the lock file beside it, but nobody can connect there: %s; its log "
                  "says why, end it or name another socket with --socket",
                  b->path, who, strerror(try_to_connect(b)));
        return EXIT_NO_BUS;
}

/* @waits: for one that holds the lock and is about to listen, or to end. */
static int take_lock(struct broker *b, bool waits)
{
        unsigned ms = 0;
        char *path;
        int fd, r;

        if (asprintf(&path, "%s.lock", b->path) < 0)
                return fail(b, "the lock file", ENOMEM);
        if (b->lock >= 0 && is_lock_at(b->lock, path)) {
                free(path);
                return 0;
        }
        while ((fd = lock_file(path)) == -EWOULDBLOCK && waits && ms < LOCK_PATIENCE_MS &&
               try_to_connect(b) != 0) {
                usleep(LOCK_PAUSE_MS * 1000);
                ms += LOCK_PAUSE_MS;
        }
        if (fd >= 0) {
                if (b->lock >= 0)
                        close(b->lock);
                b->lock = fd;
                write_holder(fd);
                r = 0;
        } else if (fd != -EWOULDBLOCK) {
                r = fail(b, "its lock file cannot be opened and locked", -fd);
        } else {
                r = try_to_connect(b) == 0 ? already_running(b) : fail_held(b, path);
        }
        free(path);
        return r;
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Removes a socket that nobody listens on. */
static int remove_stale(struct broker *b)
{
        struct own_file stale = OWN_FILE_INIT;
        struct stat status;
        int error;

        if (lstat(b->path, &status) < 0)
                return errno == ENOENT ? 0 : fail(b, "the path cannot be used", errno);
        if (!S_ISSOCK(status.st_mode))
                return fail(b,
                            "what is there is no socket; remove it or name another with --socket",
                            EEXIST);
        /* Noted before it is tried: what is put there after that is not removed. */
        error = -own_file_note(&stale, b->path);
        if (error)
                return fail(b, "the path cannot be used", error);
        error = try_to_connect(b);
        if (error != ECONNREFUSED) {
                own_file_forget(&stale);
                return error ? fail(b, "whether somebody listens there cannot be found out", error)
                             : already_running(b);
        }
        own_file_remove(&stale);
        if (lstat(b->path, &status) == 0 || errno != ENOENT)
                return fail(b, "the stale socket cannot be removed", errno ? errno : EEXIST);
        log_info("%s: a stale socket was replaced", b->path);
        return 0;
}

/* The descriptor; -1 with a line in the log. */
static int listen_at(struct broker *b)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        mode_t mask;
        int fd, r;

        strcpy(address.sun_path, b->path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
                fail(b, "no socket can be made", errno);
                return -1;
        }
        mask = umask(0177);
        r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
        umask(mask);
        if (r == 0)
                r = own_file_note(&b->socket_file, b->path);
        if (r == 0 && listen(fd, SOMAXCONN) < 0)
                r = -errno;
        if (r == 0)
                return fd;
        fail(b, "it cannot be listened on", -r);
        close(fd);
        return -1;
}

/* Makes the socket at the path. As local_socket_open(). */
static int make(struct broker *b, bool waits, int *ret_fd)
{
        int r = prepare_directory(b);

        if (r == 0)
                r = take_lock(b, waits);
        /* Perhaps only the lock file was missing. */
        if (r == 0 && own_file_is_at(&b->socket_file, b->path)) {
                *ret_fd = -1;
                return 0;
        }
        if (r == 0)
                r = remove_stale(b);
        if (r)
                return r;
        own_file_remove(&b->socket_file);
        *ret_fd = listen_at(b);
        return *ret_fd < 0 ? EXIT_NO_BUS : 0;
}

static int take_handed_over(struct broker *b, int r)
{
        b->handed_over = r == 0;
        if (r < 0) {
                log_error("what the service manager handed over is not one Unix socket that "
                          "listens (ListenStream=PATH)");
                return EXIT_NO_BUS;
        }
        /* So that one can be told that it is gone. */
        if (b->path[0] == '/')
                (void)own_file_note(&b->socket_file, b->path);
        return 0;
}

/* The socket is the service manager's, or one that is made here. */
/* Whoever has no place of his own is told how to have one, when the system's was not to be had. */
static int explain(const struct broker *b, int r)
{
        if (r && !b->options.socket && geteuid() != 0 && strcmp(b->path, SYSTEM_SOCKET) == 0)
                log_error(
                        "that is the system's place, since XDG_RUNTIME_DIR is not set: set it, or "
                        "name a socket of your own with --socket PATH, for mbus-cli -b unix:PATH");
        return r;
}

int local_socket_open(struct broker *b)
{
        struct sockaddr_un address;
        int r = supervise_take_listener(&b->listener, &b->path);

        if (r != -ENOENT)
                return take_handed_over(b, r);
        b->path = b->options.socket ? strdup(b->options.socket) : default_path();
        if (!b->path)
                return EXIT_NO_BUS;
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
        return explain(b, make(b, true, &b->listener));
}

void local_socket_remove(struct broker *b)
{
        if (b->handed_over)
                own_file_forget(&b->socket_file);
        else
                own_file_remove(&b->socket_file);
}

void local_socket_close(struct broker *b)
{
        local_socket_remove(b);
        if (b->listener >= 0)
                close(b->listener);
        if (b->lock >= 0)
                close(b->lock);
        free(b->path);
}

/* ---- looking after it ---------------------------------------------------------------------- */

static bool is_in_place(const struct broker *b)
{
        char *path;
        bool ours;

        if (!own_file_is_at(&b->socket_file, b->path))
                return false;
        if (b->handed_over || asprintf(&path, "%s.lock", b->path) < 0)
                return true;
        ours = is_lock_at(b->lock, path);
        free(path);
        return ours;
}

/* The socket is another one from now on. */
static int make_again(struct broker *b)
{
        int fd, r = make(b, false, &fd);

        if (r || fd < 0)
                return r;
        link_local_relisten(b, fd);
        return local_socket_share(b);
}

void local_socket_check(struct broker *b)
{
        bool said;
        int r;

        if (b->socket_file.directory < 0 && b->handed_over)
                return;
        if (is_in_place(b)) {
                if (log_trouble_is_over(&b->socket_trouble))
                        log_info("%s: it is there again", b->path);
                return;
        }
        said = log_trouble_is_due(&b->socket_trouble, b->it.now);
        if (b->handed_over) {
                if (said)
                        log_warning("%s: it was removed, and nobody finds the broker; it is the "
                                    "service manager's to make: restart its socket unit",
                                    b->path);
                return;
        }
        if (said)
                log_warning("%s: it, or its lock file, was removed or replaced; it is made again",
                            b->path);
        log_set_held(!said);
        r = make_again(b);
        log_set_held(false);
        if (r == 0 && log_trouble_is_over(&b->socket_trouble))
                log_info("%s: it is there again", b->path);
}

static void on_timer(uv_timer_t *timer)
{
        struct broker *b = timer->data;

        iteration_wake(&b->it);
        local_socket_check(b);
        metrics_check(b);
}

int local_socket_start(struct broker *b)
{
        int r = uv_timer_init(&b->it.loop, &b->socket_timer);

        b->socket_timer.data = b;
        return r ? r : uv_timer_start(&b->socket_timer, on_timer, SOCKET_CHECK_MS, SOCKET_CHECK_MS);
}
