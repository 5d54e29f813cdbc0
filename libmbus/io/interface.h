/*
 * interface.h - which interfaces a bus lives on, by one rule for all programs of a host.
 *
 * A program that sends on another interface than the others listen on is not heard, not even on
 * the same host. So the choice follows from the configuration and from the state of the system
 * alone, and is made anew when that changes. The rule is in spec/interfaces.md.
 */
#ifndef MBUS_IO_INTERFACE_H
#define MBUS_IO_INTERFACE_H

#include <net/if.h>

#include "interface-rule.h"

/* 127.0.0.1, or four groups of four digits. */
#define HOST_ID_MAX INET6_ADDRSTRLEN
#define INTERFACE_WARNING_MAX 240

struct interface {
        unsigned index;
        char name[IF_NAMESIZE];
        bool loopback;
};

/* n is at least 1; the first one is sent from, all are listened on. */
struct interface_choice {
        struct interface interfaces[CONFIG_INTERFACES_MAX];
        unsigned n;
        char warning[INTERFACE_WARNING_MAX]; /* "" if there is nothing to tell */
};

/* 0, MBUS_E_NO_BUS or MBUS_E_CONFIG with one line in @ret_error, -ENOMEM. */
int interface_choose(const struct interface_rule *rule, struct interface_choice *ret_choice,
                     char ret_error[static 512]);

/* The MTU of an interface, or that of Ethernet if it is not to be had. */
size_t interface_mtu(const struct interface *interface);
/*
 * The host-id of section 4.1: the address @source that is sent from, or with IPv6 the interface-id
 * of the link-local address in four groups, "211:22ff:fe33:4455"; "::1" where there is none.
 */
void interface_host_id(const struct interface *interface, const union socket_address *source,
                       char ret_text[static HOST_ID_MAX]);

#endif
