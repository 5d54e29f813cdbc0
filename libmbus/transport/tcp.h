/*
 * tcp.h - a link to a broker over TCP: connecting without waiting, proving, sealing and opening
 * (spec/attach.md, "TCP"; core/stream.h).
 */
#ifndef MBUS_LINK_TCP_H
#define MBUS_LINK_TCP_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include <core/config.h>
#include <io/tcp-name.h>

struct link_tcp;

/*
 * Finds out where @name (io/tcp-name.h) is, which waits for the system's resolver. Nothing is
 * connected yet. 0; MBUS_E_CONFIG, or MBUS_E_NO_BUS if nobody knows the host, with a line in
 * @ret_error; -ENOMEM or another -errno.
 */
int link_tcp_new(const char *name, const struct config *config, struct link_tcp **ret_tcp,
                 char ret_error[static 256]);
/* Asks where it is once more; it stays as it was if that fails. As link_tcp_new(). */
int link_tcp_resolve(struct link_tcp *t, char ret_error[static 256]);
/* Takes NULL, returns NULL. */
struct link_tcp *link_tcp_free(struct link_tcp *t);

/* Begins to connect, or goes on. 0: both sides have proved themselves, *@ret_fd is the caller's;
 * MBUS_E_NOT_READY: not yet; -errno: it is in vain, -EPROTO if the broker has another key,
 * -EPIPE if it hung up on us, which it does if we have. */
int link_tcp_connect(struct link_tcp *t, int *ret_fd);
bool link_tcp_is_connecting(const struct link_tcp *t);
/* Whether the last attempt came as far as a connection. */
bool link_tcp_was_connected(const struct link_tcp *t);
/* How many addresses there are to try, and the one that is tried, or will be. */
size_t link_tcp_n_addresses(const struct link_tcp *t);
const union socket_address *link_tcp_get_address(const struct link_tcp *t);
/* When connecting has taken too long. */
uint64_t link_tcp_deadline(const struct link_tcp *t);
/* What is to be waited for while connecting; how many. */
size_t link_tcp_get_pollfds(const struct link_tcp *t, struct pollfd *ret_fd);

/* As recv() and send() of frames that are not sealed, whole ones only. */
ssize_t link_tcp_recv(struct link_tcp *t, int fd, char *at, size_t n);
ssize_t link_tcp_send(struct link_tcp *t, int fd, struct span frames);
/* Octets that were taken by link_tcp_send() and are not sent yet. */
size_t link_tcp_n_waiting(const struct link_tcp *t);

#endif
