/*
 * help.h - the texts of --help and --version, made from the tables of options and verbs.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct verb;

/* @verb may be NULL: of the whole tool. */
void help_print(FILE *file, const struct verb *verb);
void help_print_version(FILE *file);
/* The options of @verb in one line: "-r --reliable, -W --wait, ...". */
void help_print_options_line(FILE *file, const struct verb *verb);

#endif
