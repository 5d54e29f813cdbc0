/*
 * options.h - the command line: which verb, with which options and arguments.
 *
 * Options may stand before and after the verb.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "option.h"
#include "verb.h"

/* Of all verbs together. */
#define OPTIONS_MAX 96

struct options {
        const struct verb *verb;
        char **args; /* what stands behind the verb */
        size_t n_args;
        /* What was given, each option once: if it was repeated the last one counts. */
        struct {
                const struct option_info *info;
                union option_value value;
        } given[OPTIONS_MAX];
        size_t n_given;
};

bool options_has(const struct options *o, const struct option_info *info);
/* The argument, or NULL; or @otherwise, where it is not given. */
const char *options_text(const struct options *o, const struct option_info *info);
uint64_t options_number(const struct options *o, const struct option_info *info,
                        uint64_t otherwise);
/* As if it had been given with @value. */
void options_set(struct options *o, const struct option_info *info, union option_value value);

/*
 * Parses the command line with the table of @verbs, of which the first is what is done where none
 * is named; NULL behind the last. 0: go on with ret_options->verb. 1: it was --help or --version,
 * done. -1: it is wrong, and stderr says why and where.
 */
int options_parse(const struct verb *const *verbs, int argc, char **argv,
                  struct options *ret_options);

#endif
