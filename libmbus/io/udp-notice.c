/*
 * udp-notice.c - see udp-notice.h and spec/interfaces.md.
 */
#include "udp-notice.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

const char *udp_advise(const struct udp *u, int error)
{
        bool unreachable = error == -ENETUNREACH || error == -EHOSTUNREACH;

        if (unreachable && udp_family(u) == AF_INET6 && udp_sender(u)->loopback)
                return "`ip -6 route add local ff00::/8 dev lo table local`";
        for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
                if (advices[i].error == -error &&
                    (advices[i].family == 0 || advices[i].family == udp_family(u)))
                        return advices[i].advice;
        }
        return "INTERFACE= of the configuration may name another interface";
}

void udp_tell(struct udp *u, enum mbus_network network, const char *format, ...)
{
        struct notice *notice = &u->network.notices[network];
        va_list args;

        assert(network < MBUS_NETWORK_MAX);
        va_start(args, format);
        vsnprintf(notice->text, sizeof(notice->text), format, args);
        va_end(args);
        notice->pending = true;
        notice->lasts = network != MBUS_NETWORK_OK && network != MBUS_NETWORK_MOVED;
}

void udp_end_notice(struct udp *u, enum mbus_network network, const char *what)
{
        struct notice *notice = &u->network.notices[network];

        if (!notice->lasts)
                return;
        notice->lasts = false;
        if (notice->pending)
                notice->pending = false;
        else
                udp_tell(u, MBUS_NETWORK_OK, "%s: %s", u->where, what);
}

/* ---- somewhere else -------------------------------------------------------------------------- */

/* The interface that is sent from is of no use. */
static void stick(struct udp *u, const char *why)
{
        struct udp_network *n = &u->network;

        n->refused_at = u->now;
        n->stuck = true;
        if (!n->notices[MBUS_NETWORK_MUTE].lasts ||
            strcmp(n->notices[MBUS_NETWORK_MUTE].text, why) != 0)
                udp_tell(u, MBUS_NETWORK_MUTE, "%s", why);
}

/* Of several interfaces one is not there, though not the first; or all are again. */
static void note_missing(struct udp *u, const char *error)
{
        char *missing = u->network.missing;

        if (strcmp(missing, error) == 0)
                return;
        snprintf(missing, UDP_NOTICE_MAX, "%s", error);
        if (error[0])
                udp_tell(u, MBUS_NETWORK_MOVED, "the bus is not there for now: %s", error);
        else
                udp_tell(u, MBUS_NETWORK_MOVED, "the bus is on all its interfaces again: %s",
                         u->where);
}

void udp_note_choice(struct udp *u, const struct interface_choice *before, const char *error)
{
        const struct interface *old = &before->interfaces[0], *new = udp_sender(u);
        const char *warning = u->choice.warning;

        u->network.stuck = false;
        if (new->absent) {
                stick(u, error);
                return;
        }
        note_missing(u, error);
        if (strcmp(old->name, new->name) != 0)
                udp_tell(u, MBUS_NETWORK_MOVED, "the bus is on %s now, it was on %s%s%s", new->name,
                         old->name, warning[0] ? ": " : "", warning);
        if (!new->running && !new->loopback)
                stick(u, warning[0] ? warning : new->name);
}

/* ---- mute ------------------------------------------------------------------------------------ */

static const char *advise(const struct udp *u, int error)
{
        if (error == -EPERM)
                return "a firewall of this host drops it, `nft list ruleset` or `iptables -S`";
        if (error == -EACCES || error == -EINVAL)
                return "`ip route get` tells which route forbids it";
        return udp_advise(u, error);
}

/* A full queue is none, and neither is a datagram that is too large or nobody listens to. */
static bool is_refusal(int error)
{
        return error != -EMSGSIZE && error != -ECONNREFUSED && error != -ENOMEM;
}

void udp_note_refusal(struct udp *u, int error)
{
        struct udp_network *n = &u->network;

        if (!is_refusal(error))
                return;
        n->refused_at = u->now;
        if (n->notices[MBUS_NETWORK_MUTE].lasts && (n->stuck || n->refusal == error))
                return;
        n->refusal = error;
        udp_tell(u, MBUS_NETWORK_MUTE, "%s: the kernel refuses to send to %s: %s: %s",
                 udp_sender(u)->name, u->name, strerror(-error), advise(u, error));
}

/* ---- deaf ------------------------------------------------------------------------------------ */

void udp_note_not_joined(struct udp *u, const struct interface *interface, int error)
{
        if (u->network.join_error == error)
                return;
        u->network.join_error = error;
        udp_tell(u, MBUS_NETWORK_DEAF, "%s: joining %s: %s: %s", interface->name, u->name,
                 strerror(-error), udp_advise(u, error));
}
