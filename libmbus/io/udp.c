/*
 * udp.c - datagrams in and out of a bus that is open, in batches (udp.h). RFC 3259, section 6.
 */
#include "udp.h"

#include <assert.h>
#include <errno.h>

#include "socket.h"
#include "udp-follow.h"
#include "udp-notice.h"
#include "udp-sockets.h"

_Static_assert(UDP_BATCH == BATCH_MAX, "one batch is one system call");

const char *udp_name(const struct udp *u)
{
        return u->name;
}

const char *udp_host_id(const struct udp *u)
{
        return u->host_id;
}

const char *udp_warning(const struct udp *u, size_t i)
{
        if (u->lacks[0] && i-- == 0)
                return u->lacks;
        if (i < u->n_warnings)
                return u->warnings[i];
        return i == u->n_warnings && u->opened_with[0] ? u->opened_with : NULL;
}

const char *udp_interface(const struct udp *u)
{
        return u->where;
}

const struct udp_traffic *udp_traffic(const struct udp *u)
{
        return &u->traffic;
}

size_t udp_mtu(const struct udp *u)
{
        return u->mtu;
}

size_t udp_get_pollfds(const struct udp *u, struct pollfd ret_fds[static UDP_POLLFDS])
{
        ret_fds[0] = (struct pollfd){ .fd = u->group_fd, .events = POLLIN };
        ret_fds[1] = (struct pollfd){ .fd = u->own_fd,
                                      .events = u->blocked ? POLLIN | POLLOUT : POLLIN };
        ret_fds[2] = (struct pollfd){ .fd = u->watch_fd, .events = POLLIN };
        return u->watch_fd < 0 ? 2 : UDP_POLLFDS;
}

/* The source of what we send may change before the news of it arrives: hence the second look. */
static bool is_own(struct udp *u, const union socket_address *from)
{
        if (socket_address_port(from) != u->own_port)
                return false;
        return udp_is_source(u, from) || (udp_learn_source(u) && udp_is_source(u, from));
}

/* Errors of a receiving socket that do not go away by themselves. */
static bool is_broken(int r)
{
        return r == -EBADF || r == -ENOTSOCK || r == -EFAULT || r == -EINVAL;
}

/* What the kernel lost on the i-th socket since the last time. */
static void count_lost(struct udp *u, unsigned i, struct engine *engine)
{
        uint32_t count;

        if (!receive_batch_lost(&u->in, &count))
                return;
        if (i == 0)
                count -= u->n_unheard;
        /* Negative while the count that came with a datagram is older than what we sent since. */
        if ((int32_t)(count - u->lost[i]) <= 0)
                return;
        engine_count_drop(engine, MBUS_DROP_SOCKET, count - u->lost[i]);
        u->lost[i] = count;
}

static int take(struct udp *u, int fd, unsigned which, struct engine *engine, uint64_t now,
                uint64_t wall_ms)
{
        const union socket_address *from;
        uint16_t port = socket_address_port(&u->rule.group);
        int n = receive_batch_fill(&u->in, fd);

        if (n < 0)
                return is_broken(n) ? n : n != -EAGAIN;
        count_lost(u, which, engine);
        for (unsigned i = 0; i < (unsigned)n; i++) {
                struct span datagram = receive_batch_get(&u->in, i, &from);
                struct endpoint endpoint;

                u->network.n_heard += which == 0;
                if (is_own(u, from)) {
                        engine_count_drop(engine, MBUS_DROP_OWN, 1);
                        continue;
                }
                u->traffic.datagrams_in++;
                u->traffic.bytes_in += datagram.n;
                endpoint = endpoint_of(from, port, false);
                engine_receive(engine, now, wall_ms, &endpoint, datagram);
        }
        return n == UDP_BATCH;
}

int udp_receive(struct udp *u, struct engine *engine, uint64_t now, uint64_t wall_ms,
                const struct pollfd *fds)
{
        struct netlink_news news = { .changed = false };
        struct pollfd own[UDP_POLLFDS];
        int more = 0, r;

        if (!fds && poll(own, udp_get_pollfds(u, own), 0) < 0)
                return errno == EINTR ? 1 : -errno;
        if (!fds)
                fds = own;
        u->now = now;
        if (u->watch_fd >= 0 && fds[2].revents)
                news = netlink_read_news(u->watch_fd);
        if (news.changed)
                udp_follow(u, &news);
        for (unsigned i = 0; i < 2; i++) {
                if (!(fds[i].revents & ~POLLOUT))
                        continue;
                r = take(u, fds[i].fd, i, engine, now, wall_ms);
                if (r < 0)
                        return r;
                more |= r;
        }
        return more;
}

/* The next datagrams that wait, up to a batch; returns how many. */
static unsigned fill(struct udp *u, const struct engine *engine)
{
        struct datagram d;
        size_t cursor = 0;

        while (u->out.n < BATCH_MAX && engine_peek_datagram(engine, &cursor, &d)) {
                /* The kernel cuts between IP packets, never one of them. */
                bool gather = u->gathers && d.bytes.n <= u->mtu;

                if (d.to->n == 0)
                        send_batch_add(&u->out, d.bytes, &u->rule.group,
                                       socket_address_size(&u->rule.group), gather);
                else
                        send_batch_add(&u->out, d.bytes, endpoint_sockaddr(d.to), d.to->n, gather);
        }
        return u->out.n;
}

/* The first @n_pieces of the batch went out. */
static void count_sent(struct udp *u, unsigned n_pieces, struct engine *engine)
{
        unsigned n_datagrams = 0;

        for (unsigned i = 0; i < n_pieces; i++) {
                const void *to;
                unsigned n = send_batch_size(&u->out, i, &to);

                n_datagrams += n;
                if (to != &u->rule.group)
                        continue;
                u->network.n_sent += n;
                if (!u->skips_own)
                        continue;
                u->n_unheard += n;
                engine_count_drop(engine, MBUS_DROP_OWN, n);
        }
        u->traffic.datagrams_out += n_datagrams;
        for (unsigned i = 0; i < n_datagrams; i++)
                u->traffic.bytes_out += u->out.spans[i].iov_len;
        engine_pop_datagrams(engine, n_datagrams);
}

/* Interfaces without checksums of their own, and kernels before 4.18, take single datagrams
 * only. */
static bool refuses_pieces(const struct udp *u, int r)
{
        const void *to;

        return (r == -EIO || r == -EINVAL || r == -EMSGSIZE || r == -EOPNOTSUPP) &&
               send_batch_size(&u->out, 0, &to) > 1;
}

/* The index of an interface that is gone may be another's, which is no place for the bus. */
static void drop_all(struct udp *u, struct engine *engine)
{
        size_t n = engine_n_datagrams(engine);

        if (n == 0)
                return;
        engine_count_drop(engine, MBUS_DROP_SENT, n);
        engine_pop_datagrams(engine, n);
        u->network.refused_at = u->now;
}

int udp_send(struct udp *u, struct engine *engine)
{
        const void *to;
        int r;

        assert(u->out.n == 0 && u->choice.n > 0);
        u->blocked = false;
        if (udp_sender(u)->absent) {
                drop_all(u, engine);
                return 0;
        }
        while (fill(u, engine) > 0) {
                r = send_batch_flush(&u->out, u->own_fd);
                if (r == -EAGAIN || r == -ENOBUFS) {
                        u->blocked = true;
                        return 1;
                }
                if (r > 0) {
                        count_sent(u, (unsigned)r, engine);
                } else if (refuses_pieces(u, r)) {
                        u->gathers = false;
                } else if (r != -EINTR) {
                        /* The network refuses the first one; the others may go elsewhere. */
                        engine_count_drop(engine, MBUS_DROP_SENT, 1);
                        engine_pop_datagrams(engine, 1);
                        send_batch_size(&u->out, 0, &to);
                        if (to == &u->rule.group)
                                udp_note_refusal(u, r);
                }
        }
        return 0;
}
