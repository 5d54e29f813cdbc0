/*
 * outgoing.h - datagrams that wait for the socket, and where they go.
 *
 * Bounded in octets (OUTGOING_BYTES_MAX): who asks for more is told so at once. Datagrams stand in
 * one ring of memory, so that a busy engine allocates nothing for a message.
 */
#ifndef MBUS_CORE_OUTGOING_H
#define MBUS_CORE_OUTGOING_H

#include "bytes.h"

/* A transport address of the io ring, of which the core knows nothing but equality. */
struct endpoint {
        uint8_t n;   /* octets used; 0: the group */
        bool unique; /* its port is not the bus port: directed unicast may go there (6.2) */
        bool own;    /* it is our own sending socket */
        uint8_t bytes[28];
};

#define ENDPOINT_GROUP ((struct endpoint){ 0 })

struct datagram {
        struct span bytes; /* valid until it is popped */
        const struct endpoint *to;
};

/*
 * The records are from `head` to head + used; or, if they do not fit so before the end of the ring,
 * from `head` to `wrap`, which is not zero then, and go on at 0 up to no more than `head`. Nothing
 * is `used` if and only if there is no datagram.
 */
struct outgoing {
        char *ring;
        size_t size;
        size_t head; /* where the oldest begins */
        size_t used;
        size_t n;
        size_t wrap; /* where the ring's contents end before they go on at 0 */
};

#define OUTGOING_INIT ((struct outgoing){ 0 })

void outgoing_deinit(struct outgoing *out);
/* Appends a copy. 0, MBUS_E_FULL or -ENOMEM. */
int outgoing_push(struct outgoing *out, struct span bytes, const struct endpoint *to);
/* The i-th oldest of those that wait, i < n, walked with a cursor that begins at 0: for
 * sendmmsg. */
bool outgoing_peek(const struct outgoing *out, size_t *cursor, struct datagram *ret_datagram);
/* Drops the oldest @n. */
void outgoing_pop(struct outgoing *out, size_t n);

#endif
