/*
 * retain-commands.c - broker.retain and broker.forget: last values for late joiners.
 */
#include "commands.h"

/* Whether all parameters are names of commands; if not, that is said. */
static bool are_names(struct request *request, const struct value *args)
{
        const struct value *v = args + 1;

        for (uint32_t i = 0; i < args->items; i++, v += v->nodes) {
                if (v->type == MBUS_VALUE_STRING && value_is_symbol(v->text))
                        continue;
                request_fail(request, MBUS_REASON_MALFORMED,
                             "names of commands are wanted, as strings");
                return false;
        }
        return true;
}

static void on_retain(struct request *request)
{
        const struct value *args = payload_args(request->payload, request->command);
        const struct value *v = args + 1;

        if (!are_names(request, args))
                return;
        for (uint32_t i = 0; i < args->items; i++, v += v->nodes) {
                if (retain_begin(request->control->routing, request->src, v->text) == 0)
                        continue;
                request_fail(request, MBUS_REASON_FULL, "no more last values are kept");
                return;
        }
}

static void on_forget(struct request *request)
{
        const struct value *args = payload_args(request->payload, request->command);
        const struct value *v = args + 1;

        if (!are_names(request, args))
                return;
        if (args->items == 0)
                retain_forget(request->control->routing, request->src);
        for (uint32_t i = 0; i < args->items; i++, v += v->nodes)
                retain_end(request->control->routing, request->src, v->text);
}

static const struct command_entry entries[] = {
        { "broker.retain", SPEAKER_ATTACHED, on_retain },
        { "broker.forget", SPEAKER_ATTACHED, on_forget },
};

const struct command_table retain_commands = { entries, sizeof(entries) / sizeof(*entries), NULL };
