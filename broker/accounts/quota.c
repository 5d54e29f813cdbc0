/*
 * quota.c - who may take how much of what the broker has (quota.h has the rules and the reasons).
 */
#include "quota.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <core/limits.h>
#include <core/nearly.h>

#include <broker/base/limits.h>

/* ---- the limits ---------------------------------------------------------------------------- */

/* The keys of [limits]; a value is at least `min`. */
static const struct {
        const char *name;
        uint64_t value;
        uint64_t min;
        const char *off; /* the word for LIMIT_OFF, NULL: there must be a limit */
} table[LIMIT_MAX] = {
        [LIMIT_NONE] = { "", 0, 0, NULL },
        [LIMIT_BYTES] = { "BYTES", QUEUES_BYTES_MAX, QUEUE_BYTES_MIN, NULL },
        [LIMIT_BYTES_PER_USER] = { "BYTES_PER_USER", LIMIT_OFF, QUEUE_BYTES_MIN, "share" },
        [LIMIT_BYTES_PER_LINK] = { "BYTES_PER_LINK", QUEUE_BYTES_MAX, QUEUE_BYTES_MIN, NULL },
        [LIMIT_MESSAGES] = { "MESSAGES", QUEUES_MESSAGES_MAX, 16, NULL },
        [LIMIT_MESSAGES_PER_USER] = { "MESSAGES_PER_USER", LIMIT_OFF, 16, "share" },
        [LIMIT_MESSAGES_PER_LINK] = { "MESSAGES_PER_LINK", QUEUE_MESSAGES_MAX, 16, NULL },
        [LIMIT_ENTITIES] = { "ENTITIES", ATTACHMENTS_TOTAL_MAX, 1, NULL },
        [LIMIT_ENTITIES_PER_USER] = { "ENTITIES_PER_USER", LIMIT_OFF, 1, "share" },
        [LIMIT_ENTITIES_PER_LINK] = { "ENTITIES_PER_LINK", ATTACHMENTS_MAX, 1, NULL },
        [LIMIT_TICKETS] = { "TICKETS", TICKETS_TOTAL_MAX, 1, NULL },
        [LIMIT_TICKETS_PER_USER] = { "TICKETS_PER_USER", LIMIT_OFF, 1, "share" },
        [LIMIT_TICKETS_PER_LINK] = { "TICKETS_PER_LINK", TICKETS_MAX, 1, NULL },
        [LIMIT_LINKS] = { "LINKS", LINKS_MAX, 1, NULL },
        [LIMIT_LINKS_PER_USER] = { "LINKS_PER_USER", LIMIT_OFF, 1, "share" },
        [LIMIT_WATCHES_PER_LINK] = { "WATCHES_PER_LINK", WATCHES_MAX, 1, NULL },
        [LIMIT_RETAINED] = { "RETAINED", RETAINED_BYTES_TOTAL_MAX, RETAINED_BYTES_MIN, NULL },
        [LIMIT_RETAINED_PER_USER] = { "RETAINED_PER_USER", LIMIT_OFF, RETAINED_BYTES_MIN, "share" },
        [LIMIT_RETAINED_PER_LINK] = { "RETAINED_PER_LINK", RETAINED_BYTES_MAX, RETAINED_BYTES_MIN,
                                      NULL },
        [LIMIT_SEND_RATE] = { "SEND_RATE", LIMIT_OFF, 1, "none" },
        [LIMIT_SEND_RATE_PER_USER] = { "SEND_RATE_PER_USER", LIMIT_OFF, 1, "none" },
        [LIMIT_COMMAND_RATE_PER_USER] = { "COMMAND_RATE_PER_USER", COMMAND_RATE, 1, "none" },
        [LIMIT_PATIENCE] = { "PATIENCE", PATIENCE_MAX_MS, 0, NULL },
};

void limits_init(struct limits *l)
{
        *l = (struct limits){ 0 };
        for (unsigned i = 0; i < LIMIT_MAX; i++)
                l->of[i] = table[i].value;
}

const char *limit_name(enum limit limit)
{
        return table[limit].name;
}

/* A number, with K, M or G behind it for so many times 1024. */
static bool parse_number(struct span s, uint64_t *ret_number)
{
        static const char units[] = "kKmMgG";
        const char *unit = s.n > 0 ? memchr(units, s.at[s.n - 1], sizeof(units) - 1) : NULL;
        unsigned shift = unit ? 10 * (unsigned)((unit - units) / 2 + 1) : 0;
        uint64_t number;

        if (unit)
                s.n--;
        if (!span_to_uint(s, LIMIT_VALUE_MAX >> shift, &number))
                return false;
        *ret_number = number << shift;
        return true;
}

/* Reads the value of the limit @i. */
static bool set_limit(struct limits *l, const struct section_line *line, unsigned i,
                      struct span key, struct span value)
{
        uint64_t number;

        if (!section_check_once(line, key, l->lines[i]))
                return false;
        if (table[i].off && span_equal_nocase(value, table[i].off))
                number = LIMIT_OFF;
        else if (!parse_number(value, &number) || number < table[i].min)
                return section_fail(line, key,
                                    "\"%.*s\" is no value for it, write a number from %" PRIu64
                                    " to %" PRIu64 " (K, M, G: times 1024)%s%s",
                                    (int)(value.n < 20 ? value.n : 20), value.at, table[i].min,
                                    LIMIT_VALUE_MAX, table[i].off ? ", or " : "",
                                    table[i].off ? table[i].off : "");
        l->of[i] = number;
        l->lines[i] = line->number;
        return true;
}

bool limits_on_line(void *data, const struct section_line *line)
{
        const char *near = NULL;
        struct span key, value;

        if (line->text.n == 0)
                return true;
        if (!section_split(line, &key, &value))
                return false;
        for (unsigned i = LIMIT_NONE + 1; i < LIMIT_MAX; i++) {
                if (span_equal_nocase(key, table[i].name))
                        return set_limit(data, line, i, key, value);
                if (!near && is_nearly(key, table[i].name))
                        near = table[i].name;
        }
        section_warn_unknown(line, key, near);
        return true;
}

/* The lesser one is never reached if it is above the greater one. */
static bool check_order(const struct limits *l, unsigned lesser, unsigned greater, const char *file,
                        char ret_error[static SECTIONS_ERROR_SIZE])
{
        const struct section_line line = { .file = file,
                                           .number = l->lines[lesser],
                                           .error = ret_error };
        struct span key = span_of(table[lesser].name);

        if (l->lines[lesser] == 0 || l->of[lesser] == LIMIT_OFF || l->of[greater] == LIMIT_OFF ||
            l->of[lesser] <= l->of[greater])
                return true;
        if (l->lines[greater] > 0)
                return section_fail(&line, key,
                                    "%" PRIu64 " is above %s=%" PRIu64
                                    " of line %u, lower it or raise the other",
                                    l->of[lesser], table[greater].name, l->of[greater],
                                    l->lines[greater]);
        return section_fail(&line, key,
                            "%" PRIu64 " is above %s, which is %" PRIu64
                            " where no line says otherwise, lower it or write %s=NUMBER",
                            l->of[lesser], table[greater].name, l->of[greater],
                            table[greater].name);
}

bool limits_check(const struct limits *l, const char *file,
                  char ret_error[static SECTIONS_ERROR_SIZE])
{
        static const struct {
                unsigned lesser;
                unsigned greater;
        } pairs[] = {
                { LIMIT_BYTES_PER_LINK, LIMIT_BYTES_PER_USER },
                { LIMIT_BYTES_PER_LINK, LIMIT_BYTES },
                { LIMIT_BYTES_PER_USER, LIMIT_BYTES },
                { LIMIT_MESSAGES_PER_LINK, LIMIT_MESSAGES_PER_USER },
                { LIMIT_MESSAGES_PER_LINK, LIMIT_MESSAGES },
                { LIMIT_MESSAGES_PER_USER, LIMIT_MESSAGES },
                { LIMIT_ENTITIES_PER_LINK, LIMIT_ENTITIES_PER_USER },
                { LIMIT_ENTITIES_PER_LINK, LIMIT_ENTITIES },
                { LIMIT_ENTITIES_PER_USER, LIMIT_ENTITIES },
                { LIMIT_TICKETS_PER_LINK, LIMIT_TICKETS_PER_USER },
                { LIMIT_TICKETS_PER_LINK, LIMIT_TICKETS },
                { LIMIT_TICKETS_PER_USER, LIMIT_TICKETS },
                { LIMIT_LINKS_PER_USER, LIMIT_LINKS },
                { LIMIT_RETAINED_PER_LINK, LIMIT_RETAINED_PER_USER },
                { LIMIT_RETAINED_PER_LINK, LIMIT_RETAINED },
                { LIMIT_RETAINED_PER_USER, LIMIT_RETAINED },
                { LIMIT_SEND_RATE, LIMIT_SEND_RATE_PER_USER },
        };

        for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
                if (!check_order(l, pairs[i].lesser, pairs[i].greater, file, ret_error))
                        return false;
        return true;
}

/* ---- users --------------------------------------------------------------------------------- */

void quota_init(struct quota *q, const struct limits *limits, const char *file)
{
        *q = (struct quota){ .limits = *limits, .file = file };
}

void quota_deinit(struct quota *q)
{
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
static struct quota_user **find(struct quota *q, uid_t uid, uint64_t now)
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
        struct quota_user stranger = { .quota = q, .uid = uid };
        struct quota_user **place = find(q, uid, now), *u = *place;
        bool is_new = !u || u->use[QUOTA_LINKS] == 0;

        /* The share is that of one user more, if this is one. */
        q->n_users += is_new;
        *ret_limit = quota_check(u ? u : &stranger, QUOTA_LINKS, 0, 1, 1);
        if (*ret_limit == LIMIT_NONE && !u) {
                u = *place = malloc(sizeof(*u));
                if (u)
                        *u = stranger;
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
        assert(u->n_backlogs == 0);
        u->quota->n_users--;
        return NULL;
}

/* ---- shares -------------------------------------------------------------------------------- */

enum limit quota_check_share(const struct quota_user *u, enum quota_kind kind, uint64_t own,
                             uint64_t amount, unsigned factor)
{
        const struct quota *q = u->quota;
        const uint64_t *of = &q->limits.of[LIMIT_BYTES + 3 * kind];
        uint64_t used = u->use[kind], others = q->use[kind] - used, share;

        if (of[1] != LIMIT_OFF && used + amount > factor * of[1])
                return LIMIT_BYTES_PER_USER + 3 * kind;
        if (q->use[kind] + amount <= of[0] / 4)
                return LIMIT_NONE;
        share = others < of[0] ? (of[0] - others) / (q->n_users + 1) : 0;
        if (kind != QUOTA_BYTES && kind != QUOTA_MESSAGES)
                own = used;
        else if (used - own < share)
                share = (share - (used - own)) / (u->n_backlogs + 1);
        else
                share = 0;
        return own + amount > factor * share ? LIMIT_BYTES + 3 * kind : LIMIT_NONE;
}

/* ---- rates --------------------------------------------------------------------------------- */

uint64_t bucket_spend(struct bucket *b, uint64_t rate, uint64_t burst, uint64_t n, uint64_t now)
{
        uint64_t each = NSEC_PER_SEC / rate + (NSEC_PER_SEC % rate > 0);

        if (b->paid_at < now)
                b->paid_at = now;
        b->paid_at += n * each;
        return b->paid_at > burst * each ? b->paid_at - burst * each : 0;
}

uint64_t bucket_left(const struct bucket *b, uint64_t rate, uint64_t burst, uint64_t now)
{
        uint64_t each = NSEC_PER_SEC / rate + (NSEC_PER_SEC % rate > 0);
        uint64_t owed = b->paid_at > now ? b->paid_at - now : 0;

        return owed + each < burst * each ? burst - (owed + each - 1) / each : 1;
}

/* ---- the log ------------------------------------------------------------------------------- */

static bool is_total(enum limit limit)
{
        return limit < LIMIT_SEND_RATE && (limit - LIMIT_BYTES) % 3 == 0;
}

void quota_log(const struct quota *q, struct log_cause *cause, enum limit limit, uint64_t now,
               const char *who, const char *what)
{
        uint64_t n_silent;

        if (!log_cause_is_due(cause, now, &n_silent))
                return;
        log_warning("%s: %s=%" PRIu64 " is %s: %s; to change it write %s=NUMBER below [limits] in "
                    "%s (%" PRIu64 " more before)",
                    who, table[limit].name, q->limits.of[limit],
                    is_total(limit) ? "for all users, and this one's share of it is used up"
                                    : "reached",
                    what, table[limit].name, q->file, n_silent);
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
        uint64_t n_silent;

        if (log_cause_is_due(&u->fixed[limit], now, &n_silent))
                log_warning("%s: %s=%u is reached: %s; it cannot be changed (%" PRIu64
                            " more before)",
                            who, limits[limit].name, limits[limit].value, what, n_silent);
}
