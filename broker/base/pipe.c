/*
 * pipe.c - octets on their way from one socket to another.
 */
#include "pipe.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "limits.h"

/* What is not done with comes to the front when that moves no more than it frees. */
void pipe_shift(struct pipe *p, size_t n)
{
        size_t left;

        assert(n <= pipe_n(p));
        p->at += n;
        left = pipe_n(p);
        if (left == 0) {
                /* An idle link keeps no buffers. */
                buffer_deinit(&p->bytes);
                p->at = 0;
        }
        if (left == 0 || p->at < left)
                return;
        memmove(p->bytes.at, p->bytes.at + p->at, left);
        p->bytes.n = left;
        p->at = 0;
}

bool pipe_has_room(const struct pipe *p)
{
        return pipe_n(p) < TCP_PIPE_MAX;
}

int pipe_read(struct pipe *p, int fd, size_t size)
{
        char *at = buffer_reserve(&p->bytes, size);
        ssize_t n;

        if (!at)
                return -ENOMEM;
        n = recv(fd, at, size, MSG_DONTWAIT);
        if (n > 0)
                p->bytes.n += (size_t)n;
        if (n < 0)
                return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
        return n > 0 ? 1 : -EPIPE;
}

int pipe_write(struct pipe *p, int fd)
{
        while (pipe_n(p) > 0) {
                struct span bytes = pipe_span(p);
                ssize_t n = send(fd, bytes.at, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
                pipe_shift(p, (size_t)n);
        }
        return 0;
}
