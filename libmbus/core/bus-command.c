/*
 * bus-command.c - which commands of the bus an application may say, and how (sections 9.4 to 9.6).
 */
#include "bus-command.h"

#include <assert.h>

enum bus_command bus_command_of(struct span name)
{
        if (!span_begins(name, "mbus."))
                return BUS_COMMAND_NONE;
        if (span_equal_text(name, "mbus.quit"))
                return BUS_COMMAND_QUIT;
        if (span_equal_text(name, "mbus.waiting"))
                return BUS_COMMAND_WAITING;
        return span_equal_text(name, "mbus.go") ? BUS_COMMAND_GO : BUS_COMMAND_RESERVED;
}

static bool is_condition(const struct value *v)
{
        return v->type == MBUS_VALUE_SYMBOL || (v->type == MBUS_VALUE_STRING && v->text.n > 0);
}

const char *bus_command_check(const struct payload *payload, const struct command *command)
{
        const struct value *args = payload_args(payload, command);

        switch (bus_command_of(command->name)) {
        case BUS_COMMAND_QUIT:
                return args->items == 0 ? NULL : "mbus.quit has no parameters (9.4)";
        case BUS_COMMAND_WAITING:
                if (args->items == 1 && is_condition(args + 1))
                        return NULL;
                return "mbus.waiting has one parameter, a symbol or string that names what is "
                       "waited "
                       "for (9.5)";
        case BUS_COMMAND_GO:
                if (args->items == 1 && is_condition(args + 1))
                        return NULL;
                return "mbus.go has one parameter, the symbol or string that was waited for (9.6)";
        default:
                assert(!"not for applications");
                return NULL;
        }
}
