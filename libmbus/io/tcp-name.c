/*
 * tcp-name.c - see tcp-name.h.
 */
#include "tcp-name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include <core/error.h>

static bool copy_host(struct span host, struct tcp_name *name)
{
        if (host.n == 0 || host.n >= sizeof(name->host))
                return false;
        for (size_t i = 0; i < host.n; i++)
                if (host.at[i] <= ' ' || host.at[i] > '~' || host.at[i] == '/' ||
                    host.at[i] == '[' || host.at[i] == ']')
                        return false;
        memcpy(name->host, host.at, host.n);
        name->host[host.n] = '\0';
        return true;
}

/* Without the interface, which need not be there yet. */
static bool is_v6(const char *host)
{
        size_t n = strcspn(host, "%");
        char text[INET6_ADDRSTRLEN];
        struct in6_addr v6;

        if (n >= sizeof(text) || (host[n] == '%' && host[n + 1] == '\0'))
                return false;
        memcpy(text, host, n);
        text[n] = '\0';
        return inet_pton(AF_INET6, text, &v6) == 1;
}

bool tcp_name_parse(struct span text, struct tcp_name *ret_name)
{
        const char *colon = text.n > 0 ? memrchr(text.at, ':', text.n) : NULL;
        struct tcp_name name = { .port = 0 };
        struct span host;
        uint64_t port;

        if (!colon ||
            !span_to_uint(span_from(text, (size_t)(colon + 1 - text.at)), UINT16_MAX, &port) ||
            port == 0)
                return false;
        name.port = (uint16_t)port;
        host = (struct span){ text.at, (size_t)(colon - text.at) };
        name.is_v6 = host.n > 2 && host.at[0] == '[' && host.at[host.n - 1] == ']';
        if (name.is_v6)
                host = (struct span){ host.at + 1, host.n - 2 };
        if (!copy_host(host, &name) ||
            (name.is_v6 ? !is_v6(name.host) : strpbrk(name.host, ":%") != NULL))
                return false;
        *ret_name = name;
        return true;
}

void tcp_name_hints(const struct tcp_name *name, struct addrinfo *ret_hints)
{
        *ret_hints = (struct addrinfo){ .ai_family = name->is_v6 ? AF_INET6 : AF_UNSPEC,
                                        .ai_socktype = SOCK_STREAM,
                                        .ai_flags = name->is_v6 ? AI_NUMERICHOST : 0 };
}

static bool is_there(const struct tcp_addresses *all, const union socket_address *a)
{
        for (size_t i = 0; i < all->n; i++)
                if (socket_address_same_host(&all->at[i], a) &&
                    (a->any.sa_family != AF_INET6 ||
                     all->at[i].v6.sin6_scope_id == a->v6.sin6_scope_id))
                        return true;
        return false;
}

static void add(struct tcp_addresses *all, const union socket_address *a)
{
        if (all->n < TCP_ADDRESSES_MAX && !is_there(all, a))
                all->at[all->n++] = *a;
}

void tcp_name_take(const struct tcp_name *name, const struct addrinfo *found,
                   struct tcp_addresses *ret_addresses)
{
        struct tcp_addresses all = { .n = 0 };

        for (; found; found = found->ai_next) {
                union socket_address a = { .v6 = { 0 } };

                if ((found->ai_family != AF_INET && found->ai_family != AF_INET6) ||
                    found->ai_addrlen > sizeof(a))
                        continue;
                memcpy(&a, found->ai_addr, found->ai_addrlen);
                if (found->ai_family == AF_INET)
                        a.v4.sin_port = htons(name->port);
                else
                        a.v6.sin6_port = htons(name->port);
                add(&all, &a);
        }
        *ret_addresses = all;
}

/* Known without asking, and asked for where there is nobody to ask. */
static void take_localhost(const struct tcp_name *name, struct tcp_addresses *ret_addresses)
{
        union socket_address v4, v6;
        struct tcp_addresses all = { .n = 0 };

        if (socket_address_parse("127.0.0.1", name->port, &v4))
                add(&all, &v4);
        if (socket_address_parse("::1", name->port, &v6))
                add(&all, &v6);
        *ret_addresses = all;
}

int tcp_name_resolve(const struct tcp_name *name, struct tcp_addresses *ret_addresses,
                     const char **ret_why)
{
        struct addrinfo hints, *found = NULL;
        int error;

        if (strcmp(name->host, "localhost") == 0) {
                take_localhost(name, ret_addresses);
                return 0;
        }
        tcp_name_hints(name, &hints);
        error = getaddrinfo(name->host, NULL, &hints, &found);
        if (error == 0) {
                struct tcp_addresses all;

                tcp_name_take(name, found, &all);
                freeaddrinfo(found);
                if (all.n > 0) {
                        *ret_addresses = all;
                        return 0;
                }
                error = EAI_NONAME;
        }
        if (error == EAI_MEMORY)
                return -ENOMEM;
        *ret_why = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
        return MBUS_E_UNKNOWN;
}

/* What @a is of IPv4, also where it is carried by IPv6. */
static const struct in_addr *v4_of(const union socket_address *a, struct in_addr *room)
{
        if (a->any.sa_family == AF_INET)
                return &a->v4.sin_addr;
        if (!IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
                return NULL;
        memcpy(room, a->v6.sin6_addr.s6_addr + 12, sizeof(*room));
        return room;
}

void tcp_address_format(const union socket_address *a, char ret_text[static TCP_ADDRESS_TEXT_SIZE])
{
        char host[INET6_ADDRSTRLEN] = "?", interface[IF_NAMESIZE] = "";
        unsigned port = socket_address_port(a);
        struct in_addr room;
        const struct in_addr *v4 = v4_of(a, &room);

        if (v4) {
                inet_ntop(AF_INET, v4, host, sizeof(host));
                snprintf(ret_text, TCP_ADDRESS_TEXT_SIZE, "%s:%u", host, port);
                return;
        }
        inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof(host));
        if (a->v6.sin6_scope_id && !if_indextoname(a->v6.sin6_scope_id, interface))
                snprintf(interface, sizeof(interface), "%u", (unsigned)a->v6.sin6_scope_id);
        snprintf(ret_text, TCP_ADDRESS_TEXT_SIZE, "[%s%s%s]:%u", host, interface[0] ? "%" : "",
                 interface, port);
}

bool tcp_address_is_loopback(const union socket_address *a)
{
        struct in_addr room;
        const struct in_addr *v4 = v4_of(a, &room);

        return v4 ? ntohl(v4->s_addr) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}
