/*
 * exits.c - which exit status an error, or the reason of an event, means.
 */
#include "exits.h"

int exits_of_error(int error)
{
        switch (error) {
        case MBUS_E_MALFORMED:
        case MBUS_E_RESERVED:
        case MBUS_E_TOO_LARGE:
                return EXITS_USAGE;
        case MBUS_E_UNKNOWN:
                return EXITS_UNKNOWN;
        case MBUS_E_NOT_UNIQUE:
                return EXITS_NOT_UNIQUE;
        case MBUS_E_FULL:
                return EXITS_UNDELIVERED;
        case MBUS_E_DENIED:
                return EXITS_DENIED;
        case MBUS_E_CONFIG:
                return EXITS_CONFIG;
        case MBUS_E_NO_BUS:
        case MBUS_E_NOT_READY:
                return EXITS_NO_BUS;
        default:
                return EXITS_FAILED;
        }
}

int exits_of_reason(enum mbus_reason reason)
{
        switch (reason) {
        case MBUS_REASON_UNKNOWN:
                return EXITS_UNKNOWN;
        case MBUS_REASON_NOT_UNIQUE:
                return EXITS_NOT_UNIQUE;
        case MBUS_REASON_TIMEOUT:
        case MBUS_REASON_BYE:
        case MBUS_REASON_RESTARTED:
        case MBUS_REASON_FULL:
                return EXITS_UNDELIVERED;
        case MBUS_REASON_LINK_DOWN:
                return EXITS_NO_BUS;
        case MBUS_REASON_DENIED:
                return EXITS_DENIED;
        case MBUS_REASON_MALFORMED:
                return EXITS_USAGE;
        default:
                return EXITS_FAILED;
        }
}
