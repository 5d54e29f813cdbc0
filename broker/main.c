/*
 * main.c - mbus-broker: parses, sets up, runs.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include <programs/inherited.h>
#include <programs/streams.h>

#include <broker/base/base.h>

#include "broker.h"
#include "command-line.h"

/* What a process inherits (spec/environment.md). */
static bool process_begin(int argc)
{
        struct sigaction ignore = { .sa_handler = SIG_IGN };

        if (argc < 1 || !inherited_begin())
                return false;
        /* A line of the log from the background must not stop it, whatever stty says of the
         * terminal. */
        sigaction(SIGTTOU, &ignore, NULL);
        /* What it makes is for its user; what others may have gets its mode by name. */
        umask(S_IRWXG | S_IRWXO);
        streams_begin();
        return true;
}

int main(int argc, char **argv)
{
        struct options options = OPTIONS_INIT;
        struct broker broker;
        int status;

        if (!process_begin(argc))
                return EXIT_SYSTEM;
        if (!command_line_parse(&options, argc, argv)) {
                fprintf(stderr, "Try 'mbus-broker --help'.\n");
                return EXIT_USAGE;
        }
        if (options.help) {
                command_line_print_help();
                return streams_finish("mbus-broker") ? EXIT_OK : EXIT_SYSTEM;
        }
        if (options.version) {
                printf("mbus-broker %d.%d.%d\n", MBUS_VERSION_MAJOR, MBUS_VERSION_MINOR,
                       MBUS_VERSION_PATCH);
                return streams_finish("mbus-broker") ? EXIT_OK : EXIT_SYSTEM;
        }
        chunk_global_init();
        log_init(options.log_level, options.foreground);
        status = broker_open(&broker, &options);
        if (status == EXIT_OK)
                status = broker_run(&broker);
        broker_close(&broker);
        log_tick(TIME_NEVER - 1);
        return status;
}
