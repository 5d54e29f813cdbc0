/*
 * udp-open.c - a bus is opened and closed (udp.h).
 */
#include "udp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "socket.h"
#include "udp-follow.h"
#include "udp-notice.h"
#include "udp-sockets.h"

static int refuse(const struct udp *u, char error[static 512])
{
        if (u->failed == -ENOMEM)
                return -ENOMEM;
        snprintf(error, 512, "%s: %s for %s: %s: %s", udp_sender(u)->name, u->failed_call, u->name,
                 strerror(-u->failed), udp_advise(u, u->failed));
        return MBUS_E_NO_BUS;
}

/* IPv6 is ready a while after its interface is up: no reason to refuse, the join is made. */
static bool is_early(const struct udp *u)
{
        return udp_family(u) == AF_INET6 && !udp_sender(u)->loopback &&
               (u->failed == -EADDRNOTAVAIL || u->failed == -ENETUNREACH);
}

/*
 * On lo everything that we send would come back to us, at a fifth of the cost of sending it, to be
 * recognised and dropped. There the source never changes, so the kernel can do that for less.
 */
static void skip_own(struct udp *u)
{
        union socket_address own;

        u->skips_own = udp_is_pinned(u) && udp_family(u) == AF_INET && !u->rule.broadcast &&
                       socket_get_name(u->own_fd, &own) == 0 &&
                       socket_skip_source(u->group_fd, &own) == 0;
}

static bool find_source(struct udp *u)
{
        union socket_address none = { .any = { .sa_family = (sa_family_t)udp_family(u) } };
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

/* A sandbox may have no netlink, which only tells what can be looked at as well (devices.c). */
static int watch(struct udp *u, bool routes, char error[static 512])
{
        u->look_at = TIME_NEVER;
        if (udp_did(u, "netlink", netlink_watch(routes, &u->watch_fd)) &&
            udp_did(u, "netlink", netlink_open(&u->netlink_fd)))
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

static int open_all(struct udp *u, const struct config *config, char error[static 512])
{
        bool routes;
        int r = interface_rule_make(config, &u->rule, error);

        if (r != 0)
                return r;
        routes = interface_rule_follows_routes(&u->rule);
        socket_address_format(&u->rule.group, u->name);
        u->network = (struct udp_network){ .deaf_at = TIME_NEVER,
                                           .dialect_is_ucl = config->dialect == DIALECT_UCL };
        /* Watching begins before anything is looked at, so that no change is missed. */
        r = watch(u, routes, error);
        if (r == 0)
                r = interface_choose(u->netlink_fd, &u->rule, NULL, &u->choice, error);
        if (r != 0)
                return r;
        memcpy(u->opened_with, u->choice.warning, sizeof(u->opened_with));
        if (!udp_open_group(u) || !udp_open_own(u) || !find_source(u))
                return refuse(u, error);
        u->gathers = true;
        skip_own(u);
        u->mtu = udp_payload_size(u);
        udp_name_interfaces(u);
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
