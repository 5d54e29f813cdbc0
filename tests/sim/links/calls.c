/*
 * calls.c - the system calls of sockets, as the linker puts them (--wrap) in the place of the system's
 * wherever the broker and the library make them. Descriptors of the system itself are passed on.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine.h"

int __real_close(int fd);
int __real_shutdown(int fd, int how);

int __wrap_socket(int domain, int type, int protocol);
int __wrap_socketpair(int domain, int type, int protocol, int *fds);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t n);
int __wrap_listen(int fd, int backlog);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t n);
int __wrap_close(int fd);
int __wrap_shutdown(int fd, int how);
ssize_t __wrap_recv(int fd, void *bytes, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t n, int flags);
ssize_t __wrap_readv(int fd, const struct iovec *iov, int n);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
pid_t __wrap_getpid(void);
ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags);

static bool is_muted(void)
{
        return machine->running->muted;
}

static int call_failed(int error)
{
        errno = error;
        return -1;
}

/* ---- connections --------------------------------------------------------------------------- */

static void name_of(const struct sockaddr *address, char ret_name[static NAME_MAX_SIZE])
{
        const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)address;
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        if (address->sa_family == AF_UNIX)
                snprintf(ret_name, NAME_MAX_SIZE, "%.39s", un->sun_path);
        else
                snprintf(ret_name, NAME_MAX_SIZE, "tcp:%u", ntohs(in->sin_port));
}

int __wrap_socket(int domain, int type, int protocol)
{
        (void)domain;
        (void)type;
        (void)protocol;
        return is_muted() ? call_failed(EMFILE) : descriptor_new(DESCRIPTOR_SOCKET);
}

int __wrap_socketpair(int domain, int type, int protocol, int *fds)
{
        (void)domain;
        (void)type;
        (void)protocol;
        if (is_muted())
                return call_failed(EMFILE);
        stream_pair(machine->running->index, true, fds);
        return 0;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t n)
{
        struct descriptor *d = descriptor_of(fd);

        (void)n;
        if (!d)
                return -1;
        name_of(address, d->name);
        return 0;
}

int __wrap_listen(int fd, int backlog)
{
        struct descriptor *d = descriptor_of(fd);

        (void)backlog;
        if (!d)
                return -1;
        if (find_listener(d->name))
                return call_failed(EADDRINUSE);
        d->type = DESCRIPTOR_LISTENER;
        return 0;
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags)
{
        struct descriptor *d = descriptor_of(fd);
        struct sockaddr_in peer = { .sin_family = AF_INET };
        int first;

        (void)flags;
        if (!d)
                return -1;
        if (d->n_waiting == 0 || is_muted())
                return call_failed(EAGAIN);
        first = d->backlog[0];
        memmove(d->backlog, d->backlog + 1, --d->n_waiting * sizeof(*d->backlog));
        if (address && *n >= sizeof(peer)) {
                peer.sin_port = htons((uint16_t)first);
                peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                memcpy(address, &peer, sizeof(peer));
                *n = sizeof(peer);
        }
        return first;
}

/* The socket becomes one end; the other one waits to be accepted. */
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t n)
{
        struct descriptor *d = descriptor_of(fd), *listener;
        char name[NAME_MAX_SIZE];
        bool tcp = address->sa_family != AF_UNIX;
        int other;

        (void)n;
        if (!d)
                return -1;
        name_of(address, name);
        listener = find_listener(name);
        if (!listener && !tcp)
                return call_failed(is_stale(name) ? ECONNREFUSED : ENOENT);
        if (!listener && random_u32(&machine->random) % 2)
                return call_failed(ECONNREFUSED);
        if (!listener) {
                d->error = ECONNREFUSED;
                return call_failed(EINPROGRESS);
        }
        if (listener->n_waiting == BACKLOG_MAX)
                return call_failed(EAGAIN);
        other = descriptor_new(DESCRIPTOR_STREAM);
        machine->descriptors[other - FD_FIRST]->owner = listener->owner;
        machine->descriptors[other - FD_FIRST]->peer = fd;
        d->type = DESCRIPTOR_STREAM;
        d->peer = other;
        listener->backlog[listener->n_waiting++] = other;
        return tcp && random_u32(&machine->random) % 2 ? call_failed(EINPROGRESS) : 0;
}

int __wrap_close(int fd)
{
        if (fd < FD_FIRST)
                return __real_close(fd);
        if (!is_muted() && !descriptor_of(fd))
                return -1;
        descriptor_close(fd);
        return 0;
}

/* No machine has two processes with copies of one descriptor: closing it does the same. */
int __wrap_shutdown(int fd, int how)
{
        return fd < FD_FIRST ? __real_shutdown(fd, how) : 0;
}

/* ---- octets -------------------------------------------------------------------------------- */

ssize_t __wrap_recv(int fd, void *bytes, size_t n, int flags)
{
        (void)flags;
        return is_muted() ? call_failed(EAGAIN) : stream_read(fd, bytes, n);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t n, int flags)
{
        (void)flags;
        return is_muted() ? call_failed(EPIPE) : stream_write(fd, bytes, n);
}

ssize_t __wrap_readv(int fd, const struct iovec *iov, int n)
{
        ssize_t all = 0, got;

        if (is_muted())
                return call_failed(EAGAIN);
        for (int i = 0; i < n; ++i) {
                if (iov[i].iov_len == 0)
                        continue;
                /* What comes behind the first octets can fail or end only in the next call. */
                if (all > 0 && !(descriptor_events(fd) & POLLIN && descriptor_of(fd)->in.n > 0))
                        break;
                got = stream_read(fd, iov[i].iov_base, iov[i].iov_len);
                if (got < 0 && all > 0)
                        break;
                if (got <= 0)
                        return all > 0 ? all : got;
                all += got;
                if ((size_t)got < iov[i].iov_len)
                        break;
        }
        return all;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
        ssize_t all = 0, put;

        (void)flags;
        if (is_muted())
                return call_failed(EPIPE);
        for (size_t i = 0; i < message->msg_iovlen; ++i) {
                const struct iovec *iov = &message->msg_iov[i];

                put = stream_write(fd, iov->iov_base, iov->iov_len);
                if (put < 0)
                        return all > 0 ? all : put;
                all += put;
                if ((size_t)put < iov->iov_len)
                        break;
        }
        return all;
}

/* ---- the rest ------------------------------------------------------------------------------ */

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
        struct descriptor *d = is_muted() ? NULL : descriptor_of(fd);
        struct ucred peer = { .pid = 1, .uid = geteuid(), .gid = getegid() };

        if (!d || level != SOL_SOCKET)
                return call_failed(EINVAL);
        if (name == SO_ERROR && *n >= sizeof(d->error)) {
                memcpy(value, &d->error, sizeof(d->error));
                return 0;
        }
        if (name == SO_PEERCRED && *n >= sizeof(peer)) {
                if (d->peer >= 0)
                        peer.pid = 500 + (pid_t)machine->descriptors[d->peer - FD_FIRST]->owner;
                memcpy(value, &peer, sizeof(peer));
                return 0;
        }
        /* Groups of the peer, which a kernel need not tell. */
        return call_failed(ENOPROTOOPT);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
        (void)level;
        (void)name;
        (void)value;
        (void)n;
        return is_muted() || !descriptor_of(fd) ? call_failed(EBADF) : 0;
}

static int look_at(struct pollfd *fds, nfds_t n)
{
        int ready = 0;

        for (nfds_t i = 0; i < n; ++i) {
                fds[i].revents = (short)(descriptor_events(fds[i].fd) &
                                         (fds[i].events | POLLERR | POLLHUP | POLLNVAL));
                ready += fds[i].revents != 0;
        }
        return ready;
}

/* Who waits here lets all others go on. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
        uint64_t until = machine->now + (uint64_t)timeout * NSEC_PER_MSEC;
        int ready = look_at(fds, n);

        if (is_muted())
                return 0;
        while (ready == 0 && machine->now < until && !machine->failure.claim) {
                machine->pass(until);
                ready = look_at(fds, n);
        }
        return ready;
}

pid_t __wrap_getpid(void)
{
        return (pid_t)machine->running->pid;
}

ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags)
{
        unsigned char *at = bytes;

        (void)flags;
        for (size_t i = 0; i < n; ++i)
                at[i] = (unsigned char)random_u32(&machine->random);
        return (ssize_t)n;
}
