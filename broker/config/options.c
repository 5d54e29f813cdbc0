/*
 * options.c - what the sections of the configuration file ask for.
 */
#include "options.h"

#include <string.h>
#include <unistd.h>

#include "ini-account.h"

/* ---- the sections of the configuration ----------------------------------------------------- */

static bool set_multicast(void *data, struct span value)
{
        struct options *o = data;

        if (span_equal_nocase(value, "always"))
                o->multicast = MULTICAST_ALWAYS;
        else if (span_equal_nocase(value, "when-remote"))
                o->multicast = MULTICAST_WHEN_REMOTE;
        else if (span_equal_nocase(value, "never"))
                o->multicast = MULTICAST_NEVER;
        else
                return false;
        return true;
}

static bool set_metrics(void *data, struct span value)
{
        struct options *o = data;

        return listen_address_parse(span_equal_nocase(value, "no") ? SPAN_NULL : value, o->metrics);
}

static bool set_socket_mode(void *data, struct span value)
{
        struct options *o = data;
        unsigned mode = 0;

        for (size_t i = 0; i < value.n; i++) {
                if (value.at[i] < '0' || value.at[i] > '7' || mode > 0777)
                        return false;
                mode = 8 * mode + (unsigned)(value.at[i] - '0');
        }
        /* Without its own access the broker's user could not even be its client. */
        if (mode > 0777 || (mode & 0600) != 0600 || (mode & 0111))
                return false;
        o->socket_mode = mode;
        return true;
}

static bool set_quit(void *data, struct span value)
{
        static const char *const names[] = {
                [QUIT_NEVER] = "never", [QUIT_OWNER] = "owner", [QUIT_BUS] = "bus"
        };
        struct options *o = data;

        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (!span_equal_nocase(value, names[i]))
                        continue;
                o->quit = (enum quit)i;
                return true;
        }
        return false;
}

static bool on_broker_line(void *data, const struct ini_line *line)
{
        struct option_lines *lines = &((struct options *)data)->lines;
        const struct ini_key keys[] = {
                { "MULTICAST", set_multicast, "write always, when-remote or never",
                  &lines->multicast, false },
                { "METRICS", set_metrics, "write no, 127.0.0.1:PORT, [::1]:PORT or unix:/PATH",
                  &lines->metrics, false },
                { "SOCKET_MODE", set_socket_mode, "write 0600, 0660 or 0666", &lines->socket_mode,
                  false },
                { "QUIT", set_quit, "write never, owner or bus", &lines->quit, false },
        };

        struct options *o = data;
        struct span key, value;

        if (line->text.n == 0)
                return true;
        if (!ini_split(line, &key, &value))
                return false;
        if (span_equal_nocase(key, "TCP"))
                return tcp_listen_addresses_read(&o->tcp, line, key, value);
        if (!span_equal_nocase(key, "SOCKET_GROUP"))
                return ini_read_key(line, keys, sizeof(keys) / sizeof(*keys), data);
        if (!ini_check_once(line, key, lines->socket_group))
                return false;
        lines->socket_group = line->number;
        return ini_find_group(line, key, value, &o->socket_group);
}

/* Its keys are read elsewhere (core/config.c). */
static bool on_mbus_line(void *data, const struct ini_line *line)
{
        struct option_lines *lines = &((struct options *)data)->lines;

        if (line->text.n == 0 && lines->mbus == 0)
                lines->mbus = line->number;
        return true;
}

bool options_read_sections(struct options *o, struct span text, const char *file,
                           char ret_error[static INI_ERROR_SIZE])
{
        const struct ini_section sections[] = {
                { "mbus", on_mbus_line, o, false },
                { "broker", on_broker_line, o, false },
                { "policy", policy_on_line, o->policy, false },
                { "limits", limits_on_line, &o->limits, false },
                { "bus", bus_configs_on_line, o->buses, true },
        };

        return ini_read(text, file, sections, sizeof(sections) / sizeof(*sections), ret_error);
}
