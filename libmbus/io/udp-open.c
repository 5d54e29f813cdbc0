/*
 * udp-open.c - a bus is opened, moves with the interfaces of the host, and is closed (udp.h). RFC 3259,
 * sections 6.1 (scopes, groups, port) and 6.2 (unique endpoint).
 */
#include "udp-state.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "netlink.h"
#include "socket.h"

/* What mends an error that a call gave while opening. */
static const struct {
        int error;
        int family; /* 0: any */
        const char *advice;
} advices[] = {
        { EAFNOSUPPORT, AF_INET6, "this kernel has no IPv6, IPVERSION=4 in the configuration" },
        { EADDRNOTAVAIL, AF_INET6, "`sysctl -w net.ipv6.conf.all.disable_ipv6=0`" },
        { EADDRNOTAVAIL, AF_INET, "`ip address add 127.0.0.1/8 dev lo`" },
        { EADDRINUSE, 0, "`ss -ulnp` names the program that does not share the port" },
        { EACCES, 0, "PORT= of the configuration with a number above 1023" },
        { EMFILE, 0, "raise the limit of open files, `ulimit -n`" },
        { ENOBUFS, AF_INET, "`sysctl -w net.ipv4.igmp_max_memberships=100`" },
};

static int family_of(const struct udp *u)
{
        return u->rule.group.any.sa_family;
}

/* A plain HOSTLOCAL bus: on lo, now and for ever. */
static bool is_pinned(const struct udp *u)
{
        return u->rule.n_names == 0 && !interface_rule_follows_routes(&u->rule);
}

const char *udp_advise(const struct udp *u, int error)
{
        bool unreachable = error == -ENETUNREACH || error == -EHOSTUNREACH;

        if (unreachable && family_of(u) == AF_INET6 && udp_sender(u)->loopback)
                return "`ip -6 route add local ff00::/8 dev lo table local`";
        for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
                if (advices[i].error == -error &&
                    (advices[i].family == 0 || advices[i].family == family_of(u)))
                        return advices[i].advice;
        }
        return "INTERFACE= of the configuration may name another interface";
}

static int refuse(const struct udp *u, char error[static 512])
{
        if (u->failed == -ENOMEM)
                return -ENOMEM;
        snprintf(error, 512, "%s: %s for %s: %s: %s", udp_sender(u)->name, u->failed_call, u->name,
                 strerror(-u->failed), udp_advise(u, u->failed));
        return MBUS_E_NO_BUS;
}

/* Whether a step succeeded; the first that did not is remembered for refuse(). */
static bool did(struct udp *u, const char *call, int r)
{
        if (r < 0) {
                u->failed_call = call;
                u->failed = r;
        }
        return r >= 0;
}

/* A step that a bus can do without: if it failed, what comes of that is told once. */
static void wish(struct udp *u, const char *call, const char *otherwise, int r)
{
        size_t n = strlen(u->lacks);

        if (r < 0 && !strstr(u->lacks, call))
                snprintf(u->lacks + n, sizeof(u->lacks) - n, "%s%s: %s, so %s",
                         n ? "; " : "the system has no ", call, strerror(-r), otherwise);
}

/* A member already, and not by this call: of an interface that is gone, whose index has come back. */
static int join(struct udp *u, unsigned index)
{
        int r = socket_join(u->group_fd, &u->rule.group, index);

        if (r != -EADDRINUSE)
                return r;
        (void)socket_leave(u->group_fd, &u->rule.group, index);
        return socket_join(u->group_fd, &u->rule.group, index);
}

static int join_all(struct udp *u)
{
        int result = 0;

        if (!socket_address_is_multicast(&u->rule.group))
                return 0;
        for (unsigned i = 0; i < u->choice.n; i++) {
                struct interface *interface = &u->choice.interfaces[i];
                int r;

                if (interface->joined || interface->absent)
                        continue;
                r = join(u, interface->index);
                interface->joined = r == 0;
                if (r == 0)
                        continue;
                result = r;
                udp_note_not_joined(u, interface, r);
        }
        if (result == 0)
                u->network.join_error = 0;
        return result;
}

/*
 * The group socket is bound to the group, so that it hears nothing else. With IPv6 this would tie
 * it to one interface for ever, so it is done only where that is wanted.
 */
static int bind_group(struct udp *u)
{
        union socket_address address = u->rule.group;
        int r;

        if (family_of(u) == AF_INET6 && is_pinned(u))
                address.v6.sin6_scope_id = udp_sender(u)->index;
        else if (family_of(u) == AF_INET6)
                address.v6.sin6_addr = in6addr_any;
        else if (is_pinned(u) && u->rule.broadcast) {
                /* Broadcasts of the link are not for us; old kernels want privileges for it. */
                r = socket_bind_interface(u->group_fd, udp_sender(u)->index);
                if (r != -EPERM)
                        wish(u, "SO_BINDTOIFINDEX", "broadcasts of the network are heard, too", r);
        }
        return socket_bind(u->group_fd, &address);
}

static bool allow_broadcast(struct udp *u, int fd)
{
        int r = socket_allow_broadcast(fd);

        return !u->rule.broadcast || did(u, "SO_BROADCAST", r);
}

/* Room for bursts, and word of what was lost all the same. */
static void take_much(struct udp *u, int fd)
{
        wish(u, "SO_RCVBUF", "bursts are lost sooner",
             socket_set_receive_buffer(fd, UDP_RECEIVE_BUFFER));
        wish(u, "SO_RXQ_OVFL", "what it loses is not counted", socket_count_overflow(fd));
}

static bool open_group(struct udp *u)
{
        int family = family_of(u);

        /* Whoever does not share the port has it alone, and all others of this host are locked out. */
        if (!did(u, "socket", socket_open(family, &u->group_fd)) ||
            !did(u, "SO_REUSEADDR", socket_share_port(u->group_fd)))
                return false;
        take_much(u, u->group_fd);
        wish(u, "MULTICAST_ALL", "other interfaces are heard, too",
             socket_only_joined(u->group_fd, family));
        return allow_broadcast(u, u->group_fd) && did(u, "bind", bind_group(u)) &&
               did(u, "joining", join_all(u));
}

/* Through the interface that was chosen. On IPv4's lo the address that is sent from says the same. */
static bool choose_interface(struct udp *u, int fd)
{
        int r = socket_set_interface(fd, family_of(u), udp_sender(u)->index, u->rule.broadcast);

        return (is_pinned(u) && family_of(u) == AF_INET && !u->rule.broadcast) ||
               did(u, "MULTICAST_IF", r);
}

/* A socket like the own one, on a port that the kernel picks. */
static bool open_sender(struct udp *u, int *ret_fd)
{
        int family = family_of(u), hops = u->rule.scope == SCOPE_HOSTLOCAL ? 0 : 1, fd;
        union socket_address local = { .any = { .sa_family = (sa_family_t)family } };

        if (is_pinned(u) && family == AF_INET)
                local.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        else if (is_pinned(u))
                local.v6.sin6_addr = in6addr_loopback;
        if (!did(u, "socket", socket_open(family, &fd)))
                return false;
        wish(u, "MULTICAST_LOOP", "others on this host may hear nothing",
             socket_loop_back(fd, family));
        wish(u, "MULTICAST_ALL", "other interfaces are heard, too", socket_only_joined(fd, family));
        if (!allow_broadcast(u, fd) ||
            !did(u, "MULTICAST_TTL", socket_set_hops(fd, family, hops)) ||
            !choose_interface(u, fd) || !did(u, "bind", socket_bind(fd, &local))) {
                socket_close(fd);
                return false;
        }
        *ret_fd = fd;
        return true;
}

static bool open_own(struct udp *u)
{
        union socket_address local = { .v6 = { 0 } };
        int first;
        bool ok = open_sender(u, &u->own_fd) &&
                  did(u, "getsockname", socket_get_name(u->own_fd, &local));

        if (ok && socket_address_port(&local) == socket_address_port(&u->rule.group)) {
                /* The bus port is one that the kernel may pick: not twice, while we hold it. */
                first = u->own_fd;
                u->own_fd = -1;
                ok = open_sender(u, &u->own_fd) &&
                     did(u, "getsockname", socket_get_name(u->own_fd, &local));
                socket_close(first);
        }
        if (!ok)
                return false;
        u->own_port = socket_address_port(&local);
        take_much(u, u->own_fd);
        return true;
}

bool udp_is_source(const struct udp *u, const union socket_address *a)
{
        for (unsigned i = 0; i < u->n_sources && i < SOURCES_MAX; i++) {
                if (socket_address_same_host(&u->sources[i], a))
                        return true;
        }
        return false;
}

/* Which address the kernel sends from to the group, asked by connecting another socket to it. */
bool udp_learn_source(struct udp *u)
{
        union socket_address source;
        int fd;
        bool ok;

        if (!open_sender(u, &fd))
                return false;
        ok = did(u, "connect", socket_connect(fd, &u->rule.group)) &&
             did(u, "getsockname", socket_get_name(fd, &source));
        socket_close(fd);
        if (ok && !udp_is_source(u, &source))
                u->sources[u->n_sources++ % SOURCES_MAX] = source;
        return ok;
}

/* IPv6 is ready a while after its interface is up: no reason to refuse, the join is made. */
static bool is_early(const struct udp *u)
{
        return family_of(u) == AF_INET6 && !udp_sender(u)->loopback &&
               (u->failed == -EADDRNOTAVAIL || u->failed == -ENETUNREACH);
}

/*
 * On lo everything that we send would come back to us, at a fifth of the cost of sending it, to be
 * recognised and dropped. There the source never changes, so the kernel can do that for less.
 */
static void skip_own(struct udp *u)
{
        union socket_address own;

        u->skips_own = is_pinned(u) && family_of(u) == AF_INET && !u->rule.broadcast &&
                       socket_get_name(u->own_fd, &own) == 0 &&
                       socket_skip_source(u->group_fd, &own) == 0;
}

static bool find_source(struct udp *u)
{
        union socket_address none = { .any = { .sa_family = (sa_family_t)family_of(u) } };
        bool ok = udp_learn_source(u);

        if (!ok && !is_early(u))
                return false;
        if (!ok)
                snprintf(u->warnings[u->n_warnings++], sizeof(u->warnings[0]),
                         "%s: IPv6 is not ready, nothing is sent until it is: `ip address show %s`",
                         udp_sender(u)->name, udp_sender(u)->name);
        interface_host_id(udp_sender(u), ok ? &u->sources[0] : &none, u->host_id);
        return true;
}

/* What fits into one packet of the interface, and into UDP at all. */
static size_t payload_size(const struct udp *u)
{
        size_t headers = family_of(u) == AF_INET6 ? 48 : 28;
        size_t mtu = interface_mtu(udp_sender(u));

        mtu = mtu > headers ? mtu - headers : 0;
        return mtu < DATAGRAM_MAX ? mtu : DATAGRAM_MAX;
}

/* A sandbox may have no netlink, which only tells what can be looked at as well (devices.c). */
static int watch(struct udp *u, bool routes, char error[static 512])
{
        u->look_at = TIME_NEVER;
        if (did(u, "netlink", netlink_watch(routes, &u->watch_fd)) &&
            did(u, "netlink", netlink_open(&u->netlink_fd)))
                return 0;
        if (!netlink_is_missing(u->failed)) {
                snprintf(error, 512, "netlink: %s", strerror(-u->failed));
                return u->failed == -ENOMEM ? -ENOMEM : MBUS_E_NO_BUS;
        }
        u->watch_fd = socket_close(u->watch_fd);
        u->look_at = 0;
        snprintf(u->warnings[u->n_warnings++], sizeof(u->warnings[0]),
                 "netlink: %s: changes of interfaces are noticed some seconds late, and altnames "
                 "are "
                 "not known",
                 strerror(-u->failed));
        return 0;
}

static void name_interfaces(struct udp *u)
{
        size_t n = 0;

        u->where[0] = '\0';
        for (unsigned i = 0; i < u->choice.n; i++)
                n += (size_t)snprintf(u->where + n, sizeof(u->where) - n, "%s%s", i ? " " : "",
                                      u->choice.interfaces[i].name);
}

static int open_all(struct udp *u, const struct config *config, char error[static 512])
{
        bool routes;
        int r = interface_rule_make(config, &u->rule, error);

        if (r != 0)
                return r;
        routes = interface_rule_follows_routes(&u->rule);
        socket_address_format(&u->rule.group, u->name);
        udp_network_init(u, config->dialect == DIALECT_UCL);
        /* Watching begins before anything is looked at, so that no change is missed. */
        r = watch(u, routes, error);
        if (r == 0)
                r = interface_choose(u->netlink_fd, &u->rule, NULL, &u->choice, error);
        if (r != 0)
                return r;
        memcpy(u->opened_with, u->choice.warning, sizeof(u->opened_with));
        if (!open_group(u) || !open_own(u) || !find_source(u))
                return refuse(u, error);
        u->gathers = true;
        skip_own(u);
        u->mtu = payload_size(u);
        name_interfaces(u);
        return receive_batch_init(&u->in);
}

int udp_open(const struct config *config, struct udp **ret_udp, char ret_error[static 512])
{
        struct udp *u = calloc(1, sizeof(*u));
        int r;

        if (!u)
                return -ENOMEM;
        u->group_fd = u->own_fd = u->watch_fd = u->netlink_fd = -1;
        r = open_all(u, config, ret_error);
        if (r != 0) {
                udp_close(u);
                return r;
        }
        *ret_udp = u;
        return 0;
}

struct udp *udp_close(struct udp *u)
{
        if (!u)
                return NULL;
        receive_batch_deinit(&u->in);
        socket_close(u->group_fd);
        socket_close(u->own_fd);
        socket_close(u->watch_fd);
        socket_close(u->netlink_fd);
        free(u);
        return NULL;
}

/* What @choice has at @index and can use, or NULL. */
static struct interface *find_present(struct interface_choice *choice, unsigned index)
{
        for (unsigned i = 0; i < choice->n; i++) {
                if (choice->interfaces[i].index == index && !choice->interfaces[i].absent)
                        return &choice->interfaces[i];
        }
        return NULL;
}

/* Leaves where the bus is no more. An interface that went and came, or may have, is another one, even
 * with the same index, and knows nothing of who joined: there it is left and joined. */
static void leave_some(struct udp *u, struct interface_choice *choice,
                       const struct netlink_news *news)
{
        if (!socket_address_is_multicast(&u->rule.group))
                return;
        for (unsigned i = 0; i < u->choice.n; i++) {
                const struct interface *old = &u->choice.interfaces[i];
                struct interface *stays = find_present(choice, old->index);

                if (old->joined && stays && !netlink_news_has_link(news, old->index))
                        stays->joined = true;
                else if (old->joined)
                        (void)socket_leave(u->group_fd, &u->rule.group, old->index);
        }
        for (unsigned i = 0; i < choice->n; i++)
                choice->interfaces[i].joined &= !choice->interfaces[i].absent;
}

/*
 * Something changed: chooses anew and moves there. If nothing can be chosen now, all stays as it is
 * until the next change, but nothing is sent there.
 */
void udp_follow(struct udp *u, const struct netlink_news *news)
{
        struct interface_choice before = u->choice, choice;
        char error[512];

        if (interface_choose(u->netlink_fd, &u->rule, &before, &choice, error) != 0) {
                choice = before;
                for (unsigned i = 0; i < choice.n; i++)
                        choice.interfaces[i].absent = true;
        }
        leave_some(u, &choice, news);
        u->choice = choice;
        (void)join_all(u);
        if (!udp_sender(u)->absent) {
                socket_set_interface(u->own_fd, family_of(u), udp_sender(u)->index,
                                     u->rule.broadcast);
                u->mtu = payload_size(u);
                u->gathers = true;
                udp_learn_source(u);
        }
        name_interfaces(u);
        udp_note_choice(u, &before, error);
}

void udp_join_anew(struct udp *u)
{
        struct netlink_news news = { .lost = true };
        struct interface_choice choice = u->choice;

        for (unsigned i = 0; i < choice.n; i++)
                choice.interfaces[i].joined = false;
        leave_some(u, &choice, &news);
        u->choice = choice;
        (void)join_all(u);
}
