/*
 * exit.h - what the exit status of mbus-broker says; the same numbers as mbus-cli's.
 */
#ifndef BROKER_BASE_EXIT_H
#define BROKER_BASE_EXIT_H

enum {
        EXIT_OK = 0,
        EXIT_SYSTEM = 1, /* memory, descriptors */
        EXIT_USAGE = 2,
        EXIT_CONFIG = 8,
        EXIT_NO_BUS = 9, /* group or port cannot be had, or a broker is there already */
};

#endif
