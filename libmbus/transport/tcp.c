/*
 * tcp.c - a link to a broker over TCP: connecting without waiting, proving, sealing and opening.
 *
 * Names are looked up when a bus is opened, or asked to: that waits for a server that nobody
 * bounds, and so nothing else does it. A connection that has not proved itself is not a link yet,
 * so the rest of link mode sees it down.
 */
#include "tcp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <core/stream.h>
#include <io/clock.h>
#include <io/descriptor.h>
#include <io/entropy.h>

/* How long a connection may take until both sides have proved themselves. */
#define CONNECT_MS 3000
/* So much is sealed at once. */
#define SEAL_MAX (64u << 10)
/* Who was unplugged is gone after 25 s. */
#define IDLE_S 10
#define INTERVAL_S 5
#define PROBES 3

struct link_tcp {
        struct crypto *crypto;
        struct tcp_name name;
        struct tcp_addresses addresses;
        size_t next_address;
        int fd; /* while connecting, else -1 */
        bool connected;
        uint64_t deadline;
        bool begun; /* the stream is initialised */
        struct stream stream;
        struct buffer in;  /* sealed, not opened yet */
        struct buffer out; /* sealed, not sent yet */
        size_t out_at;
};

/* ---- addresses ----------------------------------------------------------------------------- */

int link_tcp_resolve(struct link_tcp *t, char ret_error[static 256])
{
        const char *why = "";
        int r = tcp_name_resolve(&t->name, &t->addresses, &why);

        if (r > 0)
                snprintf(ret_error, 256, "%.120s cannot be looked up: %.80s; is it written right?",
                         t->name.host, why);
        if (r == 0)
                t->next_address = 0;
        return r > 0 ? MBUS_E_NO_BUS : r;
}

int link_tcp_new(const char *name, const struct config *config, struct link_tcp **ret_tcp,
                 char ret_error[static 256])
{
        struct link_tcp *t = malloc(sizeof(*t));
        int r;

        if (!t)
                return -ENOMEM;
        *t = (struct link_tcp){ .fd = -1, .in = BUFFER_INIT, .out = BUFFER_INIT };
        if (!tcp_name_parse(span_of(name), &t->name)) {
                strcpy(ret_error, "write tcp:HOST:PORT, HOST a name, an IPv4 address, or an IPv6 "
                                  "address in brackets, as [fe80::1%eth0]");
                link_tcp_free(t);
                return MBUS_E_CONFIG;
        }
        r = crypto_new(config, &t->crypto);
        if (r > 0)
                strcpy(ret_error, "libgcrypt cannot do what the configuration asks for");
        if (r == 0)
                r = link_tcp_resolve(t, ret_error);
        if (r) {
                link_tcp_free(t);
                return r;
        }
        *ret_tcp = t;
        return 0;
}

/* ---- connecting ---------------------------------------------------------------------------- */

static void tcp_forget(struct link_tcp *t)
{
        if (t->begun)
                stream_deinit(&t->stream);
        t->begun = false;
        buffer_deinit(&t->in);
        buffer_deinit(&t->out);
        t->out_at = 0;
}

static int tcp_give_up(struct link_tcp *t, int error)
{
        if (t->fd >= 0)
                close(t->fd);
        t->fd = -1;
        tcp_forget(t);
        return error;
}

struct link_tcp *link_tcp_free(struct link_tcp *t)
{
        if (!t)
                return NULL;
        tcp_give_up(t, 0);
        crypto_free(t->crypto);
        free(t);
        return NULL;
}

static void tcp_set_options(int fd)
{
        int one = 1, idle = IDLE_S, interval = INTERVAL_S, count = PROBES;
        unsigned timeout = (IDLE_S + INTERVAL_S * PROBES) * 1000;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static int tcp_begin(struct link_tcp *t)
{
        const union socket_address *address = link_tcp_get_address(t);
        uint8_t nonce[STREAM_NONCE_SIZE];
        int r;

        tcp_forget(t);
        t->connected = false;
        r = entropy_fill(nonce, sizeof(nonce));
        if (r < 0)
                return r;
        r = stream_init(&t->stream, t->crypto, false, nonce);
        if (r < 0)
                return r;
        t->begun = true;
        t->fd = descriptor_apart(
                socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (t->fd < 0)
                return -errno;
        tcp_set_options(t->fd);
        t->deadline = clock_now() + CONNECT_MS * NSEC_PER_MSEC;
        if (connect(t->fd, &address->any, socket_address_size(address)) < 0 && errno != EINPROGRESS)
                return -errno;
        return 0;
}

/* 0, MBUS_E_NOT_READY or -errno. */
static int tcp_check_connected(struct link_tcp *t)
{
        struct pollfd fd = { .fd = t->fd, .events = POLLOUT };
        socklen_t n = sizeof(int);
        int error = 0;

        if (t->connected)
                return 0;
        if (poll(&fd, 1, 0) <= 0)
                return MBUS_E_NOT_READY;
        if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
                return -errno;
        t->connected = error == 0;
        return -error;
}

/* Reads what the greeting takes, and no octet more: what follows is for link_tcp_recv(). */
static int tcp_greet(struct link_tcp *t)
{
        struct span text;
        bool observed;
        size_t n;

        while (t->stream.state != STREAM_OPEN) {
                char *at;
                ssize_t got;

                switch (stream_take(&t->stream, buffer_span(&t->in), &text, &observed, &n,
                                    &t->out)) {
                case STREAM_DONE:
                        memmove(t->in.at, t->in.at + n, t->in.n - n);
                        t->in.n -= n;
                        continue;
                case STREAM_PARTIAL:
                        break;
                default:
                        return -EPROTO;
                }
                if (link_tcp_send(t, t->fd, SPAN_NULL) < 0 && errno != EAGAIN)
                        return -errno;
                at = buffer_reserve(&t->in, STREAM_HELLO_MAX);
                if (!at || t->out.failed)
                        return -ENOMEM;
                got = recv(t->fd, at, STREAM_HELLO_MAX, MSG_DONTWAIT);
                if (got <= 0)
                        return got == 0                            ? -EPIPE
                               : errno == EAGAIN || errno == EINTR ? MBUS_E_NOT_READY
                                                                   : -errno;
                t->in.n += (size_t)got;
        }
        return 0;
}

int link_tcp_connect(struct link_tcp *t, int *ret_fd)
{
        int r = t->fd < 0 ? tcp_begin(t) : 0;

        if (r == 0)
                r = tcp_check_connected(t);
        if (r == 0)
                r = tcp_greet(t);
        if (r == MBUS_E_NOT_READY && clock_now() >= t->deadline)
                r = -ETIMEDOUT;
        if (r < 0) {
                t->next_address++;
                return tcp_give_up(t, r == -ECONNRESET && t->connected ? -EPIPE : r);
        }
        /* When the link is lost, this one is tried first. */
        if (r == 0) {
                *ret_fd = t->fd;
                t->fd = -1;
        }
        return r;
}

bool link_tcp_is_connecting(const struct link_tcp *t)
{
        return t->fd >= 0;
}

bool link_tcp_was_connected(const struct link_tcp *t)
{
        return t->connected;
}

size_t link_tcp_n_addresses(const struct link_tcp *t)
{
        return t->addresses.n;
}

const union socket_address *link_tcp_get_address(const struct link_tcp *t)
{
        assert(t->addresses.n > 0);
        return &t->addresses.at[t->next_address % t->addresses.n];
}

uint64_t link_tcp_deadline(const struct link_tcp *t)
{
        return t->deadline;
}

size_t link_tcp_get_pollfds(const struct link_tcp *t, struct pollfd *ret_fd)
{
        if (t->fd < 0)
                return 0;
        *ret_fd = (struct pollfd){ .fd = t->fd, .events = t->connected ? POLLIN : POLLOUT };
        if (link_tcp_n_waiting(t) > 0)
                ret_fd->events |= POLLOUT;
        return 1;
}

/* ---- frames -------------------------------------------------------------------------------- */

static ssize_t tcp_fail(int error)
{
        errno = error;
        return -1;
}

/* Opens what is there of @in into @at, which has room for it. How many octets, or -1. */
static ssize_t tcp_open_frames(struct link_tcp *t, char *at)
{
        size_t taken = 0, given = 0, n;
        struct span text;
        bool observed;

        for (;;) {
                switch (stream_take(&t->stream, span_from(buffer_span(&t->in), taken), &text,
                                    &observed, &n, NULL)) {
                case STREAM_TEXT:
                        frame_put_length(at + given, text.n, observed);
                        memcpy(at + given + FRAME_HEADER_SIZE, text.at, text.n);
                        given += FRAME_HEADER_SIZE + text.n;
                        taken += n;
                        continue;
                case STREAM_PARTIAL:
                        break;
                default:
                        return tcp_fail(EPROTO);
                }
                if (taken > 0)
                        memmove(t->in.at, t->in.at + taken, t->in.n - taken);
                t->in.n -= taken;
                return (ssize_t)given;
        }
}

/* A frame is smaller when it is open, so as much may be read as fits. */
ssize_t link_tcp_recv(struct link_tcp *t, int fd, char *at, size_t n)
{
        bool waits = t->in.n > 0;
        ssize_t got, given;
        char *end;

        /* No more than a part of one frame was left closed. */
        assert(t->stream.state == STREAM_OPEN && t->in.n < n);
        end = buffer_reserve(&t->in, n - t->in.n);
        if (!end)
                return tcp_fail(ENOMEM);
        got = recv(fd, end, n - t->in.n, MSG_DONTWAIT);
        /* What came with the end of the greeting may be all there is. */
        if (got < 0 && (errno != EAGAIN || !waits))
                return -1;
        if (got == 0)
                return 0;
        if (got > 0)
                t->in.n += (size_t)got;
        given = tcp_open_frames(t, at);
        return given == 0 ? tcp_fail(EAGAIN) : given;
}

/* 0: all is sent, or -1. */
static int tcp_flush(struct link_tcp *t, int fd)
{
        assert(t->out_at <= t->out.n);
        while (t->out_at < t->out.n) {
                ssize_t n = send(fd, t->out.at + t->out_at, t->out.n - t->out_at,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno != EINTR)
                        return -1;
                if (n > 0)
                        t->out_at += (size_t)n;
        }
        buffer_clear(&t->out);
        t->out_at = 0;
        return 0;
}

ssize_t link_tcp_send(struct link_tcp *t, int fd, struct span frames)
{
        size_t taken = 0, n;
        struct span text;
        bool observed;

        if (tcp_flush(t, fd) < 0)
                return -1;
        while (t->out.n < SEAL_MAX &&
               frame_next(span_from(frames, taken), &text, &observed, &n) == FRAME_OK) {
                stream_put(&t->stream, text, observed, &t->out);
                taken += n;
        }
        if (t->out.failed)
                return tcp_fail(ENOMEM);
        if (tcp_flush(t, fd) < 0 && errno != EAGAIN)
                return -1;
        return (ssize_t)taken;
}

size_t link_tcp_n_waiting(const struct link_tcp *t)
{
        return t->out.n - t->out_at;
}
