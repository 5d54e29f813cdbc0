/*
 * fail-call.c - each call of the operating system that the io ring and the library make, with the
 * errors that a machine in trouble has for it.
 *
 * A call that fails here has not been made: that is what these errors mean.
 */
#include "fail-call.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A call that is made over and over is not failed more often than this. */
#define EACH_MAX 40
#define ERRORS_MAX 6
#define ATTEMPTS 10

struct call {
        const char *name;
        int errors[ERRORS_MAX]; /* up to a 0 */
        unsigned n;             /* calls in this run */
};

enum which {
        SOCKET,
        BIND,
        SETSOCKOPT,
        GETSOCKNAME,
        CONNECT,
        SEND,
        RECV,
        SENDMMSG,
        RECVMMSG,
        POLL,
        OPEN,
        FSTAT,
        READ,
        WRITE,
        FSYNC,
        RENAMEAT2,
        RENAME,
        MKOSTEMP,
        GETRANDOM,
        GETIFADDRS,
        IOCTL,
        MMAP,
        EPOLL_CREATE1,
        EPOLL_CTL,
        TIMERFD_CREATE,
        TIMERFD_SETTIME,
        EVENTFD,
        CALLS
};

static struct call calls[CALLS] = {
        [SOCKET] = { "socket", { EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES } },
        [BIND] = { "bind", { EADDRINUSE, EACCES, EADDRNOTAVAIL } },
        [SETSOCKOPT] = { "setsockopt", { ENOBUFS, EACCES, ENODEV, ENOPROTOOPT } },
        [GETSOCKNAME] = { "getsockname", { ENOBUFS } },
        [CONNECT] = { "connect", { ENETUNREACH, ECONNREFUSED, EACCES, EAGAIN, ENOENT } },
        [SEND] = { "send", { EAGAIN, EINTR, EPIPE, ENOBUFS } },
        [RECV] = { "recv", { EAGAIN, EINTR, ECONNRESET } },
        [SENDMMSG] = { "sendmmsg", { EAGAIN, EINTR, ENETUNREACH, ENOBUFS, EPERM } },
        [RECVMMSG] = { "recvmmsg", { EAGAIN, EINTR, ECONNREFUSED, ENOMEM } },
        [POLL] = { "poll", { EINTR, ENOMEM } },
        [OPEN] = { "open", { EMFILE, EACCES, EINTR, ENOENT } },
        [FSTAT] = { "fstat", { EIO } },
        [READ] = { "read", { EIO, EINTR } },
        [WRITE] = { "write", { ENOSPC, EINTR, EDQUOT } },
        [FSYNC] = { "fsync", { EIO } },
        [RENAMEAT2] = { "renameat2", { EINVAL, ENOSYS, EPERM } },
        [RENAME] = { "rename", { EACCES, ENOSPC } },
        [MKOSTEMP] = { "mkostemp", { EACCES, EMFILE, ENOSPC } },
        [GETRANDOM] = { "getrandom", { ENOSYS } },
        [GETIFADDRS] = { "getifaddrs", { EMFILE, ENOBUFS, ENOMEM } },
        [IOCTL] = { "ioctl", { ENODEV } },
        [MMAP] = { "mmap", { ENOMEM } },
        [EPOLL_CREATE1] = { "epoll_create1", { EMFILE, ENOMEM } },
        [EPOLL_CTL] = { "epoll_ctl", { ENOMEM, ENOSPC } },
        [TIMERFD_CREATE] = { "timerfd_create", { EMFILE } },
        [TIMERFD_SETTIME] = { "timerfd_settime", { ECANCELED } },
        [EVENTFD] = { "eventfd", { EMFILE, ENOMEM } },
};

static bool counts;
static int failing = -1; /* which call; -1: none */
static unsigned fails_at;
static int error;
static bool has_failed;

static bool fails(enum which which)
{
        if (!counts)
                return false;
        ++calls[which].n;
        if ((int)which != failing || calls[which].n != fails_at)
                return false;
        has_failed = true;
        errno = error;
        return true;
}

#define WRAP(which, result, failed, name, parameters, arguments)                                   \
        result __real_##name parameters;                                                           \
        result __wrap_##name parameters;                                                           \
        result __wrap_##name parameters                                                            \
        {                                                                                          \
                return fails(which) ? failed : __real_##name arguments;                            \
        }

WRAP(SOCKET, int, -1, socket, (int family, int type, int protocol), (family, type, protocol))
WRAP(BIND, int, -1, bind, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
WRAP(SETSOCKOPT, int, -1, setsockopt, (int fd, int level, int name, const void *at, socklen_t n),
     (fd, level, name, at, n))
WRAP(GETSOCKNAME, int, -1, getsockname, (int fd, struct sockaddr *at, socklen_t *n), (fd, at, n))
WRAP(CONNECT, int, -1, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
WRAP(SEND, ssize_t, -1, send, (int fd, const void *at, size_t n, int flags), (fd, at, n, flags))
WRAP(RECV, ssize_t, -1, recv, (int fd, void *at, size_t n, int flags), (fd, at, n, flags))
WRAP(SENDMMSG, int, -1, sendmmsg, (int fd, struct mmsghdr *at, unsigned n, int flags),
     (fd, at, n, flags))
WRAP(RECVMMSG, int, -1, recvmmsg,
     (int fd, struct mmsghdr *at, unsigned n, int flags, struct timespec *time),
     (fd, at, n, flags, time))
WRAP(FSTAT, int, -1, fstat, (int fd, struct stat *s), (fd, s))
WRAP(READ, ssize_t, -1, read, (int fd, void *at, size_t n), (fd, at, n))
WRAP(WRITE, ssize_t, -1, write, (int fd, const void *at, size_t n), (fd, at, n))
WRAP(WRITE, ssize_t, -1, pwrite, (int fd, const void *at, size_t n, off_t from), (fd, at, n, from))
WRAP(WRITE, ssize_t, -1, pwrite64, (int fd, const void *at, size_t n, off_t from),
     (fd, at, n, from))
WRAP(FSYNC, int, -1, fsync, (int fd), (fd))
WRAP(RENAME, int, -1, rename, (const char *from, const char *to), (from, to))
WRAP(MKOSTEMP, int, -1, mkostemp, (char *name, int flags), (name, flags))
WRAP(GETRANDOM, ssize_t, -1, getrandom, (void *at, size_t n, unsigned flags), (at, n, flags))
WRAP(GETIFADDRS, int, -1, getifaddrs, (struct ifaddrs * *ret_all), (ret_all))
WRAP(MMAP, void *, MAP_FAILED, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t from),
     (at, n, prot, flags, fd, from))
WRAP(EPOLL_CREATE1, int, -1, epoll_create1, (int flags), (flags))
WRAP(EPOLL_CTL, int, -1, epoll_ctl, (int fd, int op, int which, struct epoll_event *event),
     (fd, op, which, event))
WRAP(TIMERFD_CREATE, int, -1, timerfd_create, (int clock, int flags), (clock, flags))
WRAP(TIMERFD_SETTIME, int, -1, timerfd_settime,
     (int fd, int flags, const struct itimerspec *time, struct itimerspec *old),
     (fd, flags, time, old))
WRAP(EVENTFD, int, -1, eventfd, (unsigned count, int flags), (count, flags))

struct pollfd;
WRAP(POLL, int, -1, poll, (struct pollfd * fds, unsigned long n, int timeout), (fds, n, timeout))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
        return fails(OPEN) ? -1 : __real_open(path, flags);
}

/* What some of them are called where files may be large. */
WRAP(FSTAT, int, -1, fstat64, (int fd, struct stat *s), (fd, s))
WRAP(MKOSTEMP, int, -1, mkostemp64, (char *name, int flags), (name, flags))
WRAP(MMAP, void *, MAP_FAILED, mmap64,
     (void *at, size_t n, int prot, int flags, int fd, off_t from), (at, n, prot, flags, fd, from))

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
        return fails(OPEN) ? -1 : __real_open64(path, flags);
}

/* renameat2() has no function in each C library. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, int from_at, const char *from, int to_at, const char *to,
                    unsigned flags);
long __wrap_syscall(long number, int from_at, const char *from, int to_at, const char *to,
                    unsigned flags)
{
        return fails(RENAMEAT2) ? -1 : __real_syscall(number, from_at, from, to_at, to, flags);
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
        va_list ap;
        void *argument;

        va_start(ap, request);
        argument = va_arg(ap, void *);
        va_end(ap);
        return fails(IOCTL) ? -1 : __real_ioctl(fd, request, argument);
}

/* ---- the runs ---- */

void fail_call_stop(void)
{
        counts = false;
}

void fail_call_pause(bool pause)
{
        static bool counted;

        if (pause)
                counted = counts;
        counts = !pause && counted;
}

const char *fail_call_cause(void)
{
        return strerror(error);
}

static unsigned open_files(void)
{
        unsigned n = 0;

        for (int fd = 0; fd < 256; ++fd)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* True if something failed. */
static bool run(struct trial *t, const char *name, void (*scenario)(struct trial *t), int which,
                unsigned at, int with)
{
        unsigned files = open_files();
        char what[96] = "nothing fails";

        if (which >= 0)
                snprintf(what, sizeof(what), "%s() number %u fails with %s", calls[which].name, at,
                         strerrorname_np(with));
        trial_begin(t, name, what);
        for (int i = 0; i < CALLS; ++i)
                calls[i].n = 0;
        failing = which;
        fails_at = at;
        error = with;
        has_failed = false;
        counts = true;
        scenario(t);
        fail_call_stop();
        trial_must(t, open_files() == files);
        return has_failed;
}

void fail_each_call(const char *name, void (*scenario)(struct trial *t))
{
        static struct trial good, t;
        unsigned n[CALLS], runs = 0;

        /* On a busy machine the kernel may deliver late, and something is sent twice. */
        for (unsigned i = 0; i == 0 || (good.noticed && i < ATTEMPTS); ++i)
                run(&good, name, scenario, -1, 0, 0);
        trial_must(&good, !good.noticed);
        for (int i = 0; i < CALLS; ++i)
                n[i] = calls[i].n;
        printf("%s:", name);
        for (int i = 0; i < CALLS; ++i) {
                for (unsigned at = 1; at <= n[i] && at <= EACH_MAX; ++at)
                        for (const int *e = calls[i].errors; *e; ++e)
                                if (run(&t, name, scenario, i, at, *e)) {
                                        trial_check(&t, &good);
                                        ++runs;
                                }
                if (n[i])
                        printf(" %u %s", n[i], calls[i].name);
        }
        printf(", %u runs\n", runs);
        fflush(stdout);
}
