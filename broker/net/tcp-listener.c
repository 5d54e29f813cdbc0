/*
 * tcp-listener.c - clients over TCP, which have proved that they have the key of the bus
 * (spec/attach.md): listening, and strangers.
 *
 * What a stranger can make us keep is one small struct for a few seconds, for few strangers at a
 * time; the oldest gives way to the newest.
 */
#include "tcp-listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* 0 or an error of libuv. */
static int accept_all(struct tcp *t)
{
        int r = 0;

        for (unsigned i = 0; i < t->n_listeners && r == 0; i++)
                r = uv_poll_start(&t->listeners[i].poll, UV_READABLE, on_accept);
        return r;
}

static void accept_none(struct tcp *t)
{
        for (unsigned i = 0; i < t->n_listeners; i++)
                uv_poll_stop(&t->listeners[i].poll);
}

static void set_timer(struct tcp *t);

static void on_timer(uv_timer_t *timer)
{
        struct tcp *t = timer->data;
        struct tcp_link *l;

        iteration_wake(t->connections->it);
        while ((l = oldest_stranger(t)) && l->deadline <= t->connections->it->now)
                tcp_link_reject(l, TCP_TOO_LATE);
        accept_all(t);
        set_timer(t);
}

static void set_timer(struct tcp *t)
{
        const struct tcp_link *l = oldest_stranger(t);
        uint64_t now = t->connections->it->now;

        if (!l)
                return;
        uv_update_time(&t->connections->it->loop);
        uv_timer_start(&t->timer, on_timer,
                       l->deadline > now ? (l->deadline - now) / NSEC_PER_MSEC + 1 : 0, 0);
}

static void on_accept(uv_poll_t *poll, int status, int events)
{
        const struct tcp_listener *listener = poll->data;
        struct tcp *t = listener->all;

        (void)status;
        (void)events;
        iteration_wake(t->connections->it);
        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                union socket_address peer = { .any = { .sa_family = AF_UNSPEC } };
                socklen_t n = sizeof(peer);
                int fd = accept4(listener->fd, &peer.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

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
                accept_none(t);
                uv_timer_start(&t->timer, on_timer, ACCEPT_PAUSE_MS, 0);
                return;
        }
        set_timer(t);
}

/* ---- opening and closing ------------------------------------------------------------------- */

static int fail(const struct tcp *t, const struct tcp_listen_address *at, const char *address,
                const char *why)
{
        bool other = address[0] && strcmp(address, at->text) != 0;

        log_error_at(t->config_path, at->line, "TCP",
                     "%.100s%s%s%s cannot be listened on: %s; write another place, or no", at->text,
                     other ? " (" : "", other ? address : "", other ? ")" : "", why);
        return EXIT_NO_BUS;
}

/* The descriptor or -errno. The IPv6 address of all is for IPv4, too. */
static int listen_at(const union socket_address *a)
{
        int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int one = 1, only, error;

        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (a->any.sa_family == AF_INET6) {
                only = !IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
        }
        if (bind(fd, &a->any, socket_address_size(a)) == 0 && listen(fd, SOMAXCONN) == 0)
                return fd;
        error = errno;
        close(fd);
        return -error;
}

/* Of the addresses of a name some may not be had on this host. */
static bool is_elsewhere(int error)
{
        return error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

/* "*" was not to be had: if the host has no IPv6, it is all of IPv4. */
static int listen_at_all(const union socket_address *a, int error)
{
        union socket_address v4;

        if (!is_elsewhere(error) || !socket_address_parse("0.0.0.0", socket_address_port(a), &v4))
                return error;
        return listen_at(&v4);
}

/* @spare: others of the name are there. */
static int add_listener(struct tcp *t, const struct tcp_listen_address *at,
                        const union socket_address *a, bool spare)
{
        char text[TCP_ADDRESS_TEXT_SIZE];
        int fd;

        tcp_address_format(a, text);
        if (t->n_listeners == TCP_LISTENERS_MAX)
                return fail(t, at, text, "there are TCP_LISTENERS_MAX addresses already");
        fd = listen_at(a);
        if (fd < 0 && at->text[0] == '*')
                fd = listen_at_all(a, fd);
        if (fd < 0 && spare && is_elsewhere(fd)) {
                log_warning("TCP=%s: not on %s: %s", at->text, text, strerror(-fd));
                return 0;
        }
        if (fd < 0)
                return fail(t, at, text, strerror(-fd));
        t->listeners[t->n_listeners++] = (struct tcp_listener){ .all = t, .fd = fd };
        if (!tcp_address_is_loopback(a) && !crypto_encrypts(t->crypto))
                log_warning("TCP=%s: who is on the way can read everything, since the bus does not "
                            "encrypt; to change it write another ENCRYPTIONKEY",
                            at->text);
        log_info("TCP clients are taken on %s", text);
        return 0;
}

/* Of a name all addresses count. */
static int add_address(struct tcp *t, const struct tcp_listen_address *at)
{
        unsigned before = t->n_listeners;
        struct tcp_addresses found;
        const char *why = "";
        int r = tcp_listen_address_find(at->text, &found, &why);

        if (r)
                return fail(t, at, "", r > 0 ? why : strerror(-r));
        for (size_t i = 0; i < found.n && r == 0; i++)
                r = add_listener(t, at, &found.at[i], t->n_listeners > before || i + 1 < found.n);
        return r;
}

int tcp_open(struct tcp *t, struct connections *connections, struct crypto *crypto,
             const struct tcp_listen_addresses *addresses, const char *config_path)
{
        int r = 0;

        *t = (struct tcp){ .crypto = crypto, .addresses = addresses, .config_path = config_path };
        if (addresses->n > 0)
                t->connections = connections;
        for (unsigned i = 0; i < addresses->n && r == 0; i++)
                r = add_address(t, &addresses->of[i]);
        return r;
}

int tcp_start(struct tcp *t)
{
        uv_loop_t *loop = t->connections ? &t->connections->it->loop : NULL;
        int r;

        if (!loop)
                return 0;
        r = uv_timer_init(loop, &t->timer);
        t->timer.data = t;
        for (unsigned i = 0; i < t->n_listeners && r == 0; i++) {
                r = uv_poll_init(loop, &t->listeners[i].poll, t->listeners[i].fd);
                t->listeners[i].poll.data = &t->listeners[i];
        }
        return r ? r : accept_all(t);
}

void tcp_stop(struct tcp *t)
{
        if (!t->connections)
                return;
        accept_none(t);
        uv_timer_stop(&t->timer);
        while (t->links)
                tcp_link_finish(t->links);
}

uint64_t tcp_n_rejected(const struct tcp *t, enum tcp_rejection why)
{
        return t->n_rejected[why];
}

/* ---- the last words ------------------------------------------------------------------------ */

void tcp_flush(struct tcp *t)
{
        struct tcp_link *next;

        for (struct tcp_link *l = t->links; l; l = next) {
                next = l->next;
                if (tcp_link_flush(l) < 0)
                        tcp_link_end(l, "it was closed");
        }
}

size_t tcp_n_links(const struct tcp *t)
{
        size_t n = 0;

        for (const struct tcp_link *l = t->links; l; l = l->next)
                n++;
        return n;
}

nfds_t tcp_gather(const struct tcp *t, struct pollfd *fds, bool *ret_unsure)
{
        nfds_t n = 0;

        *ret_unsure = false;
        for (const struct tcp_link *l = t->links; l; l = l->next) {
                if (pipe_n(&l->to_net) > 0)
                        fds[n++] = (struct pollfd){ .fd = l->net, .events = POLLOUT };
                else if (!tcp_link_is_sent(l))
                        *ret_unsure = true;
        }
        return n;
}

void tcp_close(struct tcp *t)
{
        for (unsigned i = 0; i < t->n_listeners; i++)
                close(t->listeners[i].fd);
        *t = (struct tcp){ 0 };
}
