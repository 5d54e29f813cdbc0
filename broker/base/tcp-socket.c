/*
 * tcp-socket.c - what is asked of the system for sockets of TCP.
 */
#include "tcp-socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limits.h"

int tcp_socket_listen(const union socket_address *a)
{
        int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int one = 1, only, error;

        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (a->any.sa_family == AF_INET6) {
                only = !IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
        }
        if (bind(fd, &a->any, socket_address_size(a)) == 0 && listen(fd, SOMAXCONN) == 0)
                return fd;
        error = errno;
        close(fd);
        return -error;
}

bool tcp_socket_is_elsewhere(int error)
{
        return error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

void tcp_socket_set_options(int fd)
{
        int one = 1, idle = TCP_IDLE_S, interval = TCP_INTERVAL_S, count = TCP_PROBES;
        unsigned timeout = (TCP_IDLE_S + TCP_INTERVAL_S * TCP_PROBES) * 1000;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

bool tcp_socket_is_sent(int fd)
{
        int n;

        return ioctl(fd, SIOCOUTQ, &n) < 0 || n == 0;
}
