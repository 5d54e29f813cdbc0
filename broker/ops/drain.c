/*
 * drain.c - the end of the broker: what waits for clients is written, as far as they take it.
 *
 * The loop does not run any more, since it would bring new messages. A client over TCP has its
 * queue before a pair of sockets, and behind that what is sealed and on its way
 * (net/tcp-connection.h): both are waited for, and that the other host has what the system took,
 * since an end that comes while the client still talks would make the system forget the rest.
 */
#include "drain.h"

#include <poll.h>
#include <stdlib.h>

#include <io/clock.h>

/* poll(2) does not tell that the other host has it all. */
#define LOOK_AGAIN_MS 10

static bool has_waiting(const struct connection *c)
{
        return !c->is_dead && !c->is_half_closed && !queue_is_empty(&c->queue);
}

static void flush_all(struct connections *all, struct tcp_listener *tcp)
{
        for (struct connection *c = connections_first(all); c; c = connection_next(c))
                if (has_waiting(c))
                        connection_flush(c);
        tcp_listener_flush(tcp);
}

/* Those that were waited for and take something now; @fds are in the order of the connections. */
static void unblock(struct connections *all, const struct pollfd *fds)
{
        for (struct connection *c = connections_first(all); c; c = connection_next(c))
                if (has_waiting(c) && fds++->revents)
                        c->is_blocked = false;
}

static nfds_t gather(const struct connections *all, struct pollfd *fds)
{
        nfds_t n = 0;

        for (const struct connection *c = connections_first(all); c; c = connection_next(c))
                if (has_waiting(c))
                        fds[n++] = (struct pollfd){ .fd = c->fd, .events = POLLOUT };
        return n;
}

void drain_connections(struct connections *all, struct tcp_listener *tcp)
{
        struct pollfd *fds = calloc(all->n + tcp_listener_n_connections(tcp) + 1, sizeof(*fds));
        uint64_t now, end = all->it->stop_at;

        flush_all(all, tcp);
        while (fds && (now = clock_now()) < end) {
                bool unsure = false;
                nfds_t n = gather(all, fds);
                uint64_t ms = (end - now) / NSEC_PER_MSEC + 1;

                n += tcp_listener_gather(tcp, fds + n, &unsure);
                if (n == 0 && !unsure)
                        break;
                poll(fds, n, unsure && ms > LOOK_AGAIN_MS ? LOOK_AGAIN_MS : (int)ms);
                unblock(all, fds);
                flush_all(all, tcp);
        }
        free(fds);
}
