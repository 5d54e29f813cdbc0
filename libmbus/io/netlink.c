/*
 * netlink.c - see netlink.h.
 *
 * The messages of a change are not read for what they say: whoever is told looks at everything
 * anew, so that a lost message (ENOBUFS) is a change like any other.
 */
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

struct route_request {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint8_t destination[16];
};

_Static_assert(offsetof(struct route_request, destination) ==
                       NLMSG_LENGTH(sizeof(struct rtmsg)) + RTA_LENGTH(0),
               "the request is laid out as netlink wants it");

static int open_netlink(uint32_t groups, int *ret_fd)
{
        struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = groups };
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        int r;

        if (fd < 0)
                return -errno;
        if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

static struct route_request make_request(const union socket_address *to)
{
        bool v6 = to->any.sa_family == AF_INET6;
        size_t n = v6 ? 16 : 4;
        struct route_request request = {
                .header = { .nlmsg_len =
                                    (uint32_t)(offsetof(struct route_request, destination) + n),
                            .nlmsg_type = RTM_GETROUTE,
                            .nlmsg_flags = NLM_F_REQUEST,
                            .nlmsg_seq = 1 },
                .route = { .rtm_family = (uint8_t)to->any.sa_family,
                           .rtm_dst_len = (uint8_t)(n * 8) },
                .attribute = { .rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = RTA_DST },
        };

        memcpy(request.destination, v6 ? (const void *)&to->v6.sin6_addr : &to->v4.sin_addr, n);
        return request;
}

/* The outgoing interface among the @n octets of attributes at @at. */
static int find_interface(const char *at, size_t n, unsigned *ret_index)
{
        struct rtattr a;

        while (n >= sizeof(a)) {
                memcpy(&a, at, sizeof(a));
                if (a.rta_len < sizeof(a) || a.rta_len > n)
                        return -EPROTO;
                if (a.rta_type == RTA_OIF && a.rta_len >= RTA_LENGTH(sizeof(*ret_index))) {
                        memcpy(ret_index, at + RTA_LENGTH(0), sizeof(*ret_index));
                        return 0;
                }
                if (RTA_ALIGN(a.rta_len) > n)
                        break;
                at += RTA_ALIGN(a.rta_len);
                n -= RTA_ALIGN(a.rta_len);
        }
        return -ENETUNREACH;
}

/* The kernel's answer to a request for a route, in the @n octets from @header on. */
static int read_answer(const struct nlmsghdr *header, size_t n, unsigned *ret_index)
{
        const size_t before = NLMSG_LENGTH(sizeof(struct rtmsg));
        struct nlmsgerr error;

        if (n < sizeof(*header) || header->nlmsg_len > n)
                return -EPROTO;
        if (header->nlmsg_type == NLMSG_ERROR && header->nlmsg_len >= NLMSG_LENGTH(sizeof(error))) {
                memcpy(&error, (const char *)header + NLMSG_HDRLEN, sizeof(error));
                return error.error < 0 ? error.error : -EPROTO;
        }
        if (header->nlmsg_type != RTM_NEWROUTE || header->nlmsg_len < before)
                return -EPROTO;
        return find_interface((const char *)header + before, header->nlmsg_len - before, ret_index);
}

int netlink_route(const union socket_address *to, unsigned *ret_index)
{
        struct route_request request = make_request(to);
        union {
                struct nlmsghdr header;
                char bytes[4096];
        } answer;
        ssize_t n;
        int fd = -1, r;

        r = open_netlink(0, &fd);
        if (r < 0)
                return r;
        /* The kernel has put its answer into the queue when send() returns. */
        n = send(fd, &request, request.header.nlmsg_len, 0);
        if (n >= 0)
                n = recv(fd, &answer, sizeof(answer), 0);
        r = n < 0 ? -errno : read_answer(&answer.header, (size_t)n, ret_index);
        close(fd);
        return r;
}

int netlink_watch(bool routes, int *ret_fd)
{
        uint32_t groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

        if (routes)
                groups |= RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
        return open_netlink(groups, ret_fd);
}

bool netlink_changed(int fd)
{
        char bytes[8192];
        bool changed = false;
        ssize_t n;

        for (;;) {
                n = recv(fd, bytes, sizeof(bytes), MSG_TRUNC);
                if (n < 0 && errno != ENOBUFS && errno != EINTR)
                        return changed;
                changed = true;
        }
}
