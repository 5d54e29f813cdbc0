/*
 * peer.c - who is at the other end of a Unix socket, and what that user may do.
 */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>

/* Groups that fit without asking for memory. */
#define GROUPS_AT_FIRST 64

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

/* The supplementary groups at the other end of @fd, in @room if they fit there. NULL when memory is
 * short. A kernel that does not tell them (before 4.13) leaves the primary one. */
static gid_t *get_groups(int fd, gid_t room[static GROUPS_AT_FIRST], size_t *ret_n)
{
        socklen_t size = GROUPS_AT_FIRST * sizeof(*room);
        gid_t *groups = room;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
                if (errno != ERANGE || size > PEER_GROUPS_MAX * sizeof(*groups)) {
                        *ret_n = 0;
                        return room;
                }
                groups = malloc(size);
                if (!groups)
                        return NULL;
                if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
                        size = 0;
        }
        *ret_n = size / sizeof(*groups);
        return groups;
}

bool peer_get(int fd, struct ucred *ret_peer)
{
        socklen_t size = sizeof(*ret_peer);

        *ret_peer = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &size) == 0;
}

int peer_judge(const struct policy *policy, int fd, const struct ucred *peer,
               const struct nobody *nobody, struct rights **ret_rights)
{
        struct credentials who = { .uid = peer->uid, .gid = peer->gid };
        gid_t room[GROUPS_AT_FIRST], *groups;
        int r;

        groups = get_groups(fd, room, &who.n_groups);
        if (!groups)
                return -ENOMEM;
        who.groups = groups;
        if (nobody)
                who.nobody = *nobody;
        r = policy_judge(policy, &who, ret_rights);
        if (groups != room)
                free(groups);
        return r;
}
