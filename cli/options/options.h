/*
 * options.h - the options of all verbs: one table, from which they are parsed and explained.
 *
 * A letter means the same at every verb that has it. Options may stand before and after the verb.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_id {
        OPTION_RELIABLE,
        OPTION_AS,
        OPTION_STAY,
        OPTION_COUNT,
        OPTION_WAIT,
        OPTION_VERBOSE,
        OPTION_JSON,
        OPTION_FORMAT,
        OPTION_HELLO,
        OPTION_PREFIX,
        OPTION_ON,
        OPTION_OUTPUT,
        OPTION_FORCE,
        OPTION_SCOPE,
        OPTION_HASH,
        OPTION_CIPHER,
        OPTION_DIALECT,
        OPTION_BUS,
        OPTION_CONFIG,
        OPTION_HELP,
        OPTION_VERSION,
        OPTION_MAX
};

#define OPTION_BIT(id) (1u << (id))
/* What every verb has. */
#define OPTIONS_COMMON (OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION))
/* What every verb has that goes to the bus. */
#define OPTIONS_BUS (OPTION_BIT(OPTION_BUS) | OPTION_BIT(OPTION_CONFIG) | OPTIONS_COMMON)

struct option_info {
        char letter; /* '\0': only the long name */
        const char *name;
        const char *arg; /* NULL: takes none */
        const char *help;
};

extern const struct option_info option_infos[OPTION_MAX];

struct verb;

struct options {
        const struct verb *verb;
        char **args; /* what stands behind the verb */
        size_t n_args;
        unsigned given; /* OPTION_BIT of those that were given */
        const char *arg_as;
        uint64_t arg_count;
        uint64_t arg_wait; /* ns */
        uint64_t arg_stay; /* ns */
        const char *arg_format;
        const char *arg_prefix;
        const char *arg_on;
        const char *arg_output;
        const char *arg_scope;
        const char *arg_hash;
        const char *arg_cipher;
        const char *arg_dialect;
        const char *arg_bus;
        const char *arg_config;
};

static inline bool options_has(const struct options *o, enum option_id id)
{
        return o->given & OPTION_BIT(id);
}

/* -W, or else @ns. */
static inline uint64_t options_wait(const struct options *o, uint64_t ns)
{
        return options_has(o, OPTION_WAIT) ? o->arg_wait : ns;
}

/*
 * Parses the command line. 0: go on with ret_options->verb. 1: it was --help or --version, done.
 * -1: it is wrong, and stderr says why and where.
 */
int options_parse(int argc, char **argv, struct options *ret_options);

#endif
