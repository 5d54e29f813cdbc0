/*
 * netlink.c - see netlink.h.
 *
 * Questions and the kernel's answers; its news are read by netlink-news.c.
 */
#include "netlink.h"
#include "descriptor.h"
#include "netlink-attribute.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Since Linux 5.5. */
#define ATTRIBUTE_PROP_LIST 52
#define ATTRIBUTE_ALT_IFNAME 53

/* What the kernel puts into one answer at most. */
#define ANSWER_SIZE 32768
/* A list that changed while it was told is asked for again, so often. */
#define ATTEMPTS 4

struct request {
        struct nlmsghdr header;
        union {
                struct ifinfomsg link;
                struct rtmsg route;
        };
};

struct route_request {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint8_t destination[16];
};

_Static_assert(offsetof(struct route_request, destination) ==
                       NLMSG_LENGTH(sizeof(struct rtmsg)) + RTA_LENGTH(0),
               "the request is laid out as netlink wants it");

bool netlink_is_missing(int r)
{
        switch (r) {
        case -EAFNOSUPPORT:
        case -EPROTONOSUPPORT:
        case -ESOCKTNOSUPPORT:
        case -EOPNOTSUPP:
        case -EPERM:
        case -EACCES:
        case -ENOSYS:
                return true;
        default:
                return false;
        }
}

int netlink_open_groups(uint32_t groups, int *ret_fd)
{
        struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = groups };
        int fd = descriptor_apart(
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
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

int netlink_open(int *ret_fd)
{
        return netlink_open_groups(0, ret_fd);
}

bool netlink_next(struct netlink_attributes *all, struct netlink_attribute *ret_attribute)
{
        struct rtattr a;
        size_t step;

        if (all->n < sizeof(a))
                return false;
        memcpy(&a, all->at, sizeof(a));
        if (a.rta_len < sizeof(a) || a.rta_len > all->n)
                return false;
        *ret_attribute =
                (struct netlink_attribute){ a.rta_type & NLA_TYPE_MASK, all->at + RTA_LENGTH(0),
                                            a.rta_len - RTA_LENGTH(0) };
        step = RTA_ALIGN(a.rta_len);
        if (step > all->n)
                step = all->n;
        all->at += step;
        all->n -= step;
        return true;
}

/* The attributes behind the @size octets that a message of this kind begins with, which are copied
 * to @ret_begin. False if it is too short. */
static bool open_message(const struct nlmsghdr *h, void *ret_begin, size_t size,
                         struct netlink_attributes *ret_attributes)
{
        size_t before = NLMSG_HDRLEN + NLMSG_ALIGN(size);

        if (h->nlmsg_len < NLMSG_HDRLEN + size)
                return false;
        memcpy(ret_begin, (const char *)h + NLMSG_HDRLEN, size);
        *ret_attributes =
                (struct netlink_attributes){ (const char *)h + before,
                                             h->nlmsg_len > before ? h->nlmsg_len - before : 0 };
        return true;
}

static bool take_u32(const struct netlink_attribute *a, unsigned *ret_number)
{
        if (a->n < sizeof(*ret_number))
                return false;
        memcpy(ret_number, a->at, sizeof(*ret_number));
        return true;
}

/* The text of an attribute, cut if it is too long for any name. */
static void take_text(const struct netlink_attribute *a, char ret_text[static DEVICE_NAME_MAX])
{
        size_t n = strnlen(a->at, a->n);

        n = n < DEVICE_NAME_MAX ? n : 0;
        memcpy(ret_text, a->at, n);
        ret_text[n] = '\0';
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* What a list is read into. */
struct reading {
        struct devices *devices;
        const union socket_address *group;
};

static int read_altnames(struct devices *d, unsigned index, const struct netlink_attribute *list)
{
        struct netlink_attributes all = { list->at, list->n };
        struct netlink_attribute a;
        char text[DEVICE_NAME_MAX];
        int r = 0;

        while (r == 0 && netlink_next(&all, &a)) {
                if (a.type != ATTRIBUTE_ALT_IFNAME)
                        continue;
                take_text(&a, text);
                r = devices_add_name(d, index, false, text);
        }
        return r;
}

static int read_link(const struct reading *reading, const struct nlmsghdr *h)
{
        struct ifinfomsg link;
        struct netlink_attributes all;
        struct netlink_attribute a;
        struct device device = { .mtu = 0 };
        char text[DEVICE_NAME_MAX];
        int r = 0;

        if (h->nlmsg_type != RTM_NEWLINK || !open_message(h, &link, sizeof(link), &all))
                return 0;
        device.index = (unsigned)link.ifi_index;
        device.flags = link.ifi_flags;
        while (r == 0 && netlink_next(&all, &a)) {
                if (a.type == IFLA_IFNAME) {
                        take_text(&a, text);
                        memcpy(device.name, text, sizeof(device.name) - 1);
                } else if (a.type == IFLA_MTU) {
                        take_u32(&a, &device.mtu);
                } else if (a.type == ATTRIBUTE_PROP_LIST) {
                        r = read_altnames(reading->devices, device.index, &a);
                }
        }
        return r < 0 || !device.name[0] ? r : devices_add(reading->devices, &device);
}

/* IFA_LOCAL is the own address where IFA_ADDRESS is that of the other end. */
static bool take_address(const struct netlink_attribute *a, const struct ifaddrmsg *m,
                         bool *has_local, union socket_address *address)
{
        if (a->type == IFA_LOCAL)
                *has_local = true;
        else if (a->type != IFA_ADDRESS || *has_local)
                return false;
        address->any.sa_family = m->ifa_family;
        if (m->ifa_family == AF_INET && a->n >= 4)
                memcpy(&address->v4.sin_addr, a->at, 4);
        else if (m->ifa_family == AF_INET6 && a->n >= 16)
                memcpy(&address->v6.sin6_addr, a->at, 16);
        else
                return false;
        return true;
}

static int read_address(const struct reading *reading, const struct nlmsghdr *h)
{
        union socket_address address = { .v6 = { 0 } };
        char label[DEVICE_NAME_MAX] = "";
        struct netlink_attributes all;
        struct netlink_attribute a;
        struct ifaddrmsg m;
        bool has_local = false, has = false;
        int r;

        if (h->nlmsg_type != RTM_NEWADDR || !open_message(h, &m, sizeof(m), &all))
                return 0;
        while (netlink_next(&all, &a)) {
                if (a.type == IFA_LABEL)
                        take_text(&a, label);
                else
                        has |= take_address(&a, &m, &has_local, &address);
        }
        if (!has)
                return 0;
        r = devices_add_address(reading->devices, m.ifa_index, &address);
        return r < 0 ? r : devices_add_name(reading->devices, m.ifa_index, true, label);
}

/* Of a route over several ways the first. */
static void take_next_hop(const struct netlink_attribute *a, unsigned *ret_index)
{
        struct rtnexthop hop;

        if (a->n < sizeof(hop) || *ret_index)
                return;
        memcpy(&hop, a->at, sizeof(hop));
        *ret_index = (unsigned)hop.rtnh_ifindex;
}

/* Routes to ff00::/8 that the kernel makes for each interface say nothing about where to go. */
static int read_route(const struct reading *reading, const struct nlmsghdr *h)
{
        struct device_route route = { .index = 0 };
        uint8_t destination[16] = { 0 };
        struct netlink_attributes all;
        struct netlink_attribute a;
        struct rtmsg m;
        unsigned table;

        if (h->nlmsg_type != RTM_NEWROUTE || !open_message(h, &m, sizeof(m), &all))
                return 0;
        table = m.rtm_table;
        while (netlink_next(&all, &a)) {
                if (a.type == RTA_OIF)
                        take_u32(&a, &route.index);
                else if (a.type == RTA_MULTIPATH)
                        take_next_hop(&a, &route.index);
                else if (a.type == RTA_PRIORITY)
                        take_u32(&a, &route.metric);
                else if (a.type == RTA_TABLE)
                        take_u32(&a, &table);
                else if (a.type == RTA_DST && a.n <= sizeof(destination))
                        memcpy(destination, a.at, a.n);
        }
        route.prefix = m.rtm_dst_len;
        if (table != RT_TABLE_MAIN || m.rtm_family != reading->group->any.sa_family ||
            (m.rtm_type != RTN_UNICAST && m.rtm_type != RTN_MULTICAST) || !route.index ||
            (route.prefix > 0 && m.rtm_protocol == RTPROT_KERNEL))
                return 0;
        return devices_add_route(reading->devices, reading->group, destination, &route);
}

struct list {
        uint16_t type;
        int (*read)(const struct reading *reading, const struct nlmsghdr *h);
};

/* Reads the messages in the @n octets at @at. 1: more follow; 0: that was all; -EINTR: that was
 * all, and the list has changed meanwhile; other -errno. */
static int read_part(const struct list *list, const struct reading *reading, const char *at,
                     size_t n)
{
        struct nlmsghdr h;
        struct nlmsgerr error;
        bool interrupted = false;
        int r = 0;

        while (n >= sizeof(h) && r == 0) {
                memcpy(&h, at, sizeof(h));
                if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n)
                        return -EPROTO;
                interrupted |= h.nlmsg_flags & NLM_F_DUMP_INTR;
                if (h.nlmsg_type == NLMSG_DONE)
                        return interrupted ? -EINTR : 0;
                if (h.nlmsg_type == NLMSG_ERROR) {
                        if (h.nlmsg_len < NLMSG_LENGTH(sizeof(error)))
                                return -EPROTO;
                        memcpy(&error, at + NLMSG_HDRLEN, sizeof(error));
                        return error.error < 0 ? error.error : -EPROTO;
                }
                /* The buffer is aligned, and so is each message in it. */
                r = list->read(reading, (const struct nlmsghdr *)(const void *)at);
                if (NLMSG_ALIGN(h.nlmsg_len) > n)
                        break;
                at += NLMSG_ALIGN(h.nlmsg_len);
                n -= NLMSG_ALIGN(h.nlmsg_len);
        }
        if (r < 0)
                return r;
        return interrupted ? -EINTR : 1;
}

/* What is left of an answer that was not understood. */
static void skip_answer(int fd)
{
        char bytes[4096];

        while (recv(fd, bytes, sizeof(bytes), 0) >= 0 || errno == EINTR || errno == ENOBUFS)
                ;
}

static int read_list(int fd, const struct list *list, const struct reading *reading)
{
        struct request request = {
                .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                            .nlmsg_type = list->type,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                            .nlmsg_seq = 1 },
        };
        void *answer = malloc(ANSWER_SIZE);
        int r = answer ? 1 : -ENOMEM;
        ssize_t n;

        if (list->type == RTM_GETLINK)
                request.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
        else if (list->type == RTM_GETROUTE)
                request.route.rtm_family = (uint8_t)reading->group->any.sa_family;
        if (r > 0 && send(fd, &request, request.header.nlmsg_len, 0) < 0)
                r = -errno;
        /* The kernel makes the next part when one is read, so there is nothing to wait for. */
        while (r > 0) {
                n = recv(fd, answer, ANSWER_SIZE, MSG_TRUNC);
                if (n > ANSWER_SIZE)
                        r = -EPROTO;
                else if (n >= 0)
                        r = read_part(list, reading, answer, (size_t)n);
                else if (errno != EINTR)
                        r = -errno;
        }
        free(answer);
        if (r < 0)
                skip_answer(fd);
        return r;
}

int netlink_read(int fd, struct devices *d)
{
        static const struct list lists[] = { { RTM_GETLINK, read_link },
                                             { RTM_GETADDR, read_address } };
        struct reading reading = { d, NULL };
        int r = -EINTR;

        for (unsigned i = 0; i < ATTEMPTS && r == -EINTR; i++) {
                devices_deinit(d);
                r = read_list(fd, &lists[0], &reading);
                if (r == 0)
                        r = read_list(fd, &lists[1], &reading);
        }
        /* A host that changes all the time: what was read is as good as any. */
        return r == -EINTR ? 0 : r;
}

int netlink_read_routes(int fd, const union socket_address *group, struct devices *d)
{
        static const struct list list = { RTM_GETROUTE, read_route };
        struct reading reading = { d, group };
        int r = -EINTR;

        for (unsigned i = 0; i < ATTEMPTS && r == -EINTR; i++) {
                d->n_routes = 0;
                r = read_list(fd, &list, &reading);
        }
        return r == -EINTR ? 0 : r;
}

/* ---- one route ------------------------------------------------------------------------------- */

static struct route_request make_route_request(const union socket_address *to)
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

/* The kernel's answer to a request for a route, in the @n octets from @header on. */
static int read_route_answer(const struct nlmsghdr *header, size_t n, unsigned *ret_index)
{
        struct nlmsgerr error;
        struct netlink_attributes all;
        struct netlink_attribute a;
        struct rtmsg m;

        if (n < sizeof(*header) || header->nlmsg_len > n)
                return -EPROTO;
        if (header->nlmsg_type == NLMSG_ERROR && header->nlmsg_len >= NLMSG_LENGTH(sizeof(error))) {
                memcpy(&error, (const char *)header + NLMSG_HDRLEN, sizeof(error));
                return error.error < 0 ? error.error : -EPROTO;
        }
        if (header->nlmsg_type != RTM_NEWROUTE || !open_message(header, &m, sizeof(m), &all))
                return -EPROTO;
        while (netlink_next(&all, &a))
                if (a.type == RTA_OIF && take_u32(&a, ret_index))
                        return 0;
        return -ENETUNREACH;
}

int netlink_route(int fd, const union socket_address *to, unsigned *ret_index)
{
        struct route_request request = make_route_request(to);
        union {
                struct nlmsghdr header;
                char bytes[4096];
        } answer;
        ssize_t n;

        /* The kernel has put its answer into the queue when send() returns. */
        n = send(fd, &request, request.header.nlmsg_len, 0);
        if (n >= 0)
                n = recv(fd, &answer, sizeof(answer), 0);
        return n < 0 ? -errno : read_route_answer(&answer.header, (size_t)n, ret_index);
}
