/*
 * option.h - an option of the command line. A verb lists those that it has; parsing and --help read
 * the lists.
 *
 * Over all verbs a letter and a name mean the same, since options may stand before the verb is
 * known.
 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include <stddef.h>
#include <stdint.h>

union option_value {
        const char *text;
        uint64_t number;
};

struct option_info {
        char letter; /* '\0': only the long name */
        const char *name;
        const char *arg; /* NULL: takes none */
        const char *help;
        /* Reads the argument: 0, or -1 after having told stderr what is wrong. NULL: the text as it
         * is. */
        int (*parse)(const struct option_info *info, const char *text,
                     union option_value *ret_value);
};

/* Tell stderr that the argument of @info is wrong, and where. Return -1. */
int option_error(const struct option_info *info, const char *what);
int option_error_at(const struct option_info *info, const char *what, const char *text, size_t at);

/* A span of time, as a number of ns. */
int option_parse_duration(const struct option_info *info, const char *text,
                          union option_value *ret_value);

#endif
