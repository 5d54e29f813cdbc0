/*
 * command-line.h - what the command line asks for.
 */
#ifndef BROKER_COMMAND_LINE_H
#define BROKER_COMMAND_LINE_H

#include <broker/config/config.h>

/* Reads it into @o, which is OPTIONS_INIT, and gives it the limits that hold without a
 * configuration. False, with a line on stderr, if it makes no sense. */
bool command_line_parse(struct options *o, int argc, char **argv);
void command_line_print_help(void);

#endif
