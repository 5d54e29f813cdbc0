/*
 * fuzz-commands.c - commands as people type them (mbus-cli, mbus_commands_add_text): what is
 * accepted is well-formed canonical text; what is not points at a place inside the text.
 */
#include "fuzz.h"

#include "core/bus-command.h"
#include "mbus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = malloc(size + 1);
        struct payload parsed = PAYLOAD_INIT;
        struct mbus_commands *commands;
        const char *what = NULL;
        size_t at = SIZE_MAX;
        int r;

        assert(text && mbus_commands_new(&commands) == 0);
        if (size)
                memcpy(text, data, size);
        text[size] = 0;
        r = mbus_commands_add_text(commands, text, &at, &what);
        if (r == 0) {
                struct span canonical = span_of(mbus_commands_get_text(commands));

                assert(mbus_commands_check(commands) == 0);
                assert(payload_parse(&parsed, canonical, NULL) == 0);
                for (size_t i = 0; i < parsed.n; ++i)
                        assert(bus_command_of(parsed.commands[i].name) != BUS_COMMAND_RESERVED);
        } else {
                assert(what && at <= strlen(text));
        }
        payload_deinit(&parsed);
        mbus_commands_free(commands);
        free(text);
        return 0;
}
