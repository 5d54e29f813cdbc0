/*
 * modes.h - the door of libmbus/modes: the ways of a bus that need no broker.
 *
 * Each makes a mode on @bus. On failure nothing is left of it, a line of reason goes to @ret_error
 * if there is one, and what comes back is MBUS_E_CONFIG, MBUS_E_NO_BUS, -ENOMEM or another -errno.
 */
#ifndef MBUS_MODES_H
#define MBUS_MODES_H

#include <bus/mode.h>

/* The network that @given says, or the usual configuration. */
int direct_open(struct bus_parts *bus, const struct mbus_config *given, struct mode **ret_mode,
                char ret_error[static BUS_ERROR_SIZE]);
/* Inside of the process, with all others of that @name. */
int mem_open(struct bus_parts *bus, const struct mbus_config *given, const char *name,
             struct mode **ret_mode);

#endif
