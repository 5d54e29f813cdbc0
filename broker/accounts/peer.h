/*
 * peer.h - who is at the other end of a Unix socket, and what that user may do.
 *
 * The kernel says who connected: uid, gid and supplementary groups as they were at that moment.
 * Whoever has no number in the broker's user namespace has the overflow id, and is nobody
 * (io/nobody.h).
 */
#ifndef BROKER_ACCOUNTS_PEER_H
#define BROKER_ACCOUNTS_PEER_H

#include <stdbool.h>
#include <sys/socket.h>

#include <io/nobody.h>

#include <broker/config/config.h>

/* False if the kernel does not tell; the ids are then those of no user. */
bool peer_get(int fd, struct ucred *ret_peer);
/* What @peer, who connected @fd, may do by @policy; NULL: all. @nobody: NULL if the other end is
 * the broker's own, and what came over TCP behind it. 0 or -ENOMEM. */
int peer_judge(const struct policy *policy, int fd, const struct ucred *peer,
               const struct nobody *nobody, struct rights **ret_rights);

#endif
