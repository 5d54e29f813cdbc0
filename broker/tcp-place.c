/*
 * tcp-place.c - an address and a port, both as numbers.
 */
#include "tcp-place.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

socklen_t tcp_place_parse(const char *text, union tcp_place *ret_place)
{
        const char *colon = strrchr(text, ':');
        char host[TCP_PLACE_SIZE];
        uint64_t port;
        size_t n;

        if (!colon || !span_to_uint(span_of(colon + 1), UINT16_MAX, &port) || port == 0)
                return 0;
        n = (size_t)(colon - text);
        memcpy(host, text, n);
        host[n] = '\0';
        if (host[0] == '[' && host[n - 1] == ']') {
                host[n - 1] = '\0';
                ret_place->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                                       .sin6_port = htons((uint16_t)port) };
                return inet_pton(AF_INET6, host + 1, &ret_place->v6.sin6_addr) == 1
                               ? sizeof(ret_place->v6)
                               : 0;
        }
        ret_place->v4 =
                (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        return inet_pton(AF_INET, host, &ret_place->v4.sin_addr) == 1 ? sizeof(ret_place->v4) : 0;
}

bool tcp_place_check(struct span text, char ret_text[static TCP_PLACE_SIZE])
{
        union tcp_place place;

        if (text.n >= TCP_PLACE_SIZE)
                return false;
        if (span_equal_nocase(text, "no"))
                text.n = 0;
        if (text.n > 0)
                memcpy(ret_text, text.at, text.n);
        ret_text[text.n] = '\0';
        return text.n == 0 || tcp_place_parse(ret_text, &place) > 0;
}

bool tcp_place_is_loopback(const union tcp_place *place)
{
        if (place->any.sa_family == AF_INET)
                return ntohl(place->v4.sin_addr.s_addr) >> 24 == 127;
        return IN6_IS_ADDR_LOOPBACK(&place->v6.sin6_addr);
}

void tcp_place_format(const union tcp_place *place, char ret_text[static TCP_PLACE_SIZE])
{
        char host[INET6_ADDRSTRLEN] = "?";

        if (place->any.sa_family == AF_INET) {
                inet_ntop(AF_INET, &place->v4.sin_addr, host, sizeof(host));
                snprintf(ret_text, TCP_PLACE_SIZE, "%s:%u", host, ntohs(place->v4.sin_port));
        } else {
                inet_ntop(AF_INET6, &place->v6.sin6_addr, host, sizeof(host));
                snprintf(ret_text, TCP_PLACE_SIZE, "[%s]:%u", host, ntohs(place->v6.sin6_port));
        }
}
