/*
 * batch.h - many datagrams a system call, in arrays that are set up once.
 *
 * At full rate the kernel takes about five microseconds for a datagram and the rest of us less than
 * one, so nothing here may cost a system call, an allocation or a copy for each. Datagrams of one
 * size that go to one place in a row even take the way down to the receivers' sockets in one piece,
 * which the kernel cuts there (UDP_SEGMENT). On the wire, and for every receiver, they are what
 * they always were.
 */
#ifndef MBUS_IO_BATCH_H
#define MBUS_IO_BATCH_H

#include <core/limits.h>
#include "endpoint.h"

#define BATCH_MAX 64

/* Room for the count of lost datagrams (SO_RXQ_OVFL), aligned as the kernel wants it. */
union batch_control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(uint32_t))];
};

struct receive_batch {
        char *buffers; /* BATCH_MAX of them; memory that no datagram reached costs nothing */
        unsigned n;    /* datagrams of the last fill */
        struct mmsghdr headers[BATCH_MAX];
        struct iovec spans[BATCH_MAX];
        union socket_address sources[BATCH_MAX];
        union batch_control controls[BATCH_MAX];
};

/* Room for where a piece is to be cut (UDP_SEGMENT). */
union send_control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
};

struct send_batch {
        unsigned n; /* datagrams */
        unsigned n_pieces;
        bool closed;                       /* the last piece takes no more */
        struct mmsghdr headers[BATCH_MAX]; /* a piece each */
        struct iovec spans[BATCH_MAX];     /* a datagram each; a piece has a row of them */
        union send_control controls[BATCH_MAX];
};

/* 0 or -ENOMEM. @b must not move afterwards. */
int receive_batch_init(struct receive_batch *b);
void receive_batch_deinit(struct receive_batch *b);
/* Takes up to BATCH_MAX datagrams from @fd and returns how many, or -errno. */
int receive_batch_fill(struct receive_batch *b, int fd);
/* The i-th of them, and where it came from; valid until the next fill. */
struct span receive_batch_get(const struct receive_batch *b, unsigned i,
                              const union socket_address **ret_source);
/* How many datagrams the socket had lost for a full buffer when the last of them came, as a count
 * that wraps; false if it does not tell. */
bool receive_batch_lost(const struct receive_batch *b, uint32_t *ret_lost);

/* Adds a datagram, which must stay where it is until it is sent; @n_to octets of socket address. If
 * @gather it may share a piece with those before it that go to the very same @to. */
void send_batch_add(struct send_batch *b, struct span datagram, const void *to, socklen_t n_to,
                    bool gather);
/* Sends them and returns how many pieces of them, the oldest, went out, or -errno of the first. All
 * are forgotten when the next one is added. */
int send_batch_flush(struct send_batch *b, int fd);
/* Datagrams in the i-th piece of the last flush, and whom it was to. */
unsigned send_batch_size(const struct send_batch *b, unsigned i, const void **ret_to);

#endif
