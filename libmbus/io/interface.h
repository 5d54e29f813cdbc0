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
        bool running;                 /* it has a carrier */
        bool absent;                  /* it cannot be used now: its index may be another's */
        bool joined;                  /* for udp-open.c: the group, since it was last there anew */
        unsigned mtu;                 /* 0: not known */
        unsigned line;                /* which of the rule's names it is */
        union socket_address address; /* that the host-id is made of; of family 0 if it has none */
};

/* n is at least 1; the first one is sent from, all are listened on. */
struct interface_choice {
        struct interface interfaces[CONFIG_INTERFACES_MAX];
        unsigned n;
        char warning[INTERFACE_WARNING_MAX]; /* "" if there is nothing to tell */
};

/*
 * @netlink as in devices_read(). 0, MBUS_E_NO_BUS or MBUS_E_CONFIG with one line in @ret_error,
 * -ENOMEM. With @before, what was chosen last, it is enough if one of several INTERFACE= can be
 * had: the others stay, as absent, and @ret_error tells of the first of them.
 */
int interface_choose(int netlink, const struct interface_rule *rule,
                     const struct interface_choice *before, struct interface_choice *ret_choice,
                     char ret_error[static 512]);

/* The same for a bus that is not open: asks in the namespace of the program. */
int interface_find(const struct interface_rule *rule, struct interface_choice *ret_choice,
                   char ret_error[static 512]);
/* Whether both are the same interfaces in the same order. */
bool interface_choice_equal(const struct interface_choice *a, const struct interface_choice *b);
/* The MTU of an interface, or that of Ethernet if it is not to be had. */
size_t interface_mtu(const struct interface *interface);
/*
 * The host-id of section 4.1: the address @source that is sent from, or with IPv6 the interface-id
 * of the link-local address in four groups, "211:22ff:fe33:4455"; "::1" where there is none.
 */
void interface_host_id(const struct interface *interface, const union socket_address *source,
                       char ret_text[static HOST_ID_MAX]);

#endif
