/*
 * udp-sockets.c - see udp-sockets.h. RFC 3259, sections 6.1 (scopes, groups, port) and 6.2 (unique
 * endpoint).
 */
#include "udp-sockets.h"

#include <assert.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "socket.h"
#include "udp-notice.h"

bool udp_is_pinned(const struct udp *u)
{
        return u->rule.n_names == 0 && !interface_rule_follows_routes(&u->rule);
}

bool udp_did(struct udp *u, const char *call, int r)
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

/* A member already, and not by this call: of an interface that is gone, whose index has come
 * back. */
static int join(struct udp *u, unsigned index)
{
        int r = socket_join(u->group_fd, &u->rule.group, index);

        if (r != -EADDRINUSE)
                return r;
        (void)socket_leave(u->group_fd, &u->rule.group, index);
        return socket_join(u->group_fd, &u->rule.group, index);
}

int udp_join(struct udp *u)
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

        if (udp_family(u) == AF_INET6 && udp_is_pinned(u))
                address.v6.sin6_scope_id = udp_sender(u)->index;
        else if (udp_family(u) == AF_INET6)
                address.v6.sin6_addr = in6addr_any;
        else if (udp_is_pinned(u) && u->rule.broadcast) {
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

        return !u->rule.broadcast || udp_did(u, "SO_BROADCAST", r);
}

/* Room for bursts, and word of what was lost all the same. */
static void take_much(struct udp *u, int fd)
{
        wish(u, "SO_RCVBUF", "bursts are lost sooner",
             socket_set_receive_buffer(fd, UDP_RECEIVE_BUFFER));
        wish(u, "SO_RXQ_OVFL", "what it loses is not counted", socket_count_overflow(fd));
}

bool udp_open_group(struct udp *u)
{
        int family = udp_family(u);

        /* Whoever does not share the port has it alone, and all others of this host are locked
         * out. */
        if (!udp_did(u, "socket", socket_open(family, &u->group_fd)) ||
            !udp_did(u, "SO_REUSEADDR", socket_share_port(u->group_fd)))
                return false;
        take_much(u, u->group_fd);
        wish(u, "MULTICAST_ALL", "other interfaces are heard, too",
             socket_only_joined(u->group_fd, family));
        return allow_broadcast(u, u->group_fd) && udp_did(u, "bind", bind_group(u)) &&
               udp_did(u, "joining", udp_join(u));
}

/* Through the interface that was chosen. On IPv4's lo the address that is sent from says the
 * same. */
static bool choose_interface(struct udp *u, int fd)
{
        int r = socket_set_interface(fd, udp_family(u), udp_sender(u)->index, u->rule.broadcast);

        return (udp_is_pinned(u) && udp_family(u) == AF_INET && !u->rule.broadcast) ||
               udp_did(u, "MULTICAST_IF", r);
}

/* A socket like the own one, on a port that the kernel picks. */
static bool open_sender(struct udp *u, int *ret_fd)
{
        int family = udp_family(u), hops = u->rule.scope == SCOPE_HOSTLOCAL ? 0 : 1, fd;
        union socket_address local = { .any = { .sa_family = (sa_family_t)family } };

        if (udp_is_pinned(u) && family == AF_INET)
                local.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        else if (udp_is_pinned(u))
                local.v6.sin6_addr = in6addr_loopback;
        if (!udp_did(u, "socket", socket_open(family, &fd)))
                return false;
        wish(u, "MULTICAST_LOOP", "others on this host may hear nothing",
             socket_loop_back(fd, family));
        wish(u, "MULTICAST_ALL", "other interfaces are heard, too", socket_only_joined(fd, family));
        if (!allow_broadcast(u, fd) ||
            !udp_did(u, "MULTICAST_TTL", socket_set_hops(fd, family, hops)) ||
            !choose_interface(u, fd) || !udp_did(u, "bind", socket_bind(fd, &local))) {
                socket_close(fd);
                return false;
        }
        *ret_fd = fd;
        return true;
}

bool udp_open_own(struct udp *u)
{
        union socket_address local = { .v6 = { 0 } };
        int first;
        bool ok = open_sender(u, &u->own_fd) &&
                  udp_did(u, "getsockname", socket_get_name(u->own_fd, &local));

        if (ok && socket_address_port(&local) == socket_address_port(&u->rule.group)) {
                /* The bus port is one that the kernel may pick: not twice, while we hold it. */
                first = u->own_fd;
                u->own_fd = -1;
                ok = open_sender(u, &u->own_fd) &&
                     udp_did(u, "getsockname", socket_get_name(u->own_fd, &local));
                socket_close(first);
        }
        if (!ok)
                return false;
        u->own_port = socket_address_port(&local);
        /* What is sent has a port of its own, never the bus port (section 6.2; TRN-10). */
        assert(u->own_port != socket_address_port(&u->rule.group));
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

/* Asked by connecting another socket to the group. */
bool udp_learn_source(struct udp *u)
{
        union socket_address source;
        int fd;
        bool ok;

        if (!open_sender(u, &fd))
                return false;
        ok = udp_did(u, "connect", socket_connect(fd, &u->rule.group)) &&
             udp_did(u, "getsockname", socket_get_name(fd, &source));
        socket_close(fd);
        if (ok && !udp_is_source(u, &source))
                u->sources[u->n_sources++ % SOURCES_MAX] = source;
        return ok;
}

size_t udp_payload_size(const struct udp *u)
{
        size_t headers = udp_family(u) == AF_INET6 ? 48 : 28;
        size_t mtu = interface_mtu(udp_sender(u));

        mtu = mtu > headers ? mtu - headers : 0;
        return mtu < DATAGRAM_MAX ? mtu : DATAGRAM_MAX;
}
