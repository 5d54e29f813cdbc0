/*
 * interface.c - see interface.h. RFC 3259, sections 4.1 (host-id) and 6.1 (scopes).
 *
 * Invariant: an interface that is chosen is up and has an address of the bus's family, so that what
 * is sent there has a source and a host-id.
 */
#include "interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devices-read.h"
#include "netlink.h"
#include "socket.h"

#define MTU_ETHERNET 1500

/* All about the interfaces at one moment. */
struct scene {
        const struct interface_rule *rule;
        const struct interface_choice *before; /* NULL: the bus is being opened */
        int netlink;
        struct devices devices;
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

static const struct device *find_loopback(const struct scene *s)
{
        for (size_t i = 0; i < s->devices.n; i++) {
                if (s->devices.devices[i].flags & IFF_LOOPBACK)
                        return &s->devices.devices[i];
        }
        return NULL;
}

static bool has_address(const struct scene *s, const struct device *device)
{
        return (device->flags & IFF_LOOPBACK) ||
               devices_find_address(&s->devices, device->index, family_of(s->rule));
}

static bool is_usable(const struct scene *s, const struct device *device)
{
        unsigned flags = device->flags;
        unsigned wanted =
                s->rule->broadcast && family_of(s->rule) == AF_INET ? IFF_BROADCAST : IFF_MULTICAST;

        return (flags & IFF_UP) && ((flags & wanted) || (flags & IFF_LOOPBACK)) &&
               has_address(s, device);
}

static void add(const struct scene *s, struct interface_choice *choice, const struct device *device)
{
        struct interface *i = &choice->interfaces[choice->n];
        const union socket_address *address =
                devices_find_address(&s->devices, device->index, family_of(s->rule));

        for (unsigned k = 0; k < choice->n; k++) {
                if (choice->interfaces[k].index == device->index && !choice->interfaces[k].absent)
                        return;
        }
        *i = (struct interface){ .index = device->index,
                                 .loopback = device->flags & IFF_LOOPBACK,
                                 .running = device->flags & IFF_RUNNING,
                                 .mtu = device->mtu };
        if (address)
                i->address = *address;
        snprintf(i->name, sizeof(i->name), "%s", device->name);
        choice->n++;
}

static int choose_loopback(const struct scene *s, struct interface_choice *choice)
{
        const struct device *lo = find_loopback(s);

        if (!lo) {
                snprintf(s->error, 512, "lo: this host has no loopback interface");
                return MBUS_E_NO_BUS;
        }
        if (!(lo->flags & IFF_UP)) {
                snprintf(s->error, 512, "%s: the interface is down: `ip link set %s up`", lo->name,
                         lo->name);
                return MBUS_E_NO_BUS;
        }
        add(s, choice, lo);
        return 0;
}

static void warn_without_carrier(struct interface_choice *choice, const char *advice)
{
        const struct interface *sender = &choice->interfaces[0];

        if (!sender->running && !choice->warning[0])
                snprintf(choice->warning, sizeof(choice->warning),
                         "%s: the interface has no carrier%s", sender->name, advice);
}

/* What is wrong with INTERFACE=@name, which is @device or nothing. */
static void explain(const struct scene *s, const char *name, const struct device *device)
{
        if (!device)
                snprintf(s->error, 512,
                         "INTERFACE=%s: no interface has this name or address: `ip address` "
                         "lists them",
                         name);
        else if (!(device->flags & IFF_UP))
                snprintf(s->error, 512, "INTERFACE=%s: the interface is down: `ip link set %s up`",
                         name, device->name);
        else
                snprintf(s->error, 512,
                         "INTERFACE=%s: the interface has no %s address%s: `ip address add ... "
                         "dev %s`, or another IPVERSION",
                         name, family_name(s->rule),
                         family_of(s->rule) == AF_INET6 ? " in fe80::/64" : "", device->name);
}

/* What was INTERFACE= number @line before, if it was anything, is not there. */
static void keep(const struct scene *s, unsigned line, struct interface_choice *choice)
{
        for (unsigned i = 0; i < s->before->n; i++) {
                if (s->before->interfaces[i].line != line)
                        continue;
                choice->interfaces[choice->n] = s->before->interfaces[i];
                choice->interfaces[choice->n++].absent = true;
                return;
        }
}

static int choose_names(const struct scene *s, struct interface_choice *choice)
{
        unsigned n_found = 0;

        for (unsigned i = 0; i < s->rule->n_names; i++) {
                const char *name = s->rule->names[i];
                const struct device *device = devices_find_name(&s->devices, name);
                unsigned n = choice->n;

                if (device && (device->flags & IFF_UP) && has_address(s, device)) {
                        add(s, choice, device);
                        if (choice->n > n)
                                choice->interfaces[n].line = i;
                        n_found++;
                        continue;
                }
                if (!s->error[0])
                        explain(s, name, device);
                if (!s->before)
                        return MBUS_E_NO_BUS;
                keep(s, i, choice);
        }
        if (n_found == 0)
                return MBUS_E_NO_BUS;
        if (!choice->interfaces[0].absent)
                warn_without_carrier(choice, ": is it plugged in?");
        return 0;
}

static bool is_good(const struct scene *s, const struct device *device, bool running)
{
        return device && is_usable(s, device) && (!running || (device->flags & IFF_RUNNING));
}

/* The usable interface that the kernel would take for the group, as old programs let it. */
static const struct device *find_kernel_route(struct scene *s)
{
        const struct device *device;
        unsigned index = 0;
        int r = s->netlink < 0 ? -EAFNOSUPPORT : netlink_route(s->netlink, &s->rule->group, &index);

        if (netlink_is_missing(r) &&
            devices_read_routes(s->netlink, &s->rule->group, &s->devices) == 0 &&
            s->devices.n_routes > 0)
                index = s->devices.routes[0].index;
        device = devices_find(&s->devices, index);
        return is_good(s, device, false) ? device : NULL;
}

static const struct device *find_listed_route(const struct scene *s, bool running)
{
        for (size_t i = 0; i < s->devices.n_routes; i++) {
                const struct device *device = devices_find(&s->devices, s->devices.routes[i].index);

                if (is_good(s, device, running))
                        return device;
        }
        return NULL;
}

/* The usable interface with the lowest index: the same for all programs of the host. */
static const struct device *find_first(const struct scene *s, bool running)
{
        for (size_t i = 0; i < s->devices.n; i++) {
                const struct device *device = &s->devices.devices[i];

                if (!(device->flags & IFF_LOOPBACK) && is_good(s, device, running))
                        return device;
        }
        return NULL;
}

/*
 * Where the best route leads; an interface without a carrier reaches nobody, so any that has one is
 * better. With IPv4 the kernel is asked first, whose choice may depend on more than the main table,
 * and mostly last. With IPv6 it has a route to every group on each interface, and would take the
 * first of them, so it is not.
 */
static const struct device *find_default(struct scene *s)
{
        const struct device *asked = NULL, *device;

        if (family_of(s->rule) == AF_INET)
                asked = find_kernel_route(s);
        if (is_good(s, asked, true))
                return asked;
        (void)devices_read_routes(s->netlink, &s->rule->group, &s->devices);
        device = find_listed_route(s, true);
        if (!device)
                device = find_first(s, true);
        if (!device)
                device = asked;
        if (!device)
                device = find_listed_route(s, false);
        return device ? device : find_first(s, false);
}

static int choose_as_kernel(struct scene *s, struct interface_choice *choice)
{
        const struct device *device = find_kernel_route(s);

        if (device) {
                add(s, choice, device);
                return 0;
        }
        snprintf(choice->warning, sizeof(choice->warning),
                 "DIALECT=UCL: there is no route for multicast, so the bus is on lo, where old "
                 "programs do not hear it: `ip route add 224.0.0.0/4 dev INTERFACE`");
        return choose_loopback(s, choice);
}

static int choose_link(struct scene *s, struct interface_choice *choice)
{
        const struct device *device = find_default(s);

        if (device && !(device->flags & IFF_LOOPBACK)) {
                add(s, choice, device);
                warn_without_carrier(choice, ", and no other that the bus may use has one: is it "
                                             "plugged in?");
                return 0;
        }
        snprintf(choice->warning, sizeof(choice->warning),
                 "SCOPE=LINKLOCAL: %s, so the bus does not leave this host: INTERFACE= names "
                 "another",
                 device ? "the route for the bus leads to lo"
                        : "no interface but lo is up and has an address");
        return choose_loopback(s, choice);
}

int interface_choose(int netlink, const struct interface_rule *rule,
                     const struct interface_choice *before, struct interface_choice *ret_choice,
                     char ret_error[static 512])
{
        struct interface_choice choice = { .n = 0 };
        struct scene s = { .rule = rule, .before = before, .netlink = netlink, .error = ret_error };
        int r;

        ret_error[0] = '\0';
        r = devices_read(netlink, &s.devices);
        if (r < 0) {
                snprintf(ret_error, 512, "the interfaces of this host cannot be read: %s",
                         strerror(-r));
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
        devices_deinit(&s.devices);
        if (r == 0)
                *ret_choice = choice;
        return r;
}

int interface_find(const struct interface_rule *rule, struct interface_choice *ret_choice,
                   char ret_error[static 512])
{
        int netlink = -1, r;

        (void)netlink_open(&netlink);
        r = interface_choose(netlink, rule, NULL, ret_choice, ret_error);
        socket_close(netlink);
        return r;
}

bool interface_choice_equal(const struct interface_choice *a, const struct interface_choice *b)
{
        for (unsigned i = 0; i < a->n && i < b->n; i++)
                if (a->interfaces[i].index != b->interfaces[i].index)
                        return false;
        return a->n == b->n;
}

size_t interface_mtu(const struct interface *interface)
{
        return interface->mtu > 0 ? interface->mtu : MTU_ETHERNET;
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
        const union socket_address *address = source;
        int family = source->any.sa_family;

        if (family == AF_INET6 || source->v4.sin_addr.s_addr == htonl(INADDR_ANY))
                address = &interface->address;
        if (address->any.sa_family != family)
                snprintf(ret_text, HOST_ID_MAX, family == AF_INET ? "127.0.0.1" : "::1");
        else if (family == AF_INET)
                inet_ntop(AF_INET, &address->v4.sin_addr, ret_text, HOST_ID_MAX);
        else
                format_interface_id(&address->v6.sin6_addr, ret_text);
}
