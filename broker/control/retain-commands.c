/*
 * retain-commands.c - broker.retain and broker.forget: last values for late joiners.
 */
#include "retain-commands.h"

/* Whether all parameters are names of commands; if not, that is said. */
static bool are_names(struct request *r, const struct value *args)
{
        const struct value *v = args + 1;

        for (uint32_t i = 0; i < args->items; i++, v += v->nodes) {
                if (v->type == MBUS_VALUE_STRING && value_is_symbol(v->text))
                        continue;
                request_fail(r, MBUS_REASON_MALFORMED, "names of commands are wanted, as strings");
                return false;
        }
        return true;
}

static void on_retain(struct request *r)
{
        const struct value *args = payload_args(r->payload, r->command);
        const struct value *v = args + 1;

        if (!are_names(r, args))
                return;
        for (uint32_t i = 0; i < args->items; i++, v += v->nodes) {
                if (retain_begin(r->control->routing, r->src, v->text) == 0)
                        continue;
                request_fail(r, MBUS_REASON_FULL, "no more last values are kept");
                return;
        }
}

static void on_forget(struct request *r)
{
        const struct value *args = payload_args(r->payload, r->command);
        const struct value *v = args + 1;

        if (!are_names(r, args))
                return;
        if (args->items == 0)
                retain_forget(r->control->routing, r->src);
        for (uint32_t i = 0; i < args->items; i++, v += v->nodes)
                retain_end(r->control->routing, r->src, v->text);
}

static const struct command_entry entries[] = {
        { "broker.retain", SPEAKER_ATTACHED, on_retain },
        { "broker.forget", SPEAKER_ATTACHED, on_forget },
};

const struct command_table retain_commands = { entries, sizeof(entries) / sizeof(*entries), NULL };
