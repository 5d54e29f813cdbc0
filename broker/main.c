/*
 * main.c - mbus-broker: parses, sets up, runs.
 */
#include <stdio.h>

#include "broker.h"
#include "chunk.h"
#include "exit.h"

int main(int argc, char **argv)
{
        struct options options = OPTIONS_INIT;
        struct broker broker;
        int status;

        if (!options_parse(&options, argc, argv)) {
                fprintf(stderr, "Try 'mbus-broker --help'.\n");
                return EXIT_USAGE;
        }
        if (options.help) {
                options_print_help();
                return EXIT_OK;
        }
        if (options.version) {
                printf("mbus-broker %d.%d.%d\n", MBUS_VERSION_MAJOR, MBUS_VERSION_MINOR,
                       MBUS_VERSION_PATCH);
                return EXIT_OK;
        }
        chunk_global_init();
        log_init(options.log_level, options.foreground);
        status = broker_open(&broker, &options);
        if (status == EXIT_OK)
                status = broker_run(&broker);
        broker_close(&broker);
        return status;
}
