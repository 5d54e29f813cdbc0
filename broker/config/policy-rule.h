/*
 * policy-rule.h - a line of [policy] as it is kept. For policy.c and policy-rule.c.
 */
#ifndef BROKER_CONFIG_POLICY_RULE_H
#define BROKER_CONFIG_POLICY_RULE_H

#include <core/address.h>

#include "ini.h"

struct pattern {
        struct pattern *next;
        struct address *address;
        bool open; /* other elements may be there, too */
};

struct command_name {
        struct command_name *next;
        size_t n;
        char text[];
};

struct who {
        struct who *next;
        bool is_group;
        uint32_t id;
};

/* A line. */
struct policy_rule {
        struct policy_rule *next;
        struct who *who;
        bool everybody;
        bool deny;
        bool all;
        bool watch;
        bool observe;
        struct pattern *attach;
        struct pattern *send;
        struct command_name *commands; /* NULL: all */
};

/* Reads @line into @rule, which is all zero. False, with ini_fail(), if it is wrong. */
bool policy_rule_read(const struct ini_line *line, struct policy_rule *rule);
/* Takes NULL, returns NULL. */
struct policy_rule *policy_rule_free(struct policy_rule *rule);

#endif
