/*
 * options.h - what the command line and the sections of the configuration file ask for.
 *
 * The sections stand in the file of the bus, behind [MBUS]; other readers of the file skip them
 * (ini.h):
 *
 *      [broker]
 *      MULTICAST=always
 *      [policy]
 *      allow group=audio attach=(media:audio *) send=*
 *      [limits]
 *      ENTITIES_PER_LINK=64
 */
#ifndef BROKER_CONFIG_OPTIONS_H
#define BROKER_CONFIG_OPTIONS_H

#include <stdbool.h>

#include <core/bytes.h>

#include <broker/base/base.h>

#include "bus-config.h"
#include "limit.h"
#include "policy.h"
#include "tcp-listen-address.h"

/* When a message for a group of entities is sent on the bus beside being given to local ones. */
enum multicast {
        MULTICAST_ALWAYS,      /* what the RFC says: entities unheard of so far get it, too */
        MULTICAST_WHEN_REMOTE, /* when a known remote entity matches */
        MULTICAST_NEVER,       /* local entities only */
};

/* Who may end the broker with mbus.quit (RFC 3259, 9.4), sent to it alone. */
enum quit {
        QUIT_NEVER,
        QUIT_OWNER, /* clients of its owner and of root */
        QUIT_BUS,   /* those, and whoever has the keys of the bus */
};

/* Where values stood; 0: nowhere. */
struct option_lines {
        unsigned mbus; /* [MBUS] itself */
        unsigned multicast;
        unsigned quit;
        unsigned metrics;
        unsigned socket_mode;
        unsigned socket_group;
};

struct options {
        const char *config_file; /* NULL: options_config_path() decides */
        const char *socket;      /* NULL: the usual place */
        bool foreground;
        bool help;
        bool version;
        enum log_level log_level;
        enum multicast multicast;
        unsigned socket_mode;
        gid_t socket_group; /* (gid_t)-1: that of the broker */
        enum quit quit;
        struct limits limits;
        struct policy *policy;
        struct bus_configs *buses;
        struct tcp_listen_addresses tcp;   /* where clients over TCP are taken */
        char metrics[LISTEN_ADDRESS_SIZE]; /* where they are served; "": nowhere */
        struct option_lines lines;
};

#define OPTIONS_INIT                                                                               \
        ((struct options){                                                                         \
                .log_level = LOG_LEVEL_INFO, .socket_mode = 0600, .socket_group = (gid_t)-1 })

/* Reads the sections behind [MBUS] of @text. False, with one line "NAME:LINE: KEY: ..." in
 * @ret_error, if something is wrong. o->policy is the caller's, and there. */
bool options_read_sections(struct options *o, struct span text, const char *file,
                           char ret_error[static INI_ERROR_SIZE]);

#endif
