/*
 * tcp-listen-address.h - where clients over TCP are taken: lines TCP= of [broker], each NAME:PORT,
 * ADDRESS:PORT, [ADDRESS]:PORT, [ADDRESS%INTERFACE]:PORT, or *:PORT for all addresses of both
 * families.
 *
 * Names are looked up when the broker starts, and at no other time: that waits for a resolver that
 * nobody bounds.
 */
#ifndef BROKER_CONFIG_TCP_LISTEN_ADDRESS_H
#define BROKER_CONFIG_TCP_LISTEN_ADDRESS_H

#include <io/tcp-name.h>

#include <broker/base/base.h>

#include "ini.h"

/* A host, its port, brackets. */
#define TCP_LISTEN_ADDRESS_SIZE (TCP_HOST_SIZE + 10)

struct tcp_listen_address {
        char text[TCP_LISTEN_ADDRESS_SIZE];
        unsigned line;
};

/* Either "no" was read, or addresses that differ, or nothing. */
struct tcp_listen_addresses {
        struct tcp_listen_address of[TCP_PLACES_MAX];
        unsigned n;
        unsigned no_line; /* where "no" stands; 0: nowhere */
};

/* Reads a line TCP=@value. False, with ini_fail(). */
bool tcp_listen_addresses_read(struct tcp_listen_addresses *addresses, const struct ini_line *line,
                               struct span key, struct span value);
bool tcp_listen_addresses_equal(const struct tcp_listen_addresses *a,
                                const struct tcp_listen_addresses *b);

/* Where to listen for @text, which was read from a line. 0, or a line why not, valid until the next
 * call, and MBUS_E_UNKNOWN or -ENOMEM. */
int tcp_listen_address_find(const char *text, struct tcp_addresses *ret_addresses,
                            const char **ret_why);

#endif
