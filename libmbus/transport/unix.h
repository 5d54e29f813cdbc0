/*
 * unix.h - a Unix socket is connected.
 */
#ifndef MBUS_TRANSPORT_UNIX_H
#define MBUS_TRANSPORT_UNIX_H

#include <stdbool.h>

/* The descriptor, or -errno. @patient: waits a little for a broker that is behind with
 * accepting. */
int unix_connect(const char *path, bool patient);

#endif
