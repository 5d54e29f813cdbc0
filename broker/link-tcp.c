/*
 * link-tcp.c - clients over TCP, which have proved that they have the key of the bus (spec/attach.md).
 *
 * A connection is a pair of sockets, one end of which is a link like any other: frames in the clear.
 * Here they are sealed and opened between its other end and the network (core/stream.h). The rest of
 * the broker knows nothing of TCP, the system tells the sender on either side to wait, and only who
 * has proved himself is a link.
 *
 * What a stranger can make us keep is one small struct for a few seconds, for few strangers at a time;
 * the oldest gives way to the newest.
 */
#include "link-tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <core/stream.h>

#include "broker.h"
#include "exit.h"
#include "link-local.h"

/* Octets on their way. */
struct pipe {
        struct buffer bytes;
        size_t at; /* those before are done with */
};

struct tcp_link {
        struct tcp *all;
        struct tcp_link *previous; /* younger first */
        struct tcp_link *next;
        uv_poll_t net_poll;
        uv_poll_t pair_poll;
        unsigned n_handles; /* that are not closed yet */
        int net;
        int pair; /* -1: it has not proved itself */
        struct deadline deadline;
        struct stream stream;
        struct pipe from_net;  /* sealed */
        struct pipe to_pair;   /* opened */
        struct pipe from_pair; /* to be sealed */
        struct pipe to_net;    /* sealed */
        char peer[TCP_PLACE_SIZE];
        bool ended;
};

struct tcp {
        struct broker *broker;
        int listener;
        uv_poll_t poll;
        uv_timer_t timer; /* of strangers, and of accepting when there are no descriptors */
        struct tcp_link *links;
        size_t n_strangers;
        struct log_cause forged;
};

/* ---- places -------------------------------------------------------------------------------- */

union place {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};

/* Fills @ret_place and returns its size; 0 if @text is no place. */
static socklen_t parse(const char *text, union place *ret_place)
{
        const char *colon = strrchr(text, ':');
        char host[TCP_PLACE_SIZE];
        uint64_t port;
        size_t n;

        if (!colon || !span_to_uint(span_of(colon + 1), UINT16_MAX, &port) || port == 0)
                return 0;
        n = (size_t)(colon - text);
        memcpy(host, text, n);
        host[n] = '\0';
        if (host[0] == '[' && host[n - 1] == ']') {
                host[n - 1] = '\0';
                ret_place->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                                       .sin6_port = htons((uint16_t)port) };
                return inet_pton(AF_INET6, host + 1, &ret_place->v6.sin6_addr) == 1
                               ? sizeof(ret_place->v6)
                               : 0;
        }
        ret_place->v4 =
                (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        return inet_pton(AF_INET, host, &ret_place->v4.sin_addr) == 1 ? sizeof(ret_place->v4) : 0;
}

bool link_tcp_parse(struct span text, char ret_text[static TCP_PLACE_SIZE])
{
        union place place;

        if (text.n >= TCP_PLACE_SIZE)
                return false;
        if (span_equal_nocase(text, "no"))
                text.n = 0;
        if (text.n > 0)
                memcpy(ret_text, text.at, text.n);
        ret_text[text.n] = '\0';
        return text.n == 0 || parse(ret_text, &place) > 0;
}

static bool is_loopback(const union place *place)
{
        if (place->any.sa_family == AF_INET)
                return ntohl(place->v4.sin_addr.s_addr) >> 24 == 127;
        return IN6_IS_ADDR_LOOPBACK(&place->v6.sin6_addr);
}

static void format_place(const union place *place, char ret_text[static TCP_PLACE_SIZE])
{
        char host[INET6_ADDRSTRLEN] = "?";

        if (place->any.sa_family == AF_INET) {
                inet_ntop(AF_INET, &place->v4.sin_addr, host, sizeof(host));
                snprintf(ret_text, TCP_PLACE_SIZE, "%s:%u", host, ntohs(place->v4.sin_port));
        } else {
                inet_ntop(AF_INET6, &place->v6.sin6_addr, host, sizeof(host));
                snprintf(ret_text, TCP_PLACE_SIZE, "[%s]:%u", host, ntohs(place->v6.sin6_port));
        }
}

/* ---- pipes --------------------------------------------------------------------------------- */

static size_t pipe_n(const struct pipe *p)
{
        return p->bytes.n - p->at;
}

static struct span pipe_span(const struct pipe *p)
{
        return span_from(buffer_span(&p->bytes), p->at);
}

/* What is done with goes; what is not comes to the front when that moves no more than it frees. */
static void pipe_shift(struct pipe *p, size_t n)
{
        size_t left;

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

static bool has_room(const struct pipe *p)
{
        return pipe_n(p) < TCP_PIPE_MAX;
}

/* Reads once, @size octets at most. 1: something came; 0: nothing is there; -errno, -EPIPE for the
 * end. */
static int pipe_read(struct pipe *p, int fd, size_t size)
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

/* 0, with something left if the socket takes no more, or -errno. */
static int pipe_write(struct pipe *p, int fd)
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

/* ---- links end ----------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
        struct tcp_link *l = handle->data;

        if (--l->n_handles > 0)
                return;
        stream_deinit(&l->stream);
        buffer_deinit(&l->from_net.bytes);
        buffer_deinit(&l->to_pair.bytes);
        buffer_deinit(&l->from_pair.bytes);
        buffer_deinit(&l->to_net.bytes);
        free(l);
}

/* The descriptors are closed now, the struct when the loop is done with it. */
static void end(struct tcp_link *l, const char *why)
{
        if (l->ended)
                return;
        l->ended = true;
        log_debug("TCP link from %s ends: %s", l->peer, why);
        *(l->previous ? &l->previous->next : &l->all->links) = l->next;
        if (l->next)
                l->next->previous = l->previous;
        uv_poll_stop(&l->net_poll);
        uv_close((uv_handle_t *)&l->net_poll, on_closed);
        close(l->net);
        if (l->pair < 0) {
                l->all->n_strangers--;
                return;
        }
        uv_poll_stop(&l->pair_poll);
        uv_close((uv_handle_t *)&l->pair_poll, on_closed);
        close(l->pair);
}

/* ---- to and fro ---------------------------------------------------------------------------- */

static void update_polls(struct tcp_link *l);

static void on_pair(uv_poll_t *poll, int status, int events);

/* It has proved itself: it becomes a link. */
static int adopt(struct tcp_link *l)
{
        struct broker *b = l->all->broker;
        int fds[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -errno;
        r = uv_poll_init(&b->loop, &l->pair_poll, fds[0]);
        if (r < 0) {
                close(fds[0]);
                close(fds[1]);
                return r;
        }
        l->pair_poll.data = l;
        l->n_handles++;
        l->pair = fds[0];
        l->all->n_strangers--;
        /* Refused, it has got a message that says so; that, and then the end, comes through. */
        if (link_local_adopt(b, fds[1]) < 0)
                close(fds[1]);
        log_debug("TCP link from %s", l->peer);
        return 0;
}

static void log_forged(struct tcp_link *l, enum stream_status status)
{
        uint64_t n_silent;

        if (log_cause_is_due(&l->all->forged, l->all->broker->now, &n_silent))
                log_warning("TCP link from %s is closed: %s (%" PRIu64 " more before)", l->peer,
                            status == STREAM_FORGED ? "it does not have the key of the bus"
                                                    : "it does not speak our protocol",
                            n_silent);
}

/* Opens what came from the network. 0 or -errno. */
static int open_frames(struct tcp_link *l)
{
        char head[FRAME_HEADER_SIZE];
        struct span text;
        bool observed;
        size_t n;
        int r = 0;

        while (r == 0) {
                enum stream_status status = stream_take(&l->stream, pipe_span(&l->from_net), &text,
                                                        &observed, &n, &l->to_net.bytes);

                switch (status) {
                case STREAM_PARTIAL:
                        return l->to_pair.bytes.failed || l->to_net.bytes.failed ? -ENOMEM : 0;
                case STREAM_TEXT:
                        frame_put_length(head, text.n, false);
                        buffer_add(&l->to_pair.bytes, head, sizeof(head));
                        buffer_add_span(&l->to_pair.bytes, text);
                        break;
                case STREAM_DONE:
                        if (l->stream.state == STREAM_OPEN && l->pair < 0)
                                r = adopt(l);
                        break;
                case STREAM_STRANGE:
                case STREAM_FORGED:
                        log_forged(l, status);
                        return -EPROTO;
                }
                pipe_shift(&l->from_net, n);
        }
        return r;
}

/* Seals what came from the link. 0 or -errno. */
static int seal_frames(struct tcp_link *l)
{
        struct span text;
        bool observed;
        size_t n;

        while (frame_next(pipe_span(&l->from_pair), &text, &observed, &n) == FRAME_OK) {
                stream_put(&l->stream, text, observed, &l->to_net.bytes);
                pipe_shift(&l->from_pair, n);
        }
        return l->to_net.bytes.failed ? -ENOMEM : 0;
}

static int move_in(struct tcp_link *l)
{
        int r = pipe_read(&l->from_net, l->net, l->pair < 0 ? STREAM_HELLO_MAX : TCP_READ_SIZE);

        if (r > 0)
                r = open_frames(l);
        /* The last words count, even if the link ends with them. */
        if (l->pair >= 0 && pipe_write(&l->to_pair, l->pair) < 0 && r == 0)
                r = -EPIPE;
        return r;
}

static int move_out(struct tcp_link *l)
{
        int r = pipe_read(&l->from_pair, l->pair, TCP_READ_SIZE);
        int sealed = seal_frames(l);

        if (pipe_write(&l->to_net, l->net) < 0 && r >= 0)
                r = -EPIPE;
        return r < 0 ? r : sealed;
}

static void on_net(uv_poll_t *poll, int status, int events)
{
        struct tcp_link *l = poll->data;
        int r = status < 0 ? -EPIPE : 0;

        broker_wake(l->all->broker);
        if (r == 0 && (events & UV_READABLE))
                r = move_in(l);
        if (r == 0)
                r = pipe_write(&l->to_net, l->net);
        if (r < 0)
                end(l, r == -EPIPE ? "it was closed" : strerror(-r));
        else
                update_polls(l);
}

static void on_pair(uv_poll_t *poll, int status, int events)
{
        struct tcp_link *l = poll->data;
        int r = 0;

        (void)status;
        broker_wake(l->all->broker);
        if (events & UV_WRITABLE)
                r = pipe_write(&l->to_pair, l->pair);
        if (r == 0 && ((events & UV_READABLE) || status < 0))
                r = move_out(l);
        if (r < 0)
                end(l, r == -EPIPE ? "the broker closed it" : strerror(-r));
        else
                update_polls(l);
}

/* Each side is read while the other one takes it. */
static void update_polls(struct tcp_link *l)
{
        int net = (has_room(&l->to_pair) ? UV_READABLE : 0) |
                  (pipe_n(&l->to_net) > 0 ? UV_WRITABLE : 0);
        int pair = (has_room(&l->to_net) ? UV_READABLE : 0) |
                   (pipe_n(&l->to_pair) > 0 ? UV_WRITABLE : 0);

        uv_poll_start(&l->net_poll, net ? net : UV_DISCONNECT, on_net);
        if (l->pair >= 0)
                uv_poll_start(&l->pair_poll, pair ? pair : UV_DISCONNECT, on_pair);
}

/* ---- strangers ----------------------------------------------------------------------------- */

static struct tcp_link *oldest_stranger(const struct tcp *t)
{
        struct tcp_link *oldest = NULL;

        for (struct tcp_link *l = t->links; l; l = l->next)
                if (l->pair < 0)
                        oldest = l;
        return oldest;
}

static void on_accept(uv_poll_t *poll, int status, int events);

static void set_timer(struct tcp *t);

static void on_timer(uv_timer_t *timer)
{
        struct tcp *t = timer->data;
        struct tcp_link *l;

        broker_wake(t->broker);
        while ((l = oldest_stranger(t)) && l->deadline.at <= t->broker->now)
                end(l, "it has not proved itself in time");
        uv_poll_start(&t->poll, UV_READABLE, on_accept);
        set_timer(t);
}

static void set_timer(struct tcp *t)
{
        const struct tcp_link *l = oldest_stranger(t);
        uint64_t now = t->broker->now;

        if (!l)
                return;
        uv_update_time(&t->broker->loop);
        uv_timer_start(&t->timer, on_timer,
                       l->deadline.at > now ? (l->deadline.at - now) / NSEC_PER_MSEC + 1 : 0, 0);
}

static void set_options(int fd)
{
        int one = 1, idle = TCP_IDLE_S, interval = TCP_INTERVAL_S, count = TCP_PROBES;
        unsigned timeout = (TCP_IDLE_S + TCP_INTERVAL_S * TCP_PROBES) * 1000;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static int init_stream(struct tcp_link *l)
{
        uint8_t nonce[STREAM_NONCE_SIZE];

        if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
                return -EIO;
        return stream_init(&l->stream, l->all->broker->bus.crypto, true, nonce);
}

static int link_new(struct tcp *t, int fd, const union place *peer)
{
        struct broker *b = t->broker;
        struct tcp_link *l = malloc(sizeof(*l));

        if (!l)
                return -ENOMEM;
        *l = (struct tcp_link){ .all = t, .next = t->links, .net = fd, .pair = -1, .n_handles = 1 };
        l->deadline.at = b->now + TCP_PROOF_MS * NSEC_PER_MSEC;
        format_place(peer, l->peer);
        if (init_stream(l) < 0 || uv_poll_init(&b->loop, &l->net_poll, fd) < 0) {
                stream_deinit(&l->stream);
                free(l);
                return -ENOMEM;
        }
        l->net_poll.data = l;
        if (t->links)
                t->links->previous = l;
        t->links = l;
        if (++t->n_strangers > TCP_STRANGERS_MAX)
                end(oldest_stranger(t), "newer ones came before it proved itself");
        set_options(fd);
        stream_begin(&l->stream, &l->to_net.bytes);
        if (pipe_write(&l->to_net, fd) < 0)
                end(l, "it was closed");
        else
                update_polls(l);
        return 0;
}

static void on_accept(uv_poll_t *poll, int status, int events)
{
        struct tcp *t = poll->data;

        (void)status;
        (void)events;
        broker_wake(t->broker);
        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                union place peer = { .any = { .sa_family = AF_UNSPEC } };
                socklen_t n = sizeof(peer);
                int fd = accept4(t->listener, &peer.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd >= 0 && link_new(t, fd, &peer) < 0)
                        close(fd);
                if (fd >= 0 || errno == EINTR || errno == ECONNABORTED)
                        continue;
                if (errno == EAGAIN)
                        break;
                /* There are no descriptors; a stranger's, or a moment, will help. */
                uv_poll_stop(&t->poll);
                uv_timer_start(&t->timer, on_timer, ACCEPT_PAUSE_MS, 0);
                return;
        }
        set_timer(t);
}

/* ---- opening and closing ------------------------------------------------------------------- */

static int fail(const char *place, int error)
{
        log_error("TCP=%s: it cannot be listened on: %s", place, strerror(error));
        return EXIT_NO_BUS;
}

static int listen_at(const union place *place, socklen_t n)
{
        int fd = socket(place->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int one = 1, error;

        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (place->any.sa_family == AF_INET6)
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
        if (bind(fd, &place->any, n) == 0 && listen(fd, SOMAXCONN) == 0)
                return fd;
        error = errno;
        close(fd);
        return -error;
}

int link_tcp_open(struct broker *b)
{
        const char *text = b->options.tcp;
        union place place;
        socklen_t n;

        if (!text[0])
                return 0;
        b->tcp = malloc(sizeof(*b->tcp));
        if (!b->tcp)
                return EXIT_SYSTEM;
        *b->tcp = (struct tcp){ .broker = b, .listener = -1 };
        n = parse(text, &place);
        b->tcp->listener = n > 0 ? listen_at(&place, n) : -EINVAL;
        if (b->tcp->listener < 0)
                return fail(text, -b->tcp->listener);
        if (!is_loopback(&place) && !crypto_encrypts(b->bus.crypto))
                log_warning("TCP=%s: who is on the way can read everything, since the bus does not "
                            "encrypt; to change it write another ENCRYPTIONKEY",
                            text);
        log_info("TCP clients are taken on %s", text);
        return 0;
}

int link_tcp_start(struct broker *b)
{
        struct tcp *t = b->tcp;
        int r;

        if (!t)
                return 0;
        r = uv_timer_init(&b->loop, &t->timer);
        if (r == 0)
                r = uv_poll_init(&b->loop, &t->poll, t->listener);
        t->poll.data = t->timer.data = t;
        return r ? r : uv_poll_start(&t->poll, UV_READABLE, on_accept);
}

void link_tcp_stop(struct broker *b)
{
        struct tcp *t = b->tcp;

        if (!t)
                return;
        uv_poll_stop(&t->poll);
        uv_timer_stop(&t->timer);
        while (t->links) {
                struct tcp_link *l = t->links;

                while (l->pair >= 0 && pipe_read(&l->from_pair, l->pair, TCP_READ_SIZE) > 0 &&
                       seal_frames(l) == 0 && pipe_write(&l->to_net, l->net) == 0 &&
                       pipe_n(&l->to_net) == 0)
                        ;
                end(l, "the broker ends");
        }
}

void link_tcp_close(struct broker *b)
{
        if (!b->tcp)
                return;
        if (b->tcp->listener >= 0)
                close(b->tcp->listener);
        free(b->tcp);
        b->tcp = NULL;
}
