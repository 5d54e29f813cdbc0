/*
 * limit.h - the limits that [limits] of the configuration changes.
 *
 * Of each kind of thing that clients take there are limits in three scopes: for all together, for a
 * user, for a link. What one link may have is not above what its user may, nor that above what
 * there is.
 */
#ifndef BROKER_CONFIG_LIMIT_H
#define BROKER_CONFIG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ini.h"

enum quota_kind {
        QUOTA_BYTES,
        QUOTA_MESSAGES,
        QUOTA_ENTITIES,
        QUOTA_TICKETS,
        QUOTA_LINKS,
        QUOTA_WATCHES,
        QUOTA_RETAINED, /* octets of last values */
        QUOTA_MAX,
};

enum limit_scope {
        SCOPE_TOTAL,
        SCOPE_USER,
        SCOPE_LINK,
        SCOPE_MAX,
};

/*
 * The keys of [limits], each in one line, of which the enumeration below and the table of limit.c
 * are made, and with them all that is read, checked and logged: LIMIT_NAME is the key NAME. It can
 * be set to MIN and more, or to LIMIT_OFF by the word OFF; if that is NULL, there must be a limit.
 *
 * limit(NAME, KIND, SCOPE, DEFAULT, MIN, OFF) is what quota_check() goes by. Two for one scope of a
 * kind do not compile; a kind without a line for a scope has no limit there.
 */
/* clang-format off */
#define LIMITS_OF_KINDS(limit)                                                                     \
        limit(BYTES, BYTES, TOTAL, QUEUES_BYTES_MAX, QUEUE_BYTES_MIN, NULL)                        \
        limit(BYTES_PER_USER, BYTES, USER, LIMIT_OFF, QUEUE_BYTES_MIN, "share")                    \
        limit(BYTES_PER_LINK, BYTES, LINK, QUEUE_BYTES_MAX, QUEUE_BYTES_MIN, NULL)                 \
        limit(MESSAGES, MESSAGES, TOTAL, QUEUES_MESSAGES_MAX, 16, NULL)                            \
        limit(MESSAGES_PER_USER, MESSAGES, USER, LIMIT_OFF, 16, "share")                           \
        limit(MESSAGES_PER_LINK, MESSAGES, LINK, QUEUE_MESSAGES_MAX, 16, NULL)                     \
        limit(ENTITIES, ENTITIES, TOTAL, LOCAL_ENTITIES_TOTAL_MAX, 1, NULL)                        \
        limit(ENTITIES_PER_USER, ENTITIES, USER, LIMIT_OFF, 1, "share")                            \
        limit(ENTITIES_PER_LINK, ENTITIES, LINK, LOCAL_ENTITIES_MAX, 1, NULL)                      \
        limit(TICKETS, TICKETS, TOTAL, TICKETS_TOTAL_MAX, 1, NULL)                                 \
        limit(TICKETS_PER_USER, TICKETS, USER, LIMIT_OFF, 1, "share")                              \
        limit(TICKETS_PER_LINK, TICKETS, LINK, TICKETS_MAX, 1, NULL)                               \
        limit(LINKS, LINKS, TOTAL, LINKS_MAX, 1, NULL)                                             \
        limit(LINKS_PER_USER, LINKS, USER, LIMIT_OFF, 1, "share")                                  \
        limit(WATCHES_PER_LINK, WATCHES, LINK, WATCHES_MAX, 1, NULL)                               \
        limit(RETAINED, RETAINED, TOTAL, RETAINED_BYTES_TOTAL_MAX, RETAINED_BYTES_MIN, NULL)       \
        limit(RETAINED_PER_USER, RETAINED, USER, LIMIT_OFF, RETAINED_BYTES_MIN, "share")           \
        limit(RETAINED_PER_LINK, RETAINED, LINK, RETAINED_BYTES_MAX, RETAINED_BYTES_MIN, NULL)

/* Those that are of no kind: limit(NAME, DEFAULT, MIN, OFF) */
#define LIMITS_ALONE(limit)                                                                        \
        limit(SEND_RATE, LIMIT_OFF, 1, "none")                                                     \
        limit(SEND_RATE_PER_USER, LIMIT_OFF, 1, "none")                                            \
        limit(COMMAND_RATE_PER_USER, COMMAND_RATE, 1, "none")                                      \
        limit(PATIENCE, PATIENCE_MAX_MS, 0, NULL)
/* clang-format on */

/* No limit of a user beside its share, no limit of a rate. */
#define LIMIT_OFF UINT64_MAX

#define LIMIT_ID(kind, scope) (1 + SCOPE_MAX * (kind) + (scope))
#define LIMIT_OF_KIND(name, kind, scope, value, min, off)                                          \
        LIMIT_##name = LIMIT_ID(QUOTA_##kind, SCOPE_##scope),
#define LIMIT_ALONE(name, value, min, off) LIMIT_##name,

/* LIMIT_NONE: all is well. */
enum limit {
        LIMIT_NONE,
        LIMITS_OF_KINDS(LIMIT_OF_KIND)
        /* Whatever stands between them, those that follow begin behind all kinds. */
        LIMITS_KINDS_END = LIMIT_ID(QUOTA_MAX, SCOPE_TOTAL) - 1,
        LIMITS_ALONE(LIMIT_ALONE) LIMIT_MAX,
};

static inline enum limit limit_of(enum quota_kind kind, enum limit_scope scope)
{
        return (enum limit)LIMIT_ID(kind, scope);
}

struct limits {
        uint64_t of[LIMIT_MAX];
        unsigned lines[LIMIT_MAX]; /* where they stood; 0: nowhere */
};

void limits_init(struct limits *l);
/* Reads a line of [limits], for ini_read(); @data is the struct limits. */
bool limits_on_line(void *data, const struct ini_line *line);
/* All lines were read. False, with a line in @ret_error, if they contradict each other: what one
 * link may have is not above what its user may, nor that above what there is. What nobody wrote is
 * no contradiction, unless it makes a limit that somebody wrote one that is never reached. */
bool limits_check(const struct limits *l, const char *file, char ret_error[static INI_ERROR_SIZE]);
/* "BYTES_PER_LINK" */
const char *limit_name(enum limit limit);

#endif
