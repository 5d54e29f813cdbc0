/*
 * interface-rule.h - the group of a bus and where it lives, as the configuration says.
 */
#ifndef MBUS_IO_INTERFACE_RULE_H
#define MBUS_IO_INTERFACE_RULE_H

#include <core/config.h>
#include "endpoint.h"

/* What of the configuration has a say; it holds no keys and so may be kept. */
struct interface_rule {
        union socket_address group;
        enum scope scope;
        bool broadcast;
        bool as_kernel; /* where the kernel puts INADDR_ANY, as old programs do */
        char names[CONFIG_INTERFACES_MAX][CONFIG_INTERFACE_NAME_MAX];
        unsigned n_names;
};

/* 0, or MBUS_E_CONFIG with one line in @ret_error. */
int interface_rule_make(const struct config *config, struct interface_rule *ret_rule,
                        char ret_error[static 512]);
/* Whether the system's routes have a say: then they are to be watched. */
bool interface_rule_follows_routes(const struct interface_rule *rule);

#endif
