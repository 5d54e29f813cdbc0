/*
 * open.h - the door of libmbus/link: a link to a broker is opened, over a Unix socket or over TCP.
 *
 * Each makes a mode on @bus. On failure nothing is left of it, a line of reason goes to @ret_error,
 * and what comes back is MBUS_E_CONFIG, MBUS_E_NO_BUS, -ENOMEM or another -errno.
 */
#ifndef MBUS_LINK_OPEN_H
#define MBUS_LINK_OPEN_H

#include <bus/mode.h>

/* @probe: also MBUS_E_UNKNOWN (nobody listens there) and MBUS_E_DENIED (to others than this
 * user). */
int link_open(struct bus_parts *bus, const char *path, const struct mbus_config *given, bool probe,
              struct mode **ret_mode, char ret_error[static BUS_ERROR_SIZE]);
int link_open_tcp(struct bus_parts *bus, const char *name, const struct mbus_config *given,
                  struct mode **ret_mode, char ret_error[static BUS_ERROR_SIZE]);

#endif
