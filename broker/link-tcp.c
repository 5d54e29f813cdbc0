/*
 * link-tcp.c - clients over TCP, which have proved that they have the key of the bus (spec/attach.md):
 * listening, and strangers.
 *
 * What a stranger can make us keep is one small struct for a few seconds, for few strangers at a time;
 * the oldest gives way to the newest.
 */
#include "link-tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "exit.h"
#include "sections.h"
#include "tcp-link.h"

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
        while ((l = oldest_stranger(t)) && l->deadline <= t->broker->now)
                tcp_link_reject(l, TCP_TOO_LATE);
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
                       l->deadline > now ? (l->deadline - now) / NSEC_PER_MSEC + 1 : 0, 0);
}

static void on_accept(uv_poll_t *poll, int status, int events)
{
        struct tcp *t = poll->data;

        (void)status;
        (void)events;
        broker_wake(t->broker);
        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                union tcp_place peer = { .any = { .sa_family = AF_UNSPEC } };
                socklen_t n = sizeof(peer);
                int fd = accept4(t->listener, &peer.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd >= 0 && tcp_link_new(t, fd, &peer) < 0)
                        close(fd);
                if (t->n_strangers > TCP_STRANGERS_MAX)
                        tcp_link_reject(oldest_stranger(t), TCP_TOO_MANY);
                if (fd >= 0 || errno == EINTR || errno == ECONNABORTED)
                        continue;
                if (errno == EAGAIN)
                        break;
                /* A stranger's, or a moment, will help. */
                tcp_log_no_descriptors(t, errno);
                uv_poll_stop(&t->poll);
                uv_timer_start(&t->timer, on_timer, ACCEPT_PAUSE_MS, 0);
                return;
        }
        set_timer(t);
}

/* ---- opening and closing ------------------------------------------------------------------- */

static int fail(const struct broker *b, int error)
{
        section_log_error(b->config_path, b->options.lines.tcp, "TCP",
                          "%s cannot be listened on: %s; write another place, or no",
                          b->options.tcp, strerror(error));
        return EXIT_NO_BUS;
}

static int listen_at(const union tcp_place *place, socklen_t n)
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
        union tcp_place place;
        socklen_t n;

        if (!text[0])
                return 0;
        b->tcp = malloc(sizeof(*b->tcp));
        if (!b->tcp)
                return EXIT_SYSTEM;
        *b->tcp = (struct tcp){ .broker = b, .listener = -1 };
        n = tcp_place_parse(text, &place);
        b->tcp->listener = n > 0 ? listen_at(&place, n) : -EINVAL;
        if (b->tcp->listener < 0)
                return fail(b, -b->tcp->listener);
        if (!tcp_place_is_loopback(&place) && !crypto_encrypts(b->bus.crypto))
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
        while (t->links)
                tcp_link_finish(t->links);
}

uint64_t link_tcp_n_rejected(const struct broker *b, enum tcp_rejection why)
{
        return b->tcp ? b->tcp->n_rejected[why] : 0;
}

/* ---- the last words ------------------------------------------------------------------------ */

void link_tcp_flush(struct broker *b)
{
        struct tcp_link *next;

        for (struct tcp_link *l = b->tcp ? b->tcp->links : NULL; l; l = next) {
                next = l->next;
                if (tcp_link_flush(l) < 0)
                        tcp_link_end(l, "it was closed");
        }
}

size_t link_tcp_n_links(const struct broker *b)
{
        size_t n = 0;

        for (const struct tcp_link *l = b->tcp ? b->tcp->links : NULL; l; l = l->next)
                n++;
        return n;
}

nfds_t link_tcp_gather(const struct broker *b, struct pollfd *fds, bool *ret_unsure)
{
        nfds_t n = 0;

        *ret_unsure = false;
        for (const struct tcp_link *l = b->tcp ? b->tcp->links : NULL; l; l = l->next) {
                if (pipe_n(&l->to_net) > 0)
                        fds[n++] = (struct pollfd){ .fd = l->net, .events = POLLOUT };
                else if (!tcp_link_is_sent(l))
                        *ret_unsure = true;
        }
        return n;
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
