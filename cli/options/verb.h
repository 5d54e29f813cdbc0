/*
 * verb.h - what mbus-cli can do: one of these in each file of cli/verbs.
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <stdio.h>

#include "options.h"

struct verb {
        const char *name;
        const char *usage;   /* the arguments, as --help shows them */
        const char *summary; /* one line */
        const char *notes;   /* the rest of --help, lines of at most 80 columns */
        unsigned options;    /* OPTION_BIT of those it has */
        size_t args_min;
        size_t args_max;
        int (*run)(const struct options *options); /* returns enum exits */
        void (*print_more)(FILE *file);            /* more of --help, or NULL */
        /* What it takes of a user who does not own the broker, which is said beside a denial. */
        const char *needs;
};

extern const struct verb verb_keygen;
extern const struct verb verb_list;
extern const struct verb verb_monitor;
extern const struct verb verb_ping;
extern const struct verb verb_send;
extern const struct verb verb_status;
extern const struct verb verb_subscribe;

/* All of them in the order of --help; NULL behind the last. */
extern const struct verb *const verbs[];

const struct verb *verb_find(const char *name);

#endif
