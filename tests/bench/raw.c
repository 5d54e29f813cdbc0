/*
 * raw.c - a client of the broker that is a socket and an address and nothing else.
 */
#include "raw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "core/frame.h"
#include "server.h"

void raw_open(struct raw *c, const char *path, size_t size)
{
        *c = (struct raw){ .fd = server_connect(path), .size = size, .in = malloc(size) };
        bench_check(c->in != NULL, "memory");
}

void raw_close(struct raw *c)
{
        close(c->fd);
        free(c->in);
}

void raw_send(struct raw *c, char type, const char *from, const char *to, const char *payload)
{
        char frame[1024];
        int n = snprintf(frame + FRAME_HEADER_SIZE, sizeof(frame) - FRAME_HEADER_SIZE,
                         "mbus/1.0 %u 1700000000000 %c %s %s ()\r\n%s", c->seq++, type, from, to,
                         payload);

        bench_check(n > 0 && (size_t)n < sizeof(frame) - FRAME_HEADER_SIZE, "a frame that fits");
        frame_put_length(frame, (size_t)n, false);
        bench_check(send(c->fd, frame, FRAME_HEADER_SIZE + (size_t)n, MSG_NOSIGNAL) ==
                            (ssize_t)FRAME_HEADER_SIZE + n,
                    "the broker takes a frame");
}

void raw_attach(struct raw *c, const char *address)
{
        raw_send(c, 'R', address, "(app:mbus-broker)", "broker.attach(1)");
}

bool raw_read(struct raw *c)
{
        ssize_t n = recv(c->fd, c->in + c->n, c->size - c->n, MSG_DONTWAIT);

        if (n > 0)
                c->n += (size_t)n;
        return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void note_address(struct raw *c, struct span text)
{
        static const char begin[] = "broker.attached(";
        const char *at = memmem(text.at, text.n, begin, sizeof(begin) - 1), *end;

        if (!at)
                return;
        at = memchr(at, '"', (size_t)(text.at + text.n - at));
        end = at ? memchr(at + 1, '"', (size_t)(text.at + text.n - at - 1)) : NULL;
        bench_check(end && end - at < (ptrdiff_t)sizeof(c->address), "an address in the answer");
        memcpy(c->address, at + 1, (size_t)(end - at - 1));
        c->address[end - at - 1] = '\0';
}

bool raw_take(struct raw *c, size_t *cursor, struct span *ret_text)
{
        bool observed;
        size_t n;

        if (frame_next((struct span){ c->in + *cursor, c->n - *cursor }, ret_text, &observed, &n) !=
            FRAME_OK)
                return false;
        *cursor += n;
        if (!c->address[0])
                note_address(c, *ret_text);
        return true;
}

void raw_drop(struct raw *c, size_t cursor)
{
        memmove(c->in, c->in + cursor, c->n - cursor);
        c->n -= cursor;
}
