/*
 * options.c - what the command line and the [broker] section of the configuration file ask for.
 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>

enum {
        OPTION_SOCKET = 256,
        OPTION_FOREGROUND,
        OPTION_LOG_LEVEL,
};

static const struct option long_options[] = {
        { "config", required_argument, NULL, 'c' },
        { "socket", required_argument, NULL, OPTION_SOCKET },
        { "foreground", no_argument, NULL, OPTION_FOREGROUND },
        { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
};

void options_print_help(void)
{
        printf("Usage: mbus-broker [OPTION...]\n"
               "Hosts the entities of local applications on an Mbus (RFC 3259).\n"
               "\n"
               "  -c, --config FILE      the configuration of the bus (default: $MBUS, else "
               "~/.mbus,\n"
               "                         which is made with random keys if it is missing)\n"
               "      --socket PATH      where applications connect (default:\n"
               "                         $XDG_RUNTIME_DIR/mbus/broker.sock; root: "
               "/run/mbus/broker.sock)\n"
               "      --foreground       log plain lines, without priorities for the journal; the\n"
               "                         broker stays in the foreground in any case\n"
               "      --log-level LEVEL  error, warning, info (default) or debug\n"
               "  -h, --help             print this and exit\n"
               "  -V, --version          print the version and exit\n"
               "\n"
               "Exit status: 0 ended by SIGTERM or SIGINT, 1 failure of the system, 2 usage,\n"
               "8 configuration, 9 the bus or the socket cannot be had.\n");
}

static bool parse_option(struct options *o, int option)
{
        switch (option) {
        case 'c':
                o->config_file = optarg;
                return true;
        case OPTION_SOCKET:
                o->socket = optarg;
                return true;
        case OPTION_FOREGROUND:
                o->foreground = true;
                return true;
        case OPTION_LOG_LEVEL:
                if (log_level_parse(optarg, &o->log_level))
                        return true;
                fprintf(stderr,
                        "mbus-broker: --log-level: \"%s\" is none of error, warning, info "
                        "and debug\n",
                        optarg);
                return false;
        case 'h':
                o->help = true;
                return true;
        case 'V':
                o->version = true;
                return true;
        default:
                return false;
        }
}

bool options_parse(struct options *o, int argc, char **argv)
{
        int option;

        limits_init(&o->limits);
        while ((option = getopt_long(argc, argv, "c:hV", long_options, NULL)) != -1)
                if (!parse_option(o, option))
                        return false;
        if (optind < argc) {
                fprintf(stderr, "mbus-broker: no argument is expected: \"%s\"\n", argv[optind]);
                return false;
        }
        return true;
}

/* ---- the [broker] section ------------------------------------------------------------------ */

static struct span trim(struct span s)
{
        s = span_from(s, wsp_size(s));
        while (s.n > 0 && (is_wsp(s.at[s.n - 1]) || s.at[s.n - 1] == '\r'))
                s.n--;
        return s;
}

static struct span take_line(struct span *rest)
{
        const char *end = rest->n ? memchr(rest->at, '\n', rest->n) : NULL;
        struct span line = { rest->at, end ? (size_t)(end - rest->at) : rest->n };

        *rest = span_from(*rest, line.n + (end ? 1 : 0));
        return trim(line);
}

static bool set_multicast(struct options *o, struct span value)
{
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

static bool set_metrics(struct options *o, struct span value)
{
        return place_parse(span_equal_nocase(value, "no") ? SPAN_NULL : value, o->metrics);
}

/* The keys; `wants` ends the sentence that says what is wrong with a value. */
static const struct key {
        const char *name;
        bool (*set)(struct options *o, struct span value);
        const char *wants;
} keys[] = {
        { "MULTICAST", set_multicast, "write always, when-remote or never" },
        { "METRICS", set_metrics, "write no, 127.0.0.1:PORT, [::1]:PORT or unix:/PATH" },
};

static bool parse_key(struct options *o, struct span line, const char *where, char *ret_error)
{
        const char *equals = memchr(line.at, '=', line.n);
        struct span name, value;

        if (!equals) {
                snprintf(ret_error, 256, "%s: %.*s: a line of the section is KEY=VALUE", where,
                         (int)(line.n < 40 ? line.n : 40), line.at);
                return false;
        }
        name = trim((struct span){ line.at, (size_t)(equals - line.at) });
        value = trim(span_from(line, (size_t)(equals + 1 - line.at)));
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
                if (!span_equal_nocase(name, keys[i].name))
                        continue;
                if (keys[i].set(o, value))
                        return true;
                snprintf(ret_error, 256, "%s: %s: \"%.*s\" is no value for it: %s", where,
                         keys[i].name, (int)(value.n < 40 ? value.n : 40), value.at, keys[i].wants);
                return false;
        }
        log_warning("%s: %.*s: unknown key of [broker], ignored", where,
                    (int)(name.n < 40 ? name.n : 40), name.at);
        return true;
}

bool options_parse_section(struct options *o, struct span text, const char *name,
                           char ret_error[static 256])
{
        bool inside = false;
        char where[160];

        for (unsigned n = 1; text.n > 0; n++) {
                struct span line = take_line(&text);

                if (line.n == 0 || line.at[0] == '#')
                        continue;
                if (line.at[0] == '[') {
                        inside = span_equal_nocase(line, "[broker]");
                        continue;
                }
                snprintf(where, sizeof(where), "%.140s:%u", name, n);
                if (inside && !parse_key(o, line, where, ret_error))
                        return false;
        }
        return true;
}
