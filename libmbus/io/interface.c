/*
 * interface.c - see interface.h. RFC 3259, sections 4.1 (host-id) and 6.1 (scopes).
 *
 * Invariant: an interface that is chosen is up and has an address of the bus's family, so that what
 * is sent there has a source and a host-id.
 */
#include "interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "netlink.h"
#include "socket.h"

#define MTU_ETHERNET 1500

/* All about the interfaces at one moment: the list has an AF_PACKET entry for each interface, up
 * or down, and one for each of its addresses. */
struct scene {
        const struct interface_rule *rule;
        struct ifaddrs *all;
        char *error; /* 512 octets */
};

static int family_of(const struct interface_rule *rule)
{
        return rule->group.any.sa_family;
}

static const char *family_name(const struct interface_rule *rule)
{
        return family_of(rule) == AF_INET6 ? "IPv6" : "IPv4";
}

static bool is_link(const struct ifaddrs *a)
{
        return a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET;
}

static unsigned index_of(const struct ifaddrs *link)
{
        struct sockaddr_ll address;

        memcpy(&address, link->ifa_addr, sizeof(address));
        return (unsigned)address.sll_ifindex;
}

static const struct ifaddrs *find_name(const struct scene *s, const char *name)
{
        for (const struct ifaddrs *a = s->all; a; a = a->ifa_next) {
                if (is_link(a) && strcmp(a->ifa_name, name) == 0)
                        return a;
        }
        return NULL;
}

static const struct ifaddrs *find_index(const struct scene *s, unsigned index)
{
        for (const struct ifaddrs *a = s->all; a; a = a->ifa_next) {
                if (is_link(a) && index_of(a) == index)
                        return a;
        }
        return NULL;
}

static const struct ifaddrs *find_loopback(const struct scene *s)
{
        for (const struct ifaddrs *a = s->all; a; a = a->ifa_next) {
                if (is_link(a) && (a->ifa_flags & IFF_LOOPBACK))
                        return a;
        }
        return NULL;
}

/* False if @a is no IP address. */
static bool ip_of(const struct ifaddrs *a, union socket_address *ret_address)
{
        union socket_address address = { .v6 = { 0 } };

        if (!a->ifa_addr)
                return false;
        address.any.sa_family = a->ifa_addr->sa_family;
        if (socket_address_size(&address) == 0)
                return false;
        memcpy(&address, a->ifa_addr, socket_address_size(&address));
        *ret_address = address;
        return true;
}

static const struct ifaddrs *find_address(const struct scene *s, const union socket_address *wanted)
{
        union socket_address address;

        for (const struct ifaddrs *a = s->all; a; a = a->ifa_next) {
                if (ip_of(a, &address) && socket_address_same_host(&address, wanted))
                        return find_name(s, a->ifa_name);
        }
        return NULL;
}

/* What interface_host_id() needs: any address with IPv4, the link-local one with IPv6. */
static const struct ifaddrs *find_own(const struct ifaddrs *all, const char *name, int family,
                                      union socket_address *ret_address)
{
        union socket_address address;

        for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
                if (strcmp(a->ifa_name, name) != 0 || !ip_of(a, &address) ||
                    address.any.sa_family != family)
                        continue;
                if (family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&address.v6.sin6_addr))
                        continue;
                *ret_address = address;
                return a;
        }
        return NULL;
}

static bool has_address(const struct scene *s, const struct ifaddrs *link)
{
        union socket_address address;

        return (link->ifa_flags & IFF_LOOPBACK) ||
               find_own(s->all, link->ifa_name, family_of(s->rule), &address);
}

static bool is_usable(const struct scene *s, const struct ifaddrs *link)
{
        unsigned flags = link->ifa_flags;
        unsigned wanted =
                s->rule->broadcast && family_of(s->rule) == AF_INET ? IFF_BROADCAST : IFF_MULTICAST;

        return (flags & IFF_UP) && ((flags & wanted) || (flags & IFF_LOOPBACK)) &&
               has_address(s, link);
}

static void add(struct interface_choice *choice, const struct ifaddrs *link)
{
        struct interface *i = &choice->interfaces[choice->n];

        for (unsigned k = 0; k < choice->n; k++) {
                if (choice->interfaces[k].index == index_of(link))
                        return;
        }
        *i = (struct interface){ .index = index_of(link),
                                 .loopback = link->ifa_flags & IFF_LOOPBACK };
        snprintf(i->name, sizeof(i->name), "%s", link->ifa_name);
        choice->n++;
}

static int choose_loopback(const struct scene *s, struct interface_choice *choice)
{
        const struct ifaddrs *lo = find_loopback(s);

        if (!lo) {
                snprintf(s->error, 512, "lo: this host has no loopback interface");
                return MBUS_E_NO_BUS;
        }
        if (!(lo->ifa_flags & IFF_UP)) {
                snprintf(s->error, 512, "%s: the interface is down: `ip link set %s up`",
                         lo->ifa_name, lo->ifa_name);
                return MBUS_E_NO_BUS;
        }
        add(choice, lo);
        return 0;
}

static int choose_name(const struct scene *s, const char *name, struct interface_choice *choice)
{
        union socket_address address;
        const struct ifaddrs *link = find_name(s, name);

        if (!link && socket_address_parse(name, 0, &address))
                link = find_address(s, &address);
        if (link && (link->ifa_flags & IFF_UP) && has_address(s, link)) {
                add(choice, link);
                return 0;
        }
        if (!link)
                snprintf(s->error, 512,
                         "INTERFACE=%s: no interface has this name or address: `ip address` "
                         "lists them",
                         name);
        else if (!(link->ifa_flags & IFF_UP))
                snprintf(s->error, 512, "INTERFACE=%s: the interface is down: `ip link set %s up`",
                         name, link->ifa_name);
        else
                snprintf(s->error, 512,
                         "INTERFACE=%s: the interface has no %s address%s: `ip address add ... "
                         "dev %s`, or another IPVERSION",
                         name, family_name(s->rule),
                         family_of(s->rule) == AF_INET6 ? " in fe80::/64" : "", link->ifa_name);
        return MBUS_E_NO_BUS;
}

static int choose_names(const struct scene *s, struct interface_choice *choice)
{
        for (unsigned i = 0; i < s->rule->n_names; i++) {
                int r = choose_name(s, s->rule->names[i], choice);

                if (r != 0)
                        return r;
        }
        return 0;
}

/* The usable interface that the kernel would take for the group. */
static const struct ifaddrs *find_route(const struct scene *s)
{
        const struct ifaddrs *link;
        unsigned index;

        if (netlink_route(&s->rule->group, &index) < 0)
                return NULL;
        link = find_index(s, index);
        return link && is_usable(s, link) ? link : NULL;
}

/* The usable interface with the lowest index: the same for all programs of the host. */
static const struct ifaddrs *find_first(const struct scene *s)
{
        const struct ifaddrs *first = NULL;

        for (const struct ifaddrs *a = s->all; a; a = a->ifa_next) {
                if (is_link(a) && !(a->ifa_flags & IFF_LOOPBACK) && is_usable(s, a) &&
                    (!first || index_of(a) < index_of(first)))
                        first = a;
        }
        return first;
}

static int choose_as_kernel(const struct scene *s, struct interface_choice *choice)
{
        const struct ifaddrs *link = find_route(s);

        if (link) {
                add(choice, link);
                return 0;
        }
        snprintf(choice->warning, sizeof(choice->warning),
                 "DIALECT=UCL: there is no route for multicast, so the bus is on lo, where old "
                 "programs do not hear it: `ip route add 224.0.0.0/4 dev INTERFACE`");
        return choose_loopback(s, choice);
}

static int choose_link(const struct scene *s, struct interface_choice *choice)
{
        const struct ifaddrs *link = find_route(s);

        if (!link)
                link = find_first(s);
        if (link && !(link->ifa_flags & IFF_LOOPBACK)) {
                add(choice, link);
                return 0;
        }
        snprintf(choice->warning, sizeof(choice->warning),
                 "SCOPE=LINKLOCAL: %s, so the bus does not leave this host: INTERFACE= names "
                 "another",
                 link ? "the route for the bus leads to lo"
                      : "no interface but lo is up and has an address");
        return choose_loopback(s, choice);
}

int interface_choose(const struct interface_rule *rule, struct interface_choice *ret_choice,
                     char ret_error[static 512])
{
        struct interface_choice choice = { .n = 0 };
        struct scene s = { .rule = rule, .error = ret_error };
        int r;

        if (getifaddrs(&s.all) < 0) {
                r = -errno;
                snprintf(ret_error, 512, "getifaddrs: %s", strerror(-r));
                return r == -ENOMEM ? r : MBUS_E_NO_BUS;
        }
        if (rule->n_names > 0)
                r = choose_names(&s, &choice);
        else if (rule->as_kernel)
                r = choose_as_kernel(&s, &choice);
        else if (rule->scope == SCOPE_HOSTLOCAL)
                r = choose_loopback(&s, &choice);
        else
                r = choose_link(&s, &choice);
        freeifaddrs(s.all);
        if (r == 0)
                *ret_choice = choice;
        return r;
}

size_t interface_mtu(const struct interface *interface)
{
        struct ifreq request = { .ifr_mtu = 0 };
        size_t mtu = MTU_ETHERNET;
        int fd;

        if (socket_open(AF_INET, &fd) < 0 && socket_open(AF_INET6, &fd) < 0)
                return mtu;
        memcpy(request.ifr_name, interface->name, sizeof(interface->name));
        if (ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0)
                mtu = (size_t)request.ifr_mtu;
        socket_close(fd);
        return mtu;
}

static void format_interface_id(const struct in6_addr *a, char ret_text[static HOST_ID_MAX])
{
        unsigned group[4];

        for (unsigned i = 0; i < 4; i++)
                group[i] = (unsigned)a->s6_addr[8 + 2 * i] << 8 | a->s6_addr[9 + 2 * i];
        snprintf(ret_text, HOST_ID_MAX, "%x:%x:%x:%x", group[0], group[1], group[2], group[3]);
}

void interface_host_id(const struct interface *interface, const union socket_address *source,
                       char ret_text[static HOST_ID_MAX])
{
        int family = source->any.sa_family;
        union socket_address address = *source;
        struct ifaddrs *all = NULL;

        if (family == AF_INET && source->v4.sin_addr.s_addr != htonl(INADDR_ANY)) {
                inet_ntop(AF_INET, &source->v4.sin_addr, ret_text, HOST_ID_MAX);
                return;
        }
        snprintf(ret_text, HOST_ID_MAX, family == AF_INET ? "127.0.0.1" : "::1");
        if (getifaddrs(&all) < 0)
                return;
        if (find_own(all, interface->name, family, &address)) {
                if (family == AF_INET)
                        inet_ntop(AF_INET, &address.v4.sin_addr, ret_text, HOST_ID_MAX);
                else
                        format_interface_id(&address.v6.sin6_addr, ret_text);
        }
        freeifaddrs(all);
}
