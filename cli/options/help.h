/*
 * help.h - the texts of --help and --version, made from the tables of options and verbs.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct verb;

/* Of @verb; NULL: of the whole tool, with a line for each of @verbs. */
void help_print(FILE *file, const struct verb *const *verbs, const struct verb *verb);
void help_print_version(FILE *file);
/* The options of @verb in one line: "-r --reliable, -W --wait, ...". */
void help_print_options_line(FILE *file, const struct verb *verb);

#endif
