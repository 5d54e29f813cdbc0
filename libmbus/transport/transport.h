/*
 * transport.h - the door of libmbus/transport: octets to and from a broker, over a Unix socket or
 * over TCP.
 *
 * Connecting knows which broker it wants (proof.h), and over TCP both sides prove themselves and
 * seal what they say (tcp.h). Who uses a connection need not know which one it is.
 */
#ifndef MBUS_TRANSPORT_H
#define MBUS_TRANSPORT_H

#include <sys/socket.h>

#include <bus/mode.h>

#include "proof.h"
#include "tcp.h"

/*
 * One of `tcp` and `path` is set from when it was opened on. While it is being connected again, the
 * descriptor is the one of `tcp` or `proof`, and fd is -1.
 */
struct transport {
        int fd;                   /* -1: it is not connected */
        struct link_tcp *tcp;     /* NULL: it is a Unix socket */
        char *path;               /* with `tcp`: NULL */
        struct link_proof *proof; /* NULL: no configuration was named, or it is `tcp` */
};

#define TRANSPORT_INIT ((struct transport){ .fd = -1 })

/*
 * Opening waits. On failure nothing is left, and a line of reason is in @ret_error: MBUS_E_CONFIG,
 * MBUS_E_NO_BUS, -ENOMEM or another -errno; with @probe also MBUS_E_UNKNOWN (nobody listens there)
 * and MBUS_E_DENIED (to others than this user).
 */
int transport_open_unix(struct transport *ret_t, struct bus_parts *bus, const char *path,
                        const struct mbus_config *given, bool probe,
                        char ret_error[static BUS_ERROR_SIZE]);
int transport_open_tcp(struct transport *ret_t, const char *name, const struct mbus_config *given,
                       char ret_error[static BUS_ERROR_SIZE]);
void transport_deinit(struct transport *t);

/* Closes the connection; transport_connect() may get another one. */
void transport_disconnect(struct transport *t, struct bus_parts *bus);
/* Begins to connect once more, or goes on, without waiting. 0; -EINPROGRESS: it is on its way,
 * until *@ret_deadline; -EKEYREJECTED: the broker is on another bus than was named, which is
 * remarked; or another -errno. */
int transport_connect(struct transport *t, struct bus_parts *bus, uint64_t *ret_deadline);
bool transport_is_connecting(const struct transport *t);
/* What is to be waited for while connecting; how many. */
size_t transport_get_pollfds(const struct transport *t, struct pollfd *ret_fd);
/* The SeqNum that the conversation goes on with. */
uint32_t transport_first_seq(const struct transport *t);
/* Asks where the broker is once more. 0, MBUS_E_NO_BUS with a line in @ret_error, or -errno. */
int transport_resolve(struct transport *t, char ret_error[static 256]);

/* As recv() and send() of whole frames, without waiting. */
static inline ssize_t transport_recv(struct transport *t, char *at, size_t n)
{
        return t->tcp ? link_tcp_recv(t->tcp, t->fd, at, n) : recv(t->fd, at, n, MSG_DONTWAIT);
}

static inline ssize_t transport_send(struct transport *t, struct span frames)
{
        return t->tcp ? link_tcp_send(t->tcp, t->fd, frames)
                      : send(t->fd, frames.at, frames.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Octets that transport_send() took and that wait here still. */
static inline size_t transport_n_waiting(const struct transport *t)
{
        return t->tcp ? link_tcp_n_waiting(t->tcp) : 0;
}

#endif
