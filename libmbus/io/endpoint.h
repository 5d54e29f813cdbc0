/*
 * endpoint.h - transport addresses: of the kernel, of the core ring, and as text.
 *
 * The core ring compares a struct endpoint and knows nothing else about it; here it is the kernel's
 * socket address in a form in which equal addresses have equal octets.
 */
#ifndef MBUS_IO_ENDPOINT_H
#define MBUS_IO_ENDPOINT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <core/outgoing.h>

union socket_address {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};

/* "[" address "%" interface "]:" port */
#define SOCKET_ADDRESS_TEXT_MAX (INET6_ADDRSTRLEN + 24)

/* 0 for a family that is neither IPv4 nor IPv6. */
socklen_t socket_address_size(const union socket_address *a);
uint16_t socket_address_port(const union socket_address *a);
/* An IPv4 or IPv6 address as text, with @port. False if @text is neither. */
bool socket_address_parse(const char *text, uint16_t port, union socket_address *ret_address);
/* "239.255.255.247:47000", "[ff02::300]:47000". */
void socket_address_format(const union socket_address *a,
                           char ret_text[static SOCKET_ADDRESS_TEXT_MAX]);
bool socket_address_is_multicast(const union socket_address *a);
/* The same family and IP address; ports and interfaces do not count. */
bool socket_address_same_host(const union socket_address *a, const union socket_address *b);

/* What the core ring knows @a as. It is a unique endpoint (6.2) if its port is not @bus_port. */
struct endpoint endpoint_of(const union socket_address *a, uint16_t bus_port, bool own);
/* For the kernel: the octets of @e are a socket address as they stand; e->n is their number. */
static inline const void *endpoint_sockaddr(const struct endpoint *e)
{
        return e->bytes;
}

#endif
