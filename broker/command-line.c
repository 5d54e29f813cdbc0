/*
 * command-line.c - what the command line asks for.
 */
#include "command-line.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

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

void command_line_print_help(void)
{
        printf("Usage: mbus-broker [OPTION...]\n"
               "Hosts the entities of local applications on an Mbus (RFC 3259).\n"
               "\n"
               "  -c, --config FILE      the configuration of the bus (default: $MBUS; for root\n"
               "                         /etc/mbus-broker.conf if it is there; else ~/.mbus, "
               "which\n"
               "                         is made with random keys if it is missing); of several\n"
               "                         files the first that is there, else the last\n"
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
                if (!optarg[0]) {
                        fprintf(stderr,
                                "mbus-broker: --config: the name of the file is empty; name "
                                "one, or leave the option out\n");
                        return false;
                }
                /* The first that is there is the one, even if it cannot be used. */
                if (!o->config_file || (access(o->config_file, F_OK) < 0 && errno == ENOENT))
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

bool command_line_parse(struct options *o, int argc, char **argv)
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
