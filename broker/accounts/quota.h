/*
 * quota.h - who may take how much of what the broker has: octets and messages that wait, entities,
 * outstanding reliable messages, links; and how fast.
 *
 * Everything that a client makes grow is charged to its link and to its user, the uid at the other
 * end of the socket. There are three limits of each: of a link, of a user, and of all together. The
 * last is not for whoever comes first. Be T the total, X what is in use, of it x by a user; n the
 * number of users with a link. As long as a quarter of T is enough for everybody nobody asks whose
 * it is. Beyond, a user may take more only up to
 *
 *      S = (T - (X - x)) / (n + 1)
 *
 * that is, of what the others left, an equal part, as if one more were about to come. So
 *
 *  - X never passes T, since x + a <= T - X + x whenever a is granted;
 *  - a user alone has T / 2; n users who all take what they get come to rest at T / 2n each, and
 *    half of everything is free for whoever comes next;
 *  - whoever comes last of n still gets a share: the first quarter may be gone, and each of the
 *    others left n / (n + 1) of the rest, so S is at least 3T/4 * (n / (n + 1))^(n - 1) / (n + 1),
 *    which is more than T / 4(n + 1).
 *
 * Of what waits to be written, S is divided again, between the links of the user that do not keep
 * up: with m of them and b octets of its own, a link may have b + a <= (S - (x - b)) / (m + 1). A
 * queue with nothing in it takes any message, so that one that does keep up never loses anything to
 * those that do not; the total is passed by at most one message a link therefore.
 *
 * A reliable message that a bus is to acknowledge is kept until then, which is waiting, too: its
 * octets are taken like those of a queue beside the link's own, but for the message that an empty
 * one takes.
 *
 * Rates are buckets of tokens: what is used beyond is not refused, the link is not read until time
 * has paid for it. The socket fills then, and the client waits.
 */
#ifndef BROKER_ACCOUNTS_QUOTA_H
#define BROKER_ACCOUNTS_QUOTA_H

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <broker/base/base.h>
#include <broker/config/config.h>

/* Limits that no configuration changes. */
enum fixed_limit {
        FIXED_RETAINED_NAMES,
        FIXED_OBSERVE_FILTERS,
        FIXED_OUTSTANDING,
        FIXED_LISTS,
        FIXED_PROOFS,
        FIXED_MAX,
};

/* Tokens, kept as the time at which they are all there again: what is owed is paid by then, and a
 * burst may be owed. It does not go back. */
struct bucket {
        uint64_t paid_at;
};

/* A user, as long as it has a link or owes for a rate. Without a link it uses nothing. */
struct quota_user {
        struct quota *quota;
        struct quota_user *next;
        uid_t uid;
        uint64_t use[QUOTA_MAX];
        size_t n_backlogs; /* of links: queues that have something waiting, and what a bus keeps */
        struct bucket sends;
        struct bucket commands;
        struct bucket guesses; /* at the keys of the bus */
        uint64_t paused_until; /* its links are not read before */
        struct log_ratelimit limit_logs[LIMIT_MAX];
        struct log_ratelimit fixed_limit_logs[FIXED_MAX];
        struct log_ratelimit drop_logs[DROP_MAX]; /* what its links do wrong */
};

#define QUOTA_USERS_HASH 64

/*
 * Invariants: what is in use of a kind is the sum of what its users use, of whom n_users have a
 * link. What was granted with a factor of 1 was not more than all may have (X <= T); beyond go only
 * the first message of an empty queue, and answers.
 */
struct quota {
        struct limits limits;
        const char *file; /* that the limits are changed in */
        uint64_t use[QUOTA_MAX];
        size_t n_users; /* with a link */
        struct quota_user *users[QUOTA_USERS_HASH];
        struct log_ratelimit refused; /* links */
        uint64_t drops[DROP_MAX];
        struct log_ratelimit drop_logs[DROP_MAX]; /* that are nobody's of the clients */
};

void quota_init(struct quota *q, const struct limits *limits, const char *file);
/* All links must be gone. */
void quota_deinit(struct quota *q);

/* The user @uid with a link more, or NULL: *@ret_limit is reached, or (LIMIT_NONE) memory is
 * short. */
struct quota_user *quota_add_link(struct quota *q, uid_t uid, uint64_t now, enum limit *ret_limit);
/* The link is gone, with all that was charged to it. Takes NULL, returns NULL. */
struct quota_user *quota_remove_link(struct quota_user *u);

/* The slow half of quota_check(). */
enum limit quota_check_share(const struct quota_user *u, enum quota_kind kind, uint64_t own,
                             uint64_t amount, unsigned factor);

/* Which limit forbids a link that uses @own to take @amount more; @factor times as much is allowed
 * if it must not be refused. To be asked before anything is allocated. */
static inline enum limit quota_check(const struct quota_user *u, enum quota_kind kind, uint64_t own,
                                     uint64_t amount, unsigned factor)
{
        const struct quota *q = u->quota;
        const uint64_t *of = &q->limits.of[limit_of(kind, SCOPE_TOTAL)];

        if (kind != QUOTA_LINKS && own + amount > factor * of[SCOPE_LINK])
                return limit_of(kind, SCOPE_LINK);
        if (q->use[kind] + amount <= of[SCOPE_TOTAL] / 4 && of[SCOPE_USER] == LIMIT_OFF)
                return LIMIT_NONE;
        return quota_check_share(u, kind, own, amount, factor);
}

static inline void quota_take(struct quota_user *u, enum quota_kind kind, uint64_t amount)
{
        u->use[kind] += amount;
        u->quota->use[kind] += amount;
}

static inline void quota_give_back(struct quota_user *u, enum quota_kind kind, uint64_t amount)
{
        assert(u->use[kind] >= amount && u->quota->use[kind] >= amount);
        u->use[kind] -= amount;
        u->quota->use[kind] -= amount;
}

/* Takes @n tokens at @rate a second, of which @burst may be taken at once. Returns until when to
 * pause; at most @now: not at all. */
uint64_t bucket_spend(struct bucket *b, uint64_t rate, uint64_t burst, uint64_t n, uint64_t now);

/* How many may be taken at @now so that there is no pause, but one at least: it takes a pause to
 * find out that there is none left. UINT64_MAX if @rate is LIMIT_OFF. */
uint64_t bucket_left(const struct bucket *b, uint64_t rate, uint64_t burst, uint64_t now);

/* Counts what went wrong, by @u or (NULL) on a bus, and logs the first of a row: "WHO: WHAT"; @who
 * is NULL with @u. */
void quota_vcount(struct quota *q, struct quota_user *u, enum drop_cause cause, uint64_t now,
                  const char *who, const char *format, va_list args);
/* The same for a bus. */
void quota_count(struct quota *q, enum drop_cause cause, uint64_t now, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* Logs, if @ratelimit lets it, "WHO: LIMIT=N is reached: WHAT", and how to change it. */
void quota_log(const struct quota *q, struct log_ratelimit *ratelimit, enum limit limit,
               uint64_t now, const char *who, const char *what);
/* The same for a user's link and a limit that cannot be changed. */
void quota_log_fixed(struct quota_user *u, enum fixed_limit limit, uint64_t now, const char *who,
                     const char *what);

#endif
