/*
 * stream.c - the client's side of a stream socket: whole writes, and a buffer of what was read.
 */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

#define PATIENCE_MS 5000

static struct stream *open_at(int family, const void *address, socklen_t n)
{
        struct timeval time = { .tv_usec = 100000 };
        struct stream *s = malloc(sizeof(*s));
        unsigned ms = 0;
        int on = 1;

        bench_check(s != NULL, "memory");
        s->at = s->n = 0;
        for (;; ms++) {
                s->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
                bench_check(s->fd >= 0, "socket");
                if (connect(s->fd, address, n) == 0)
                        break;
                close(s->fd);
                bench_check(ms < PATIENCE_MS, "the server listens");
                usleep(1000);
        }
        setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
        if (family == AF_INET)
                setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return s;
}

struct stream *stream_open_unix(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        return open_at(AF_UNIX, &address, sizeof(address));
}

struct stream *stream_open_tcp(unsigned port)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        return open_at(AF_INET, &address, sizeof(address));
}

void stream_close(struct stream *s)
{
        close(s->fd);
        free(s);
}

void stream_write(struct stream *s, const void *at, size_t n)
{
        const char *octets = at;

        while (n > 0) {
                ssize_t written = send(s->fd, octets, n, MSG_NOSIGNAL);

                bench_check(written > 0 || errno == EINTR, "the server takes what is written");
                if (written > 0) {
                        octets += written;
                        n -= (size_t)written;
                }
        }
}

bool stream_read(struct stream *s)
{
        ssize_t n;

        if (s->at > 0) {
                memmove(s->in, s->in + s->at, s->n - s->at);
                s->n -= s->at;
                s->at = 0;
        }
        n = recv(s->fd, s->in + s->n, STREAM_SIZE - s->n, 0);
        bench_check(n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)), "the server is there");
        if (n > 0)
                s->n += (size_t)n;
        return n > 0;
}
