/*
 * admission.c - a new connection: who is at its other end, whether it is taken, and what it may do.
 *
 * The kernel says who connected: uid, gid and supplementary groups as they were at that moment.
 * Whoever has no number in the broker's user namespace has the overflow id, and is nobody
 * (io/nobody.h).
 */
#include "admission.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

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

static void log_cut(struct connections *connections, const struct admission *a)
{
        uint64_t n_suppressed;

        if (log_ratelimit_is_due(&connections->rights_log, connections->it->now, &n_suppressed))
                log_warning("a link of pid %d, uid %u: more than RIGHTS_MAX=%d lines of [policy] "
                            "in %s are for it, those behind do not count; to change it write "
                            "fewer, with several user= or send= in one",
                            (int)a->pid, (unsigned)a->uid, RIGHTS_MAX, connections->config_path);
}

/* @nobody: NULL if the other end is the broker's own, and what came over TCP behind it. */
static int judge_peer(const struct policy *policy, int fd, const struct ucred *peer,
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

/* There are too many: @a is told so. */
static void refuse_link(struct connections *connections, const struct admission *a, int fd,
                        enum limit limit)
{
        char who[64], why[96];

        snprintf(who, sizeof(who), "a link of pid %d, uid %u", (int)a->pid, (unsigned)a->uid);
        quota_log(connections->quota, &connections->quota->refused, limit, connections->it->now,
                  who, "it is closed");
        snprintf(why, sizeof(why), "too many links: see %s in [limits] of the broker",
                 limit_name(limit));
        connections->owner->on_refusal(connections->owner, fd, why);
}

bool admit(struct connections *connections, int fd, bool is_tcp, struct admission *ret_admission)
{
        struct ucred peer = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
        socklen_t size = sizeof(peer);
        struct admission a = { .uid = (uid_t)-1 };
        enum limit limit;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return false;
        a.pid = peer.pid;
        a.uid = peer.uid;
        a.user = quota_add_link(connections->quota, peer.uid, connections->it->now, &limit);
        if (limit)
                refuse_link(connections, &a, fd, limit);
        if (!a.user)
                return false;
        if (judge_peer(connections->policy, fd, &peer, is_tcp ? NULL : &connections->nobody,
                       &a.rights)) {
                quota_remove_link(a.user);
                return false;
        }
        if (a.rights && rights_are_cut(a.rights))
                log_cut(connections, &a);
        assert(limit == LIMIT_NONE);
        *ret_admission = a;
        return true;
}

int admit_again(const struct connection *c, const struct policy *policy, struct rights **ret_rights)
{
        struct ucred peer = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
        socklen_t size = sizeof(peer);

        /* As who it connected; that does not change, and neither does this fail. */
        getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
        return judge_peer(policy, c->fd, &peer, c->peer ? NULL : &c->connections->nobody,
                          ret_rights);
}

void admit_undo(const struct admission *a)
{
        free(a->rights);
        quota_remove_link(a->user);
}
