/*
 * admission.c - a new connection: who is at its other end, whether it is taken, and what it may do.
 *
 * The kernel says who connected (accounts/peer.h).
 */
#include "admission.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void log_cut(struct connections *connections, const struct admission *a)
{
        uint64_t n_suppressed;

        if (log_ratelimit_is_due(&connections->rights_log, connections->it->now, &n_suppressed))
                log_warning("a link of pid %d, uid %u: more than RIGHTS_MAX=%d lines of [policy] "
                            "in %s are for it, those behind do not count; to change it write "
                            "fewer, with several user= or send= in one",
                            (int)a->pid, (unsigned)a->uid, RIGHTS_MAX, connections->config_path);
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
        struct admission a = { .uid = (uid_t)-1 };
        struct ucred peer;
        enum limit limit;

        if (!peer_get(fd, &peer))
                return false;
        a.pid = peer.pid;
        a.uid = peer.uid;
        a.user = quota_add_link(connections->quota, peer.uid, connections->it->now, &limit);
        if (limit)
                refuse_link(connections, &a, fd, limit);
        if (!a.user)
                return false;
        if (peer_judge(connections->policy, fd, &peer, is_tcp ? NULL : &connections->nobody,
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
        struct ucred peer;

        /* As who it connected; that does not change, and neither does this fail. */
        (void)peer_get(c->fd, &peer);
        return peer_judge(policy, c->fd, &peer, c->peer ? NULL : &c->connections->nobody,
                          ret_rights);
}

void admit_undo(const struct admission *a)
{
        free(a->rights);
        quota_remove_link(a->user);
}
