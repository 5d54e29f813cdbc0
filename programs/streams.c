/*
 * streams.c - see streams.h.
 *
 * stdio forgets what a descriptor does not take at once. That is why the write function of these
 * streams returns only when all is written, or when there is an error, which is kept: stdio would
 * tell of it to one call, and that call may not be ours.
 */
#include "streams.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "visible.h"

#define OUT_SIZE 16384
#define ERR_SIZE 4096

struct stream {
        int fd;
        int error; /* the first */
};

volatile sig_atomic_t streams_ended;
static int end_fd = -1;
static struct stream out = { .fd = STDOUT_FILENO }, err = { .fd = STDERR_FILENO };

void streams_end_with(int fd)
{
        end_fd = fd;
}

/* 0 or -EINTR. Errors of the descriptor itself are left to write(). */
static int wait_for_room(int fd)
{
        for (;;) {
                struct pollfd fds[] = { { .fd = fd, .events = POLLOUT },
                                        { .fd = end_fd, .events = POLLIN } };
                int n = poll(fds, 2, streams_ended ? 0 : -1);

                if (n > 0 && fds[0].revents)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return 0;
                if (streams_ended || (n > 0 && fds[1].revents))
                        return -EINTR;
        }
}

/* Writes no more at once than a pipe that says it has room takes without waiting. */
static int stream_write_all(int fd, const char *at, size_t n)
{
        while (n > 0) {
                int r = wait_for_room(fd);
                ssize_t got;

                if (r < 0)
                        return r;
                got = write(fd, at, n < PIPE_BUF ? n : PIPE_BUF);
                if (got < 0 && errno != EAGAIN && errno != EINTR)
                        return -errno;
                if (got > 0) {
                        at += got;
                        n -= (size_t)got;
                }
        }
        return 0;
}

static ssize_t put_out(void *cookie, const char *at, size_t n)
{
        struct stream *s = cookie;

        if (!s->error)
                s->error = -stream_write_all(s->fd, at, n);
        errno = s->error;
        return s->error ? 0 : (ssize_t)n;
}

/* Lines are whole here, but for those that are longer than the buffer. */
static ssize_t put_err(void *cookie, const char *at, size_t n)
{
        struct stream *s = cookie;
        char visible[ERR_SIZE];
        size_t used = 0;
        int r = 0;

        for (size_t i = 0, next; i < n && r == 0; i += next) {
                size_t more = 1;

                /* There is room for one character more. */
                assert(used <= sizeof(visible) - VISIBLE_SIZE);
                next = 1;
                if (at[i] == '\n')
                        visible[used] = '\n';
                else
                        next = visible_next(at + i, n - i, visible + used, &more);
                used += more;
                if (used > sizeof(visible) - VISIBLE_SIZE || i + next == n) {
                        r = stream_write_all(s->fd, visible, used);
                        used = 0;
                }
        }
        /* Whoever has lost stderr cannot be told. */
        return (ssize_t)n;
}

static FILE *stream_make(struct stream *s, cookie_write_function_t *put, int mode, size_t size)
{
        FILE *file = fopencookie(s, "w", (cookie_io_functions_t){ .write = put });

        if (file)
                setvbuf(file, NULL, mode, size);
        return file;
}

void streams_begin(void)
{
        FILE *mine_out =
                stream_make(&out, put_out, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, OUT_SIZE);
        FILE *mine_err = stream_make(&err, put_err, _IOLBF, ERR_SIZE);

        /* Without memory for them the usual ones must do. */
        if (mine_out)
                stdout = mine_out;
        if (mine_err)
                stderr = mine_err;
}

int streams_error(void)
{
        return out.error;
}

bool streams_finish(const char *program)
{
        if (fflush(stdout) == EOF && !out.error)
                out.error = errno;
        if (!out.error || out.error == EPIPE || (out.error == EINTR && streams_ended))
                return true;
        fprintf(stderr, "%s: cannot write: %s\n", program, strerror(out.error));
        return false;
}
