/*
 * policy.c - what a client may do, by its user and groups (policy.h has the rules).
 *
 * A link's rights are found once, when it comes. From then on only the lines that are for it are
 * looked at, and a fanout remembers which of them let its messages pass.
 */
#include "policy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/bus-command.h>

#include <broker/base/base.h>

#include "policy-rule.h"

struct policy {
        uid_t owner;
        struct policy_rule *rules;
        struct policy_rule **end;
};

/* Bit i of the lines of a message is rules[i], which is the policy's: it outlives its rights. */
struct rights {
        bool watch;
        bool observe;
        bool cut;
        uint64_t all_commands; /* lines that do not ask for the command */
        size_t n;
        const struct policy_rule *rules[];
};

struct policy *policy_new(uid_t owner)
{
        struct policy *p = malloc(sizeof(*p));

        if (!p)
                return NULL;
        *p = (struct policy){ .owner = owner };
        p->end = &p->rules;
        return p;
}

struct policy *policy_free(struct policy *p)
{
        if (!p)
                return NULL;
        while (p->rules) {
                struct policy_rule *rule = p->rules;

                p->rules = rule->next;
                policy_rule_free(rule);
        }
        free(p);
        return NULL;
}

bool policy_on_line(void *data, const struct ini_line *line)
{
        struct policy *p = data;
        struct policy_rule *rule;

        if (line->text.n == 0)
                return true;
        rule = malloc(sizeof(*rule));
        if (!rule)
                return ini_fail(line, line->section, "memory is short");
        *rule = (struct policy_rule){ .deny = false };
        if (!policy_rule_read(line, rule)) {
                policy_rule_free(rule);
                return false;
        }
        assert(!*p->end);
        *p->end = rule;
        p->end = &rule->next;
        return true;
}

/* ---- judging ------------------------------------------------------------------------------- */

static bool is_in_group(const struct credentials *who, gid_t gid)
{
        for (size_t i = 0; i < who->n_groups; i++)
                if (who->groups[i] == gid)
                        return true;
        return who->gid == gid;
}

static bool is_nobody(const struct credentials *who, const struct who *w)
{
        return w->is_group ? nobody_is_gid(&who->nobody, w->id)
                           : nobody_is_uid(&who->nobody, w->id);
}

static bool is_for(const struct policy_rule *rule, const struct credentials *who)
{
        if (rule->everybody)
                return true;
        for (const struct who *w = rule->who; w; w = w->next) {
                /* It may be anybody: nothing is granted to him, but what is denied is. */
                if (!rule->deny && is_nobody(who, w))
                        continue;
                if (w->is_group ? is_in_group(who, w->id) : who->uid == w->id)
                        return true;
        }
        return false;
}

/* The next line for @who from @rule on, or NULL. */
static const struct policy_rule *next_for(const struct policy_rule *rule,
                                          const struct credentials *who)
{
        while (rule && !is_for(rule, who))
                rule = rule->next;
        return rule && !rule->deny ? rule : NULL;
}

int policy_judge(const struct policy *p, const struct credentials *who, struct rights **ret_rights)
{
        struct rights *rights;

        *ret_rights = NULL;
        if ((who->uid == 0 || who->uid == p->owner) && !nobody_is_uid(&who->nobody, who->uid))
                return 0;
        rights = malloc(sizeof(*rights) + RIGHTS_MAX * sizeof(*rights->rules));
        if (!rights)
                return -ENOMEM;
        *rights = (struct rights){ .n = 0 };
        for (const struct policy_rule *rule = next_for(p->rules, who); rule;
             rule = next_for(rule->next, who)) {
                if (rule->all) {
                        free(rights);
                        return 0;
                }
                if (rights->n == RIGHTS_MAX) {
                        rights->cut = true;
                        break;
                }
                rights->watch |= rule->watch;
                rights->observe |= rule->observe;
                rights->all_commands |= (uint64_t)!rule->commands << rights->n;
                rights->rules[rights->n++] = rule;
        }
        assert(rights->n <= RIGHTS_MAX);
        *ret_rights = rights;
        return 0;
}

bool rights_are_cut(const struct rights *rights)
{
        return rights->cut;
}

/* The id is the broker's or the client's to choose, unless the pattern names one. */
static bool may_have(const struct pattern *pattern, const struct address *address)
{
        unsigned n = pattern->address->n;

        if (!address_is_subset(pattern->address, address))
                return false;
        if (address_get(address, "id").at && !address_get(pattern->address, "id").at)
                n++;
        return pattern->open || address->n == n;
}

bool rights_may_attach(const struct rights *rights, const struct address *address)
{
        for (size_t i = 0; i < rights->n; i++)
                for (const struct pattern *p = rights->rules[i]->attach; p; p = p->next)
                        if (may_have(p, address))
                                return true;
        return false;
}

bool rights_may_watch(const struct rights *rights)
{
        return rights->watch;
}

bool rights_may_observe(const struct rights *rights)
{
        return rights->observe;
}

uint64_t rights_to(const struct rights *rights, const struct address *dest)
{
        uint64_t lines = 0;

        for (size_t i = 0; i < rights->n; i++)
                for (const struct pattern *p = rights->rules[i]->send; p; p = p->next)
                        if (address_is_subset(p->address, dest))
                                lines |= UINT64_C(1) << i;
        return lines;
}

bool rights_for_all_commands(const struct rights *rights, uint64_t lines)
{
        /* What is remembered of a message was found by these very rights. */
        assert(rights->n == RIGHTS_MAX || lines >> rights->n == 0);
        return lines & rights->all_commands;
}

static bool is_among(const struct command_name *names, struct span command)
{
        for (const struct command_name *name = names; name; name = name->next) {
                bool is_prefix = name->text[name->n - 1] == '.';

                if ((is_prefix ? command.n > name->n : command.n == name->n) &&
                    memcmp(command.at, name->text, name->n) == 0)
                        return true;
        }
        return false;
}

/* Whoever is let go on, or asked to end, does what somebody else has in mind: that is not among
 * what all commands are. */
static bool must_be_named(struct span command)
{
        enum bus_command c = bus_command_of(command);

        return c == BUS_COMMAND_GO || c == BUS_COMMAND_QUIT;
}

bool rights_for_command(const struct rights *rights, uint64_t lines, struct span command)
{
        for (size_t i = 0; i < rights->n; i++)
                if ((lines >> i & 1) && is_among(rights->rules[i]->commands, command))
                        return true;
        return !must_be_named(command) && rights_for_all_commands(rights, lines);
}
