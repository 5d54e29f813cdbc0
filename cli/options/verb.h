/*
 * verb.h - what mbus-cli can do: one of these in each file of cli/verbs.
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <stddef.h>
#include <stdio.h>

struct option_info;
struct options;

struct verb {
        const char *name;
        const char *usage;   /* the arguments, as --help shows them */
        const char *summary; /* one line */
        const char *notes;   /* the rest of --help, lines of at most 80 columns */
        /* Its own and OPTIONS_COMMON, in the order of --help; NULL behind the last. */
        const struct option_info *const *options;
        size_t args_min;
        size_t args_max;
        int (*run)(const struct options *options); /* returns enum exits */
        void (*print_more)(FILE *file);            /* more of --help, or NULL */
        /* What it takes of a user who does not own the broker, which is said beside a denial. */
        const char *needs;
};

#endif
