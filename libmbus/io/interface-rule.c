/*
 * interface-rule.c - see interface-rule.h. RFC 3259, sections 6.1.1 to 6.1.4 and 12.
 */
#include "interface-rule.h"

#include <stdio.h>

static const char *group_text(const struct config *c, bool v6)
{
        bool host = c->scope == SCOPE_HOSTLOCAL;

        if (c->broadcast && v6)
                return host ? "ff01::1" : "ff02::1";
        if (c->broadcast)
                return "255.255.255.255";
        if (c->address[0])
                return c->address;
        if (v6)
                return host ? "ff01::300" : "ff02::300";
        return "239.255.255.247";
}

int interface_rule_make(const struct config *c, struct interface_rule *ret_rule,
                        char ret_error[static 512])
{
        const char *text = group_text(c, c->ip_version == 6);
        struct interface_rule rule = { .scope = c->scope, .broadcast = c->broadcast };
        bool v4;

        if (!socket_address_parse(text, c->port, &rule.group) ||
            (!c->broadcast && !socket_address_is_multicast(&rule.group))) {
                snprintf(ret_error, 512,
                         "ADDRESS=%s: is no multicast address: write one, BROADCAST, "
                         "or nothing",
                         text);
                return MBUS_E_CONFIG;
        }
        v4 = rule.group.any.sa_family == AF_INET;
        if (c->ip_version != 0 && v4 != (c->ip_version == 4)) {
                snprintf(ret_error, 512, "ADDRESS=%s: contradicts IPVERSION=%u: remove one of them",
                         text, c->ip_version);
                return MBUS_E_CONFIG;
        }
        if (v4 && c->broadcast && c->scope == SCOPE_HOSTLOCAL && c->n_interfaces > 0) {
                snprintf(ret_error, 512,
                         "INTERFACE=%s: broadcasts of a HOSTLOCAL bus would leave the "
                         "host there: remove INTERFACE, or SCOPE=LINKLOCAL",
                         c->interfaces[0]);
                return MBUS_E_CONFIG;
        }
        memcpy(rule.names, c->interfaces, sizeof(rule.names));
        rule.n_names = c->n_interfaces;
        rule.as_kernel = v4 && c->dialect == DIALECT_UCL && c->scope == SCOPE_HOSTLOCAL &&
                         !c->broadcast && c->n_interfaces == 0;
        *ret_rule = rule;
        return 0;
}

bool interface_rule_follows_routes(const struct interface_rule *rule)
{
        return rule->n_names == 0 && (rule->scope == SCOPE_LINKLOCAL || rule->as_kernel);
}
