/*
 * devices-proc.c - interfaces without netlink, which some sandboxes and emulators do not have: the
 * calls of ioctl(2) that are as old as IPv4, and what stands in /proc/net. There are no altnames
 * then, and where /proc is missing, too, nothing but interfaces with an IPv4 address.
 */
#include "devices-proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "socket.h"

#define LINE_SIZE 512
/* Addresses that SIOCGIFCONF is asked for. */
#define ADDRESSES_MAX 1024

/* ---- interfaces ------------------------------------------------------------------------------ */

static void set_name(struct ifreq *request, const char *name, size_t n)
{
        *request = (struct ifreq){ .ifr_ifindex = 0 };
        memcpy(request->ifr_name, name, n < IF_NAMESIZE ? n : IF_NAMESIZE - 1);
}

/* Adds the interface called @name of @n octets; *@ret_index is 0 if there is none. */
static int add_by_name(struct devices *d, int fd, const char *name, size_t n, unsigned *ret_index)
{
        struct device device = { .mtu = 0 };
        struct ifreq request;

        *ret_index = 0;
        set_name(&request, name, n);
        memcpy(device.name, request.ifr_name, sizeof(device.name));
        if (n >= IF_NAMESIZE || ioctl(fd, SIOCGIFINDEX, &request) < 0)
                return 0;
        device.index = (unsigned)request.ifr_ifindex;
        set_name(&request, name, n);
        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return 0;
        device.flags = (unsigned short)request.ifr_flags;
        set_name(&request, name, n);
        if (ioctl(fd, SIOCGIFMTU, &request) == 0)
                device.mtu = (unsigned)request.ifr_mtu;
        *ret_index = device.index;
        return devices_add(d, &device);
}

/* "  eth0: 1 2 3 ..." behind two lines of headings. */
static int read_dev(struct devices *d, int fd)
{
        FILE *f = fopen("/proc/net/dev", "re");
        char line[LINE_SIZE];
        unsigned index;
        int r = 0;

        while (f && r == 0 && fgets(line, sizeof(line), f)) {
                const char *name = line + strspn(line, " ");
                const char *end = strchr(name, ':');

                if (end && !strchr(line, '|'))
                        r = add_by_name(d, fd, name, (size_t)(end - name), &index);
        }
        if (f)
                fclose(f);
        return r;
}

/* The name that SIOCGIFCONF gives is that of the address: behind a colon it is a label. */
static int add_ipv4(struct devices *d, int fd, const struct ifreq *request)
{
        union socket_address address = { .v6 = { 0 } };
        char name[IF_NAMESIZE + 1] = "";
        unsigned index;
        int r;

        memcpy(name, request->ifr_name, IF_NAMESIZE);
        r = add_by_name(d, fd, name, strcspn(name, ":"), &index);
        if (r < 0 || index == 0 || request->ifr_addr.sa_family != AF_INET)
                return r;
        memcpy(&address.v4, &request->ifr_addr, sizeof(address.v4));
        r = devices_add_address(d, index, &address);
        return r < 0 ? r : devices_add_name(d, index, true, name);
}

static int read_ipv4(struct devices *d, int fd)
{
        struct ifconf list = { .ifc_len = (int)(ADDRESSES_MAX * sizeof(struct ifreq)) };
        int r = 0;

        list.ifc_req = calloc(ADDRESSES_MAX, sizeof(struct ifreq));
        if (!list.ifc_req)
                return -ENOMEM;
        if (ioctl(fd, SIOCGIFCONF, &list) < 0)
                r = -errno;
        for (size_t i = 0; r == 0 && i < (size_t)list.ifc_len / sizeof(struct ifreq); i++)
                r = add_ipv4(d, fd, &list.ifc_req[i]);
        free(list.ifc_req);
        return r;
}

/* @n octets in hexadecimal. */
static bool read_octets(const char *hex, uint8_t *ret_octets, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (sscanf(hex + 2 * i, "%2hhx", &ret_octets[i]) != 1)
                        return false;
        return true;
}

/* "fe80000000000000021122fffe334455 02 40 20 80     eth0" */
static int read_ipv6(struct devices *d)
{
        FILE *f = fopen("/proc/net/if_inet6", "re");
        char line[LINE_SIZE], hex[33];
        unsigned index;
        int r = 0;

        while (f && r == 0 && fgets(line, sizeof(line), f)) {
                union socket_address a = { .v6 = { .sin6_family = AF_INET6 } };

                if (sscanf(line, "%32s %x", hex, &index) == 2 &&
                    read_octets(hex, a.v6.sin6_addr.s6_addr, 16))
                        r = devices_add_address(d, index, &a);
        }
        if (f)
                fclose(f);
        return r;
}

/* ---- routes ---------------------------------------------------------------------------------- */

static unsigned index_of_name(const struct devices *d, const char *name)
{
        for (size_t i = 0; i < d->n; i++)
                if (strcmp(d->devices[i].name, name) == 0)
                        return d->devices[i].index;
        return 0;
}

/* Interface, destination, gateway, flags, counts, metric, mask: numbers in the order of the
 * network. */
static int add_route_v4(struct devices *d, const union socket_address *group, const char *line)
{
        struct device_route route = { .index = 0 };
        unsigned destination, flags, mask;
        char name[IF_NAMESIZE];

        if (sscanf(line, "%15s %x %*x %x %*d %*d %u %x", name, &destination, &flags, &route.metric,
                   &mask) != 5 ||
            !(flags & 1))
                return 0;
        route.index = index_of_name(d, name);
        route.prefix = (unsigned)__builtin_popcount(mask);
        return route.index ? devices_add_route(d, group, &destination, &route) : 0;
}

/* Destination, prefix, source, prefix, gateway, metric, counts, flags, interface. Of routes to
 * groups only those that somebody gave a gateway count: the others may be the kernel's own. */
static int add_route_v6(struct devices *d, const union socket_address *group, const char *line)
{
        struct device_route route = { .index = 0 };
        uint8_t destination[16];
        char hex[33], name[IF_NAMESIZE];
        unsigned flags;

        if (sscanf(line, "%32s %x %*s %*x %*s %x %*x %*x %x %15s", hex, &route.prefix,
                   &route.metric, &flags, name) != 5 ||
            !(flags & 1) || flags & 0x200 || !read_octets(hex, destination, 16))
                return 0;
        route.index = index_of_name(d, name);
        if (!route.index || (route.prefix > 0 && !(flags & 2)))
                return 0;
        return devices_add_route(d, group, destination, &route);
}

int devices_read_proc_routes(const union socket_address *group, struct devices *d)
{
        bool v6 = group->any.sa_family == AF_INET6;
        FILE *f = fopen(v6 ? "/proc/net/ipv6_route" : "/proc/net/route", "re");
        char line[LINE_SIZE];
        int r = 0;

        for (unsigned i = 0; f && r == 0 && i < DEVICE_ROUTES_MAX; i++) {
                if (!fgets(line, sizeof(line), f))
                        break;
                r = v6 ? add_route_v6(d, group, line) : add_route_v4(d, group, line);
        }
        if (f)
                fclose(f);
        return r;
}

int devices_read_proc(struct devices *d)
{
        int fd, r = socket_open(AF_INET, &fd);

        if (r < 0 && r != -ENOMEM)
                r = socket_open(AF_INET6, &fd);
        if (r < 0)
                return r;
        r = read_dev(d, fd);
        if (r == 0)
                r = read_ipv4(d, fd);
        if (r == 0)
                r = read_ipv6(d);
        socket_close(fd);
        return r;
}
