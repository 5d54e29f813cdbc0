/*
 * endpoint.c - see endpoint.h. RFC 3259, section 6.2: which endpoints are unique.
 *
 * Invariant: the octets of an endpoint are those of a socket address whose padding is zero, so that
 * they can be compared, hashed, and handed back to the kernel.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

_Static_assert(sizeof(struct sockaddr_in6) <= sizeof(((struct endpoint *)0)->bytes),
               "an endpoint holds any socket address");
_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "the port stands at one place");

socklen_t socket_address_size(const union socket_address *a)
{
        if (a->any.sa_family == AF_INET)
                return sizeof(a->v4);
        return a->any.sa_family == AF_INET6 ? sizeof(a->v6) : 0;
}

uint16_t socket_address_port(const union socket_address *a)
{
        return ntohs(a->v4.sin_port);
}

bool socket_address_parse(const char *text, uint16_t port, union socket_address *ret_address)
{
        union socket_address a = { .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };

        if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
                *ret_address = a;
                return true;
        }
        a = (union socket_address){ .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
        if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) != 1)
                return false;
        *ret_address = a;
        return true;
}

void socket_address_format(const union socket_address *a,
                           char ret_text[static SOCKET_ADDRESS_TEXT_MAX])
{
        bool v6 = a->any.sa_family == AF_INET6;
        char ip[INET6_ADDRSTRLEN] = "?";

        inet_ntop(a->any.sa_family, v6 ? (const void *)&a->v6.sin6_addr : &a->v4.sin_addr, ip,
                  sizeof(ip));
        snprintf(ret_text, SOCKET_ADDRESS_TEXT_MAX, v6 ? "[%s]:%u" : "%s:%u", ip,
                 (unsigned)socket_address_port(a));
}

bool socket_address_is_multicast(const union socket_address *a)
{
        if (a->any.sa_family == AF_INET6)
                return IN6_IS_ADDR_MULTICAST(&a->v6.sin6_addr);
        return IN_MULTICAST(ntohl(a->v4.sin_addr.s_addr));
}

bool socket_address_same_host(const union socket_address *a, const union socket_address *b)
{
        if (a->any.sa_family != b->any.sa_family)
                return false;
        if (a->any.sa_family == AF_INET6)
                return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

struct endpoint endpoint_of(const union socket_address *a, uint16_t bus_port, bool own)
{
        uint16_t port = socket_address_port(a);
        struct endpoint e = {
                .n = (uint8_t)socket_address_size(a),
                .unique = port != bus_port && port != 0,
                .own = own,
        };
        union socket_address clean = { .v6 = { 0 } };

        assert(e.n > 0);
        if (a->any.sa_family == AF_INET6) {
                clean.v6 = a->v6;
                clean.v6.sin6_flowinfo = 0;
        } else {
                clean.v4.sin_family = AF_INET;
                clean.v4.sin_port = a->v4.sin_port;
                clean.v4.sin_addr = a->v4.sin_addr;
        }
        memcpy(e.bytes, &clean, e.n);
        return e;
}
