/*
 * commands.h - the tables of commands that the files of control/ have. A line here, and the name of
 * the file in meson.build, is what a new file of them takes; it defines NAME_commands.
 */
#ifndef BROKER_CONTROL_COMMANDS_H
#define BROKER_CONTROL_COMMANDS_H

#include "dispatch.h"

/* clang-format off */
#define COMMANDS(table)                                                                            \
        table(attach)   /* attach.c: entities of a session come and go */                          \
        table(watch)    /* watch-commands.c: entities watched, messages observed */                \
        table(same_bus) /* same-bus.c: whether client and broker have one configuration */         \
        table(retain)   /* retain-commands.c: last values for late joiners */                      \
        table(status)   /* status.c: what the owner of the broker may ask, and drop */             \
        table(bus)      /* bus-commands.c: mbus.* commands, and broker.sync */
/* clang-format on */

#define COMMANDS_DECLARE(name) extern const struct command_table name##_commands;
COMMANDS(COMMANDS_DECLARE)

/* @who said mbus.quit, and may: the broker ends. */
void control_quit(struct control *control, const char *who);

#endif
