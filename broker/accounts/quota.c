/*
 * quota.c - who may take how much of what the broker has (quota.h has the rules and the reasons).
 */
#include "quota.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <core/limits.h>

/* ---- users --------------------------------------------------------------------------------- */

void quota_init(struct quota *q, const struct limits *limits, const char *file)
{
        *q = (struct quota){ .limits = *limits, .file = file };
}

void quota_deinit(struct quota *q)
{
        assert(q->n_users == 0);
        for (unsigned i = 0; i < QUOTA_USERS_HASH; i++) {
                while (q->users[i]) {
                        struct quota_user *u = q->users[i];

                        assert(u->use[QUOTA_LINKS] == 0);
                        q->users[i] = u->next;
                        free(u);
                }
        }
}

static bool is_forgotten(const struct quota_user *u, uint64_t now)
{
        return u->use[QUOTA_LINKS] == 0 && u->commands.paid_at <= now && u->sends.paid_at <= now &&
               u->guesses.paid_at <= now;
}

/* Where @uid stands or would stand. Whoever else is met on the way, and owes nothing, goes. */
static struct quota_user **find_user(struct quota *q, uid_t uid, uint64_t now)
{
        struct quota_user **place = &q->users[uid % QUOTA_USERS_HASH], *u;

        while ((u = *place) && u->uid != uid) {
                if (is_forgotten(u, now)) {
                        *place = u->next;
                        free(u);
                } else {
                        place = &u->next;
                }
        }
        return place;
}

struct quota_user *quota_add_link(struct quota *q, uid_t uid, uint64_t now, enum limit *ret_limit)
{
        struct quota_user newcomer = { .quota = q, .uid = uid };
        struct quota_user **place = find_user(q, uid, now), *u = *place;
        bool is_new = !u || u->use[QUOTA_LINKS] == 0;

        /* The share is that of one user more, if this is one. */
        q->n_users += is_new;
        *ret_limit = quota_check(u ? u : &newcomer, QUOTA_LINKS, 0, 1, 1);
        if (*ret_limit == LIMIT_NONE && !u) {
                u = *place = malloc(sizeof(*u));
                if (u)
                        *u = newcomer;
        }
        if (*ret_limit != LIMIT_NONE || !u) {
                q->n_users -= is_new;
                return NULL;
        }
        quota_take(u, QUOTA_LINKS, 1);
        return u;
}

struct quota_user *quota_remove_link(struct quota_user *u)
{
        if (!u)
                return NULL;
        quota_give_back(u, QUOTA_LINKS, 1);
        if (u->use[QUOTA_LINKS] > 0)
                return NULL;
        for (unsigned kind = 0; kind < QUOTA_MAX; kind++)
                assert(u->use[kind] == 0);
        assert(u->n_backlogs == 0 && u->quota->n_users > 0);
        u->quota->n_users--;
        return NULL;
}

/* ---- shares -------------------------------------------------------------------------------- */

enum limit quota_check_share(const struct quota_user *u, enum quota_kind kind, uint64_t own,
                             uint64_t amount, unsigned factor)
{
        const struct quota *q = u->quota;
        const uint64_t *of = &q->limits.of[limit_of(kind, SCOPE_TOTAL)];
        uint64_t used = u->use[kind], others = q->use[kind] - used, share;

        assert(q->use[kind] >= used);
        if (of[SCOPE_USER] != LIMIT_OFF && used + amount > factor * of[SCOPE_USER])
                return limit_of(kind, SCOPE_USER);
        if (q->use[kind] + amount <= of[SCOPE_TOTAL] / 4)
                return LIMIT_NONE;
        share = others < of[SCOPE_TOTAL] ? (of[SCOPE_TOTAL] - others) / (q->n_users + 1) : 0;
        if (kind != QUOTA_BYTES && kind != QUOTA_MESSAGES)
                own = used;
        else if (used - own < share)
                share = (share - (used - own)) / (u->n_backlogs + 1);
        else
                share = 0;
        if (own + amount > factor * share)
                return limit_of(kind, SCOPE_TOTAL);
        /* The promise of quota.h: own <= used, so x + a <= S <= T - (X - x). */
        assert(factor > 1 || q->use[kind] + amount <= of[SCOPE_TOTAL]);
        return LIMIT_NONE;
}

/* ---- rates --------------------------------------------------------------------------------- */

uint64_t bucket_spend(struct bucket *b, uint64_t rate, uint64_t burst, uint64_t n, uint64_t now)
{
        uint64_t each = NSEC_PER_SEC / rate + (NSEC_PER_SEC % rate > 0);

        assert(rate != LIMIT_OFF && burst > 0);
        if (b->paid_at < now)
                b->paid_at = now;
        b->paid_at += n * each;
        return b->paid_at > burst * each ? b->paid_at - burst * each : 0;
}

uint64_t bucket_left(const struct bucket *b, uint64_t rate, uint64_t burst, uint64_t now)
{
        uint64_t each = NSEC_PER_SEC / rate + (NSEC_PER_SEC % rate > 0);
        uint64_t owed = b->paid_at > now ? b->paid_at - now : 0;

        if (rate == LIMIT_OFF)
                return UINT64_MAX;
        return owed + each < burst * each ? burst - (owed + each - 1) / each : 1;
}

/* ---- the log ------------------------------------------------------------------------------- */

static bool is_total(enum limit limit)
{
        for (enum quota_kind kind = 0; kind < QUOTA_MAX; kind++)
                if (limit == limit_of(kind, SCOPE_TOTAL))
                        return true;
        return false;
}

void quota_log(const struct quota *q, struct log_ratelimit *ratelimit, enum limit limit,
               uint64_t now, const char *who, const char *what)
{
        uint64_t n_suppressed;

        if (!log_ratelimit_is_due(ratelimit, now, &n_suppressed))
                return;
        log_warning("%s: %s=%" PRIu64 " is %s: %s; to change it write %s=NUMBER below [limits] in "
                    "%s (%" PRIu64 " more before)",
                    who, limit_name(limit), q->limits.of[limit],
                    is_total(limit) ? "for all users, and this one's share of it is used up"
                                    : "reached",
                    what, limit_name(limit), q->file, n_suppressed);
}

void quota_log_fixed(struct quota_user *u, enum fixed_limit limit, uint64_t now, const char *who,
                     const char *what)
{
        static const struct {
                const char *name;
                unsigned value;
        } limits[FIXED_MAX] = {
                [FIXED_RETAINED_NAMES] = { "RETAINED_NAMES_MAX", RETAINED_NAMES_MAX },
                [FIXED_OBSERVE_FILTERS] = { "OBSERVE_FILTERS_MAX", OBSERVE_FILTERS_MAX },
                [FIXED_OUTSTANDING] = { "RELIABLE_OUTSTANDING_MAX", RELIABLE_OUTSTANDING_MAX },
                [FIXED_LISTS] = { "LISTS_BYTES_MAX", LISTS_BYTES_MAX },
                [FIXED_PROOFS] = { "PROOFS_MAX", PROOFS_MAX },
        };
        uint64_t n_suppressed;

        if (log_ratelimit_is_due(&u->fixed_limit_logs[limit], now, &n_suppressed))
                log_warning("%s: %s=%u is reached: %s; it cannot be changed (%" PRIu64
                            " more before)",
                            who, limits[limit].name, limits[limit].value, what, n_suppressed);
}

/* ---- what went wrong ------------------------------------------------------------------------ */

/* Two things that others wrote, and what is wrong with them. */
#define WHAT_SIZE (2 * EXCERPT_MAX + 128)

void quota_vcount(struct quota *q, struct quota_user *u, enum drop_cause cause, uint64_t now,
                  const char *who, const char *format, va_list args)
{
        char what[WHAT_SIZE];
        uint64_t n_suppressed;

        assert(!u == !who && cause < DROP_MAX);
        q->drops[cause]++;
        if (!log_ratelimit_is_due(u ? &u->drop_logs[cause] : &q->drop_logs[cause], now,
                                  &n_suppressed))
                return;
        vsnprintf(what, sizeof(what), format, args);
        log_warning("%s%s%s (%" PRIu64 " more before)", who ? who : "", who ? ": " : "", what,
                    n_suppressed);
}

void quota_count(struct quota *q, enum drop_cause cause, uint64_t now, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        quota_vcount(q, NULL, cause, now, NULL, format, args);
        va_end(args);
}
