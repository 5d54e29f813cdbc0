/*
 * udp-state.h - what udp.c and udp-open.c share: the sockets of one bus, and where they are.
 *
 * Invariants: what is sent leaves by the own socket only, whose port is never the bus port; the
 * host-id does not change while the bus is open, wherever it moves; no error of the network ends a
 * bus that was opened.
 */
#ifndef MBUS_IO_UDP_STATE_H
#define MBUS_IO_UDP_STATE_H

#include "batch.h"
#include "interface.h"
#include "udp.h"

/* Addresses that we sent from lately: datagrams with an old one may still come back. */
#define SOURCES_MAX 8
/* A sentence for each option that a system may lack. */
#define UDP_LACKS_MAX 768

struct udp {
        struct interface_rule rule;
        struct interface_choice choice;
        int group_fd;
        int own_fd;
        int watch_fd;
        uint16_t own_port;
        bool blocked; /* datagrams wait for the own socket */
        union socket_address sources[SOURCES_MAX];
        unsigned n_sources; /* ever; the newest is at (n - 1) % SOURCES_MAX */
        uint32_t lost[2];   /* the kernel's counts for the group and the own socket */
        bool deaf;          /* the group socket does not take what we send ... */
        uint32_t n_unheard; /* ... of which the kernel counts each as lost there */
        bool gathers;       /* the own socket takes several datagrams as one piece */
        size_t mtu;
        char name[SOCKET_ADDRESS_TEXT_MAX];
        char host_id[HOST_ID_MAX];
        const char *failed_call; /* while opening */
        int failed;
        char lacks[UDP_LACKS_MAX]; /* what the system has not, and what comes of it */
        struct udp_traffic traffic;
        struct receive_batch in;
        struct send_batch out;
};

/* Something on the host changed: the bus moves to where the rule has it now. */
void udp_follow(struct udp *u);
/* Whether we sent from the address of @a lately; its port is not looked at. */
bool udp_is_source(const struct udp *u, const union socket_address *a);
/* Finds out which address the kernel sends from to the group now. False if it would not send. */
bool udp_learn_source(struct udp *u);

#endif
