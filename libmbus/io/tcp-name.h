/*
 * tcp-name.h - where TCP leads to: HOST:PORT, [ADDRESS]:PORT, [ADDRESS%INTERFACE]:PORT.
 *
 * HOST is an IPv4 address or a name. A link-local IPv6 address takes the interface that it is of.
 */
#ifndef MBUS_IO_TCP_NAME_H
#define MBUS_IO_TCP_NAME_H

#include "endpoint.h"

/* A name has at most 253 letters (RFC 1035). */
#define TCP_HOST_SIZE 254
/* Addresses of a name that are used. */
#define TCP_ADDRESSES_MAX 8
/* "[" address "%" interface "]:" port */
#define TCP_ADDRESS_TEXT_SIZE 80

struct tcp_name {
        char host[TCP_HOST_SIZE]; /* without brackets */
        uint16_t port;
        bool is_v6; /* it stood in brackets */
};

struct tcp_addresses {
        union socket_address at[TCP_ADDRESSES_MAX];
        size_t n;
};

struct addrinfo;

/* Whether @text, which need not be a place that is there, is written as one. */
bool tcp_name_parse(struct span text, struct tcp_name *ret_name);
/* What to ask getaddrinfo() with, for those who do that themselves. */
void tcp_name_hints(const struct tcp_name *name, struct addrinfo *ret_hints);
/* What getaddrinfo() has found, with the port of @name, in its order, none twice. */
void tcp_name_take(const struct tcp_name *name, const struct addrinfo *found,
                   struct tcp_addresses *ret_addresses);
/* Finds the addresses, and waits for that as long as the system's resolver does. 0, or a line about
 * the host that is valid until the next call, and MBUS_E_UNKNOWN or -ENOMEM. */
int tcp_name_resolve(const struct tcp_name *name, struct tcp_addresses *ret_addresses,
                     const char **ret_why);
/* "127.0.0.1:4700", "[fe80::1%eth0]:4700"; an IPv4 address that IPv6 carries is shown as what it
 * is. */
void tcp_address_format(const union socket_address *a, char ret_text[static TCP_ADDRESS_TEXT_SIZE]);
bool tcp_address_is_loopback(const union socket_address *a);

#endif
