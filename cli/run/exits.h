/*
 * exits.h - what the exit status of mbus-cli means. Scripts rely on it: never renumber.
 */
#ifndef CLI_EXITS_H
#define CLI_EXITS_H

#include <mbus/mbus.h>

enum exits {
        EXITS_OK = 0,
        EXITS_FAILED = 1,      /* what no other number says: memory, a full disk, a bug */
        EXITS_USAGE = 2,       /* an option, an address or a command is wrong */
        EXITS_UNKNOWN = 3,     /* no entity matches */
        EXITS_NOT_UNIQUE = 4,  /* several match, and a reliable message goes to one */
        EXITS_UNDELIVERED = 5, /* not acknowledged, or no room on the way */
        EXITS_DENIED = 7,      /* the broker's policy does not allow it */
        EXITS_CONFIG = 8,      /* the configuration file cannot be used */
        EXITS_NO_BUS = 9,      /* the broker or the network cannot be reached */
        EXITS_TIMED_OUT = 27,  /* -W came before -C was reached; the number of mosquitto_sub */
        EXITS_SIGNAL = 128,    /* + the signal's number: 130 after Ctrl-C */
};

/* For what a function of mbus.h returned, and for the reason of an event: what a verb has no status
 * of its own for. */
int exits_of_error(int error);
int exits_of_reason(enum mbus_reason reason);

#endif
