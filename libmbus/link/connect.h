/*
 * connect.h - a link is connected, for the first time or once more.
 */
#ifndef MBUS_LINK_CONNECT_H
#define MBUS_LINK_CONNECT_H

#include "link.h"

/* To a Unix socket: the descriptor, or -errno. @patient: waits a little for a broker that is
 * behind with accepting. */
int link_connect(const char *path, bool patient);
/* As link_connect() without patience, for whatever link it was; -EINPROGRESS: it is on its way,
 * until @l is to be tried again; -EKEYREJECTED: the broker is on another bus than was named,
 * which is remarked. */
int link_connect_again(struct link *l);
/* A remark on a broker that does not know the question of @p. */
void link_warn_of_old(struct bus_parts *bus, const char *path, const struct link_proof *p);

#endif
