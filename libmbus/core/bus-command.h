/*
 * bus-command.h - the commands of the bus itself, those that begin with "mbus." (RFC 3259, section
 * 9).
 *
 * What is said of oneself, mbus.hello, mbus.bye and mbus.ping, is the library's to say. mbus.quit,
 * mbus.waiting and mbus.go are for applications, which know what they wait for.
 */
#ifndef MBUS_CORE_BUS_COMMAND_H
#define MBUS_CORE_BUS_COMMAND_H

#include "command.h"

enum bus_command {
        BUS_COMMAND_NONE, /* it does not begin with "mbus." */
        BUS_COMMAND_QUIT,
        BUS_COMMAND_WAITING,
        BUS_COMMAND_GO,
        BUS_COMMAND_RESERVED, /* all others */
};

enum bus_command bus_command_of(struct span name);
/* What is wrong with the parameters of @command, which is no other than those three; NULL if
 * nothing is. */
const char *bus_command_check(const struct payload *payload, const struct command *command);

#endif
