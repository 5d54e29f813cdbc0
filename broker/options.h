/*
 * options.h - what the command line and the [broker] section of the configuration file ask for.
 *
 * The section stands in the file of the bus, behind [MBUS]; other readers of the file skip it:
 *
 *      [broker]
 *      MULTICAST=always
 */
#ifndef BROKER_OPTIONS_H
#define BROKER_OPTIONS_H

#include <stdbool.h>

#include <core/bytes.h>

#include "log.h"
#include "place.h"
#include "quota.h"

/* When a message for a group of entities is sent on the bus beside being given to local ones. */
enum multicast {
        MULTICAST_ALWAYS,      /* what the RFC says: entities unheard of so far get it, too */
        MULTICAST_WHEN_REMOTE, /* when a known remote entity matches */
        MULTICAST_NEVER,       /* local entities only */
};

struct options {
        const char *config_file; /* NULL: $MBUS, else ~/.mbus */
        const char *socket;      /* NULL: the usual place */
        bool foreground;
        bool help;
        bool version;
        enum log_level log_level;
        enum multicast multicast;
        struct limits limits;
        char metrics[PLACE_SIZE]; /* where they are served; "": nowhere */
};

#define OPTIONS_INIT ((struct options){ .log_level = LOG_LEVEL_INFO })

/* Reads the command line. False, with a line on stderr, if it makes no sense. */
bool options_parse(struct options *o, int argc, char **argv);
void options_print_help(void);

/* Reads the [broker] section of @text. False, with one line "NAME:LINE: KEY: ..." in @ret_error, if
 * a value is wrong. Unknown keys are logged. */
bool options_parse_section(struct options *o, struct span text, const char *name,
                           char ret_error[static 256]);

#endif
