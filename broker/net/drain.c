/*
 * drain.c - the end of the broker: what waits for clients is written, as far as they take it.
 *
 * The loop is not turned any more, since it would bring new messages. A client over TCP has its queue
 * before a pair of sockets, and behind that what is sealed and on its way (tcp-link.h): both are waited
 * for, and that the other host has what the system took, since an end that comes while the client still
 * talks would make the system forget the rest.
 */
#include "drain.h"

#include <poll.h>
#include <stdlib.h>

#include <io/clock.h>

#include <broker/broker.h>
#include "tcp-listener.h"

/* poll(2) does not tell that the other host has it all. */
#define LOOK_AGAIN_MS 10

static bool has_waiting(const struct client *c)
{
        return !c->dead && !c->deaf && !queue_is_empty(&c->queue);
}

static void flush_all(struct broker *b)
{
        for (struct client *c = b->clients; c; c = c->next)
                if (has_waiting(c))
                        client_flush(c);
        link_tcp_flush(b);
}

/* Those that were waited for and take something now; @fds are in the order of the clients. */
static void unblock(struct broker *b, const struct pollfd *fds)
{
        for (struct client *c = b->clients; c; c = c->next)
                if (has_waiting(c) && fds++->revents)
                        c->blocked = false;
}

static nfds_t gather(const struct broker *b, struct pollfd *fds)
{
        nfds_t n = 0;

        for (const struct client *c = b->clients; c; c = c->next)
                if (has_waiting(c))
                        fds[n++] = (struct pollfd){ .fd = c->fd, .events = POLLOUT };
        return n;
}

void drain_links(struct broker *b)
{
        struct pollfd *fds = calloc(b->n_clients + link_tcp_n_links(b) + 1, sizeof(*fds));
        uint64_t now;

        flush_all(b);
        while (fds && (now = clock_now()) < b->it.stop_at) {
                bool unsure = false;
                nfds_t n = gather(b, fds);
                uint64_t ms = (b->it.stop_at - now) / NSEC_PER_MSEC + 1;

                n += link_tcp_gather(b, fds + n, &unsure);
                if (n == 0 && !unsure)
                        break;
                poll(fds, n, unsure && ms > LOOK_AGAIN_MS ? LOOK_AGAIN_MS : (int)ms);
                unblock(b, fds);
                flush_all(b);
        }
        free(fds);
}
