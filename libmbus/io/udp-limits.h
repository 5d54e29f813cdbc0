/*
 * udp-limits.h - how much of what a bus on UDP takes, and what it counts: for udp.h and
 * udp-state.h.
 */
#ifndef MBUS_IO_UDP_LIMITS_H
#define MBUS_IO_UDP_LIMITS_H

#include <stdint.h>

/* Datagrams that one system call moves, and so the most that one udp_receive() takes. */
#define UDP_BATCH 64
/* Asked of the kernel for the receiving sockets: a burst at full rate is silent loss without. */
#define UDP_RECEIVE_BUFFER (4 << 20)
#define UDP_POLLFDS 3

/* The longest sentence about the network, and the longest list of interfaces. */
#define UDP_NOTICE_MAX 512
#define UDP_INTERFACES_MAX 256

/* What went through the sockets; own datagrams that came back are not counted. */
struct udp_traffic {
        uint64_t datagrams_in;
        uint64_t bytes_in;
        uint64_t datagrams_out;
        uint64_t bytes_out;
};

#endif
