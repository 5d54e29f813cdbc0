/*
 * socket.c - see socket.h. RFC 3259, section 6.1: scopes, TTLs and groups as socket options.
 */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/ip.h>
#include <unistd.h>

#include "descriptor.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

static int set(int fd, int level, int name, const void *value, socklen_t size)
{
        return setsockopt(fd, level, name, value, size) < 0 ? -errno : 0;
}

static int set_int(int fd, int level, int name, int value)
{
        return set(fd, level, name, &value, sizeof(value));
}

int socket_open(int family, int *ret_fd)
{
        int fd = descriptor_apart(socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

        if (fd < 0)
                return -errno;
        /* Where that cannot be said IPv4 may come in as well, and is sealed as all else is. */
        if (family == AF_INET6)
                (void)set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        *ret_fd = fd;
        return 0;
}

int socket_close(int fd)
{
        if (fd >= 0)
                close(fd);
        return -1;
}

int socket_share_port(int fd)
{
        return set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

int socket_allow_broadcast(int fd)
{
        return set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
}

int socket_set_receive_buffer(int fd, int size)
{
        if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, size) == 0)
                return 0;
        return set_int(fd, SOL_SOCKET, SO_RCVBUF, size);
}

int socket_count_overflow(int fd)
{
        return set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
}

int socket_only_joined(int fd, int family)
{
        if (family == AF_INET6)
                return set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        return set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
}

int socket_loop_back(int fd, int family)
{
        if (family == AF_INET6)
                return set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
        return set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
}

int socket_skip_source(int fd, const union socket_address *source)
{
        uint32_t address = (uint32_t)SKF_NET_OFF + offsetof(struct iphdr, saddr);
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), /* the source port: UDP begins with it */
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohs(source->v4.sin_port), 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, address),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(source->v4.sin_addr.s_addr), 0, 1),
                BPF_STMT(BPF_RET | BPF_K, 0),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        };
        struct sock_fprog program = { .len = sizeof(code) / sizeof(*code), .filter = code };

        return set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int socket_set_hops(int fd, int family, int hops)
{
        int r;

        if (family == AF_INET6) {
                r = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
                return r < 0 ? r : set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
        }
        r = set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, hops);
        return r < 0 ? r : set_int(fd, IPPROTO_IP, IP_TTL, hops > 0 ? hops : 1);
}

int socket_set_interface(int fd, int family, unsigned index, bool broadcast)
{
        struct ip_mreqn mreq = { .imr_ifindex = (int)index };
        int r;

        if (family == AF_INET6)
                return set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)index);
        r = set(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq));
        if (r < 0 || !broadcast)
                return r;
        return set_int(fd, IPPROTO_IP, IP_UNICAST_IF, (int)htonl(index));
}

int socket_bind_interface(int fd, unsigned index)
{
        return set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)index);
}

static int change_membership(int fd, const union socket_address *group, unsigned index, bool join)
{
        struct ip_mreqn v4 = { .imr_multiaddr = group->v4.sin_addr, .imr_ifindex = (int)index };
        struct ipv6_mreq v6;

        if (group->any.sa_family == AF_INET)
                return set(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &v4,
                           sizeof(v4));
        v6 = (struct ipv6_mreq){ .ipv6mr_multiaddr = group->v6.sin6_addr,
                                 .ipv6mr_interface = index };
        return set(fd, IPPROTO_IPV6, join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, &v6,
                   sizeof(v6));
}

int socket_join(int fd, const union socket_address *group, unsigned index)
{
        return change_membership(fd, group, index, true);
}

int socket_leave(int fd, const union socket_address *group, unsigned index)
{
        int r = change_membership(fd, group, index, false);

        return r == -EADDRNOTAVAIL ? 0 : r;
}

int socket_get_dropped(int fd, uint32_t *ret_n)
{
        uint32_t all[SK_MEMINFO_VARS] = { 0 };
        socklen_t size = sizeof(all);

        if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, all, &size) < 0)
                return -errno;
        if (size <= SK_MEMINFO_DROPS * sizeof(all[0]))
                return -ENOPROTOOPT;
        *ret_n = all[SK_MEMINFO_DROPS];
        return 0;
}

int socket_bind(int fd, const union socket_address *address)
{
        return bind(fd, &address->any, socket_address_size(address)) < 0 ? -errno : 0;
}

int socket_connect(int fd, const union socket_address *address)
{
        return connect(fd, &address->any, socket_address_size(address)) < 0 ? -errno : 0;
}

int socket_get_name(int fd, union socket_address *ret_address)
{
        union socket_address a = { .v6 = { 0 } };
        socklen_t n = sizeof(a);

        if (getsockname(fd, &a.any, &n) < 0)
                return -errno;
        *ret_address = a;
        return 0;
}
