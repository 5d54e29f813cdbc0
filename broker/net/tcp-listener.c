/*
 * tcp-listener.c - clients over TCP, which have proved that they have the key of the bus
 * (spec/attach.md): listening, and who has
 * not proved it yet.
 *
 * What one who has not proved it can make us keep is one small struct for a few seconds, for few of
 * them at a time; the oldest gives way to the newest.
 */
#include "tcp-listener.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- who has not proved it yet ------------------------------------------------------------- */

static struct tcp_connection *connection_of(struct list_node *node)
{
        return container_of(node, struct tcp_connection, node);
}

static struct tcp_connection *oldest_unauthenticated(const struct tcp_listener *t)
{
        for (struct list_node *node = t->accepted.last; node; node = node->previous)
                if (!tcp_connection_is_authenticated(connection_of(node)))
                        return connection_of(node);
        assert(t->n_unauthenticated == 0);
        return NULL;
}

static void on_tcp_accept(uv_poll_t *poll, int status, int events);

/* 0 or an error of libuv. */
static int resume_accepting(struct tcp_listener *t)
{
        int r = 0;

        for (unsigned i = 0; i < t->n_sockets && r == 0; i++)
                r = uv_poll_start(&t->sockets[i].poll, UV_READABLE, on_tcp_accept);
        return r;
}

static void stop_accepting(struct tcp_listener *t)
{
        for (unsigned i = 0; i < t->n_sockets; i++)
                uv_poll_stop(&t->sockets[i].poll);
}

static void set_tcp_timer(struct tcp_listener *t);

static void on_tcp_timer(uv_timer_t *timer)
{
        struct tcp_listener *t = timer->data;
        struct tcp_connection *c;

        iteration_wake(t->connections->it);
        while ((c = oldest_unauthenticated(t)) && c->deadline <= t->connections->it->now)
                tcp_connection_reject(c, TCP_TOO_LATE);
        resume_accepting(t);
        set_tcp_timer(t);
}

static void set_tcp_timer(struct tcp_listener *t)
{
        const struct tcp_connection *c = oldest_unauthenticated(t);
        uint64_t now = t->connections->it->now;

        if (!c)
                return;
        uv_update_time(&t->connections->it->loop);
        uv_timer_start(&t->timer, on_tcp_timer,
                       c->deadline > now ? (c->deadline - now) / NSEC_PER_MSEC + 1 : 0, 0);
}

static void on_tcp_accept(uv_poll_t *poll, int status, int events)
{
        const struct tcp_socket *s = poll->data;
        struct tcp_listener *t = s->listener;

        (void)status;
        (void)events;
        iteration_wake(t->connections->it);
        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                union socket_address peer = { .any = { .sa_family = AF_UNSPEC } };
                socklen_t n = sizeof(peer);
                int fd = accept4(s->fd, &peer.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd >= 0 && tcp_connection_new(t, fd, &peer) < 0)
                        close(fd);
                if (t->n_unauthenticated > TCP_STRANGERS_MAX)
                        tcp_connection_reject(oldest_unauthenticated(t), TCP_TOO_MANY);
                if (fd >= 0 || errno == EINTR || errno == ECONNABORTED)
                        continue;
                if (errno == EAGAIN)
                        break;
                /* One that ends, or a moment, will help. */
                tcp_listener_log_no_descriptors(t, errno);
                stop_accepting(t);
                uv_timer_start(&t->timer, on_tcp_timer, ACCEPT_PAUSE_MS, 0);
                return;
        }
        set_tcp_timer(t);
}

/* ---- opening and closing ------------------------------------------------------------------- */

static int fail_address(const struct tcp_listener *t, const struct tcp_listen_address *at,
                        const char *address, const char *why)
{
        bool other = address[0] && strcmp(address, at->text) != 0;

        log_error_at(t->config_path, at->line, "TCP",
                     "%.100s%s%s%s cannot be listened on: %s; write another place, or no", at->text,
                     other ? " (" : "", other ? address : "", other ? ")" : "", why);
        return EXIT_NO_BUS;
}

/* "*" was not to be had: if the host has no IPv6, it is all of IPv4. */
static int listen_at_all(const union socket_address *a, int error)
{
        union socket_address v4;

        if (!tcp_socket_is_elsewhere(error) ||
            !socket_address_parse("0.0.0.0", socket_address_port(a), &v4))
                return error;
        return tcp_socket_listen(&v4);
}

/* @spare: others of the name are there. */
static int add_socket(struct tcp_listener *t, const struct tcp_listen_address *at,
                      const union socket_address *a, bool spare)
{
        char text[TCP_ADDRESS_TEXT_SIZE];
        int fd;

        tcp_address_format(a, text);
        if (t->n_sockets == TCP_LISTENERS_MAX)
                return fail_address(t, at, text, "there are TCP_LISTENERS_MAX addresses already");
        fd = tcp_socket_listen(a);
        if (fd < 0 && at->text[0] == '*')
                fd = listen_at_all(a, fd);
        if (fd < 0 && spare && tcp_socket_is_elsewhere(fd)) {
                log_warning("TCP=%s: not on %s: %s", at->text, text, strerror(-fd));
                return 0;
        }
        if (fd < 0)
                return fail_address(t, at, text, strerror(-fd));
        t->sockets[t->n_sockets++] = (struct tcp_socket){ .listener = t, .fd = fd };
        if (!tcp_address_is_loopback(a) && !crypto_encrypts(t->crypto))
                log_warning("TCP=%s: who is on the way can read everything, since the bus does not "
                            "encrypt; to change it write another ENCRYPTIONKEY",
                            at->text);
        log_info("TCP clients are taken on %s", text);
        return 0;
}

/* Of a name all addresses count. */
static int add_address(struct tcp_listener *t, const struct tcp_listen_address *at)
{
        unsigned before = t->n_sockets;
        struct tcp_addresses found;
        const char *why = "";
        int r = tcp_listen_address_find(at->text, &found, &why);

        if (r)
                return fail_address(t, at, "", r > 0 ? why : strerror(-r));
        for (size_t i = 0; i < found.n && r == 0; i++)
                r = add_socket(t, at, &found.at[i], t->n_sockets > before || i + 1 < found.n);
        return r;
}

int tcp_listener_open(struct tcp_listener *t, struct connections *connections,
                      struct crypto *crypto, const struct tcp_listen_addresses *addresses,
                      const char *config_path)
{
        int r = 0;

        *t = (struct tcp_listener){ .crypto = crypto,
                                    .addresses = addresses,
                                    .config_path = config_path };
        if (addresses->n > 0)
                t->connections = connections;
        for (unsigned i = 0; i < addresses->n && r == 0; i++)
                r = add_address(t, &addresses->of[i]);
        return r;
}

int tcp_listener_start(struct tcp_listener *t)
{
        uv_loop_t *loop = t->connections ? &t->connections->it->loop : NULL;
        int r;

        if (!loop)
                return 0;
        r = uv_timer_init(loop, &t->timer);
        t->timer.data = t;
        for (unsigned i = 0; i < t->n_sockets && r == 0; i++) {
                r = uv_poll_init(loop, &t->sockets[i].poll, t->sockets[i].fd);
                t->sockets[i].poll.data = &t->sockets[i];
        }
        return r ? r : resume_accepting(t);
}

void tcp_listener_stop(struct tcp_listener *t)
{
        if (!t->connections)
                return;
        stop_accepting(t);
        uv_timer_stop(&t->timer);
        while (t->accepted.first)
                tcp_connection_finish(connection_of(t->accepted.first));
        assert(t->n_unauthenticated == 0);
}

uint64_t tcp_listener_n_rejected(const struct tcp_listener *t, enum tcp_rejection why)
{
        return t->n_rejected[why];
}

/* ---- the last words ------------------------------------------------------------------------ */

void tcp_listener_flush(struct tcp_listener *t)
{
        struct list_node *next;

        for (struct list_node *node = t->accepted.first; node; node = next) {
                struct tcp_connection *c = connection_of(node);

                next = node->next;
                if (tcp_connection_flush(c) < 0)
                        tcp_connection_end(c, "it was closed");
        }
}

size_t tcp_listener_n_connections(const struct tcp_listener *t)
{
        size_t n = 0;

        for (const struct list_node *node = t->accepted.first; node; node = node->next)
                n++;
        return n;
}

nfds_t tcp_listener_gather(const struct tcp_listener *t, struct pollfd *fds, bool *ret_unsure)
{
        nfds_t n = 0;

        *ret_unsure = false;
        for (struct list_node *node = t->accepted.first; node; node = node->next) {
                const struct tcp_connection *c = connection_of(node);

                if (pipe_n(&c->to_net) > 0)
                        fds[n++] = (struct pollfd){ .fd = c->net, .events = POLLOUT };
                else if (!tcp_connection_is_sent(c))
                        *ret_unsure = true;
        }
        return n;
}

void tcp_listener_close(struct tcp_listener *t)
{
        for (unsigned i = 0; i < t->n_sockets; i++)
                close(t->sockets[i].fd);
        assert(list_is_empty(&t->accepted));
        *t = (struct tcp_listener){ 0 };
}
