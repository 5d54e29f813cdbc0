/*
 * socket-file.c - see socket-file.h.
 */
#include "socket-file.h"

#include <assert.h>
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

#include "directory.h"
#include "exit.h"
#include "limits.h"
#include "service-manager.h"

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

static int fail_socket(const struct socket_file *s, const char *what, int error)
{
        log_error("%s: %s: %s", s->path, what, strerror(error));
        return EXIT_NO_BUS;
}

/* The directory of the socket, to be freed; NULL when memory is short. */
static char *directory_of(const struct socket_file *s)
{
        const char *slash = strrchr(s->path, '/');

        if (!slash)
                return strdup(".");
        return slash == s->path ? strdup("/") : strndup(s->path, (size_t)(slash - s->path));
}

static int prepare_directory(struct socket_file *s)
{
        char *directory = directory_of(s);
        int r;

        if (!directory)
                return fail_socket(s, "its directory cannot be made", ENOMEM);
        s->made_directory = mkdir(directory, 0700) == 0;
        if (!s->made_directory && errno != EEXIST)
                r = fail_socket(s, "its directory cannot be made", errno);
        else
                r = directory_check(s->path, directory);
        free(directory);
        return r;
}

/* Others must be able to come to the socket that they may open. A directory of our own making is
 * opened for them, any other is its owner's business. */
static void share_directory(const struct socket_file *s)
{
        mode_t mode = s->access.mode, needed = 0;
        char *directory = directory_of(s);
        struct stat status;

        if (mode & 0006)
                needed = S_IXGRP | S_IXOTH;
        else if (mode & 0060)
                needed = s->access.group == (gid_t)-1 ? S_IXGRP : S_IXGRP | S_IXOTH;
        if (!directory || stat(directory, &status) < 0 || (status.st_mode & needed) == needed) {
                free(directory);
                return;
        }
        if (!s->made_directory || chmod(directory, (status.st_mode & 07777) | needed) < 0)
                log_warning("%s: SOCKET_MODE lets others open it, but they cannot enter its "
                            "directory; mend it with: chmod %s %s",
                            s->path, needed & S_IXOTH ? "go+x" : "g+x", directory);
        free(directory);
}

/* It is 0600 up to now, so nobody comes in before it is the right group's. */
static int share_file(const struct socket_file *s)
{
        const struct socket_access *a = &s->access;

        assert(s->lock >= 0 && s->file.directory >= 0);
        if (a->mode == 0600 && a->group == (gid_t)-1)
                return 0;
        if (a->group != (gid_t)-1 && lchown(s->path, (uid_t)-1, a->group) < 0) {
                log_error_at(a->config_path, a->group_line, "SOCKET_GROUP",
                             "%s cannot be given to group %u: %s; write a group that the "
                             "broker's user is in",
                             s->path, (unsigned)a->group, strerror(errno));
                return EXIT_NO_BUS;
        }
        if (chmod(s->path, a->mode) < 0)
                return fail_socket(s, "SOCKET_MODE cannot be set", errno);
        share_directory(s);
        return 0;
}

int socket_file_share(struct socket_file *s, const struct socket_access *access)
{
        s->access = *access;
        if (!s->is_handed_over)
                return share_file(s);
        if (access->mode != 0600 || access->group != (gid_t)-1)
                log_warning("%s: the service manager made it, SOCKET_MODE and SOCKET_GROUP do not "
                            "count; write SocketMode= and SocketGroup= there",
                            s->path);
        return 0;
}

/* ---- the lock ------------------------------------------------------------------------------ */

static int already_running(const struct socket_file *s)
{
        log_error("%s: a broker is running there already; it was left alone", s->path);
        return EXIT_NO_BUS;
}

/* 0: somebody listens at the path of @s; else why one cannot connect there. */
static int try_to_connect(const struct socket_file *s)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int error = 0;

        if (fd < 0)
                return errno;
        strcpy(address.sun_path, s->path);
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

/* The descriptor of the lock file at @path, which is locked; -EWOULDBLOCK: somebody else has it;
 * -errno. */
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
static int fail_held(const struct socket_file *s, const char *path)
{
        int pid = holder_of(path);
        char who[32] = "another broker";

        if (pid > 0)
                snprintf(who, sizeof(who), "the broker of pid %d", pid);
        log_error("%s: %s has the lock file beside it, but nobody can connect there: %s; its log "
                  "says why, end it or name another socket with --socket",
                  s->path, who, strerror(try_to_connect(s)));
        return EXIT_NO_BUS;
}

/* @waits: for one that holds the lock and is about to listen, or to end. */
static int take_lock(struct socket_file *s, bool waits)
{
        unsigned ms = 0;
        char *path;
        int fd, r;

        if (asprintf(&path, "%s.lock", s->path) < 0)
                return fail_socket(s, "the lock file", ENOMEM);
        if (s->lock >= 0 && is_lock_at(s->lock, path)) {
                free(path);
                return 0;
        }
        while ((fd = lock_file(path)) == -EWOULDBLOCK && waits && ms < LOCK_PATIENCE_MS &&
               try_to_connect(s) != 0) {
                usleep(LOCK_PAUSE_MS * 1000);
                ms += LOCK_PAUSE_MS;
        }
        if (fd >= 0) {
                if (s->lock >= 0)
                        close(s->lock);
                s->lock = fd;
                write_holder(fd);
                r = 0;
        } else if (fd != -EWOULDBLOCK) {
                r = fail_socket(s, "its lock file cannot be opened and locked", -fd);
        } else {
                r = try_to_connect(s) == 0 ? already_running(s) : fail_held(s, path);
        }
        free(path);
        return r;
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Removes a socket that nobody listens on. */
static int remove_stale_file(struct socket_file *s)
{
        struct own_file stale = OWN_FILE_INIT;
        struct stat status;
        int error;

        assert(s->lock >= 0 && !s->is_handed_over);
        if (lstat(s->path, &status) < 0)
                return errno == ENOENT ? 0 : fail_socket(s, "the path cannot be used", errno);
        if (!S_ISSOCK(status.st_mode))
                return fail_socket(
                        s, "what is there is no socket; remove it or name another with --socket",
                        EEXIST);
        /* Noted before it is tried: what is put there after that is not removed. */
        error = -own_file_note(&stale, s->path);
        if (error)
                return fail_socket(s, "the path cannot be used", error);
        error = try_to_connect(s);
        if (error != ECONNREFUSED) {
                own_file_forget(&stale);
                return error ? fail_socket(s, "whether somebody listens there cannot be found out",
                                           error)
                             : already_running(s);
        }
        own_file_remove(&stale);
        if (lstat(s->path, &status) == 0 || errno != ENOENT)
                return fail_socket(s, "the stale socket cannot be removed", errno ? errno : EEXIST);
        log_info("%s: a stale socket was replaced", s->path);
        return 0;
}

/* The descriptor; -1 with a line in the log. */
static int listen_at_path(struct socket_file *s)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        mode_t mask;
        int fd, r;

        assert(s->lock >= 0 && s->file.directory < 0);
        strcpy(address.sun_path, s->path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
                fail_socket(s, "no socket can be made", errno);
                return -1;
        }
        mask = umask(0177);
        r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
        umask(mask);
        if (r == 0)
                r = own_file_note(&s->file, s->path);
        if (r == 0 && listen(fd, SOMAXCONN) < 0)
                r = -errno;
        if (r == 0)
                return fd;
        fail_socket(s, "it cannot be listened on", -r);
        close(fd);
        return -1;
}

/* Makes the socket at the path. As socket_file_open(). */
static int make_socket(struct socket_file *s, bool waits, int *ret_fd)
{
        int r = prepare_directory(s);

        if (r == 0)
                r = take_lock(s, waits);
        /* Perhaps only the lock file was missing. */
        if (r == 0 && own_file_is_at(&s->file, s->path)) {
                *ret_fd = -1;
                return 0;
        }
        if (r == 0)
                r = remove_stale_file(s);
        if (r)
                return r;
        own_file_remove(&s->file);
        *ret_fd = listen_at_path(s);
        return *ret_fd < 0 ? EXIT_NO_BUS : 0;
}

static int take_handed_over(struct socket_file *s, int r)
{
        s->is_handed_over = r == 0;
        if (r < 0) {
                log_error("what the service manager handed over is not one Unix socket that "
                          "listens (ListenStream=PATH)");
                return EXIT_NO_BUS;
        }
        /* So that one can be told that it is gone. */
        if (s->path[0] == '/')
                (void)own_file_note(&s->file, s->path);
        return 0;
}

/* Whoever has no place of his own is told how to have one, when the system's was not to be had. */
static int explain_place(const struct socket_file *s, int r)
{
        if (r && s->is_default && geteuid() != 0 && strcmp(s->path, SYSTEM_SOCKET) == 0)
                log_error(
                        "that is the system's place, since XDG_RUNTIME_DIR is not set: set it, or "
                        "name a socket of your own with --socket PATH, for mbus-cli -b unix:PATH");
        return r;
}

int socket_file_open(struct socket_file *s, const char *path)
{
        struct sockaddr_un address;
        int r;

        *s = SOCKET_FILE_INIT;
        r = service_manager_take_listener(&s->fd, &s->path);
        if (r != -ENOENT)
                return take_handed_over(s, r);
        s->is_default = !path;
        s->path = path ? strdup(path) : default_path();
        if (!s->path)
                return EXIT_NO_BUS;
        /* It would be an abstract socket, which everybody can open whatever its mode. */
        if (s->path[0] == '\0') {
                log_error("--socket: its path is empty; name one, or leave the option out");
                return EXIT_USAGE;
        }
        if (strlen(s->path) >= sizeof(address.sun_path)) {
                log_error("%s: a socket's path has at most %zu octets", s->path,
                          sizeof(address.sun_path) - 1);
                return EXIT_USAGE;
        }
        return explain_place(s, make_socket(s, true, &s->fd));
}

void socket_file_remove(struct socket_file *s)
{
        if (s->is_handed_over)
                own_file_forget(&s->file);
        else
                own_file_remove(&s->file);
}

void socket_file_close(struct socket_file *s)
{
        socket_file_remove(s);
        if (s->fd >= 0)
                close(s->fd);
        if (s->lock >= 0)
                close(s->lock);
        free(s->path);
}

/* ---- looking after it ---------------------------------------------------------------------- */

static bool is_in_place(const struct socket_file *s)
{
        char *path;
        bool ours;

        if (!own_file_is_at(&s->file, s->path))
                return false;
        if (s->is_handed_over || asprintf(&path, "%s.lock", s->path) < 0)
                return true;
        ours = is_lock_at(s->lock, path);
        free(path);
        return ours;
}

/* Makes what is missing. The new socket, if it is one, goes to *@ret_fd. */
static int make_again(struct socket_file *s, int *ret_fd)
{
        int fd, r = make_socket(s, false, &fd);

        if (r || fd < 0)
                return r;
        *ret_fd = fd;
        return share_file(s);
}

int socket_file_check(struct socket_file *s, uint64_t now)
{
        int fd = -1, r;
        bool said;

        if (s->file.directory < 0 && s->is_handed_over)
                return -1;
        if (is_in_place(s)) {
                if (log_trouble_is_over(&s->trouble))
                        log_info("%s: it is there again", s->path);
                return -1;
        }
        said = log_trouble_is_due(&s->trouble, now);
        if (s->is_handed_over) {
                if (said)
                        log_warning("%s: it was removed, and nobody finds the broker; it is the "
                                    "service manager's to make: restart its socket unit",
                                    s->path);
                return -1;
        }
        if (said)
                log_warning("%s: it, or its lock file, was removed or replaced; it is made again",
                            s->path);
        log_set_held(!said);
        r = make_again(s, &fd);
        log_set_held(false);
        if (r == 0 && log_trouble_is_over(&s->trouble))
                log_info("%s: it is there again", s->path);
        return fd;
}
