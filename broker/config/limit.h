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

#include "sections.h"

enum quota_kind {
        QUOTA_BYTES,
        QUOTA_MESSAGES,
        QUOTA_ENTITIES,
        QUOTA_TICKETS,
        QUOTA_LINKS,
        QUOTA_RETAINED, /* octets of last values */
        QUOTA_MAX,
};

enum limit_scope {
        SCOPE_TOTAL,
        SCOPE_USER,
        SCOPE_LINK,
        SCOPE_MAX,
};

/* LIMIT_NONE: all is well. */
#define LIMIT_ID(kind, scope) (1 + SCOPE_MAX * (kind) + (scope))
enum limit {
        LIMIT_NONE,
        LIMIT_BYTES = LIMIT_ID(QUOTA_BYTES, SCOPE_TOTAL),
        LIMIT_BYTES_PER_USER = LIMIT_ID(QUOTA_BYTES, SCOPE_USER),
        LIMIT_BYTES_PER_LINK = LIMIT_ID(QUOTA_BYTES, SCOPE_LINK),
        LIMIT_MESSAGES = LIMIT_ID(QUOTA_MESSAGES, SCOPE_TOTAL),
        LIMIT_MESSAGES_PER_USER = LIMIT_ID(QUOTA_MESSAGES, SCOPE_USER),
        LIMIT_MESSAGES_PER_LINK = LIMIT_ID(QUOTA_MESSAGES, SCOPE_LINK),
        LIMIT_ENTITIES = LIMIT_ID(QUOTA_ENTITIES, SCOPE_TOTAL),
        LIMIT_ENTITIES_PER_USER = LIMIT_ID(QUOTA_ENTITIES, SCOPE_USER),
        LIMIT_ENTITIES_PER_LINK = LIMIT_ID(QUOTA_ENTITIES, SCOPE_LINK),
        LIMIT_TICKETS = LIMIT_ID(QUOTA_TICKETS, SCOPE_TOTAL),
        LIMIT_TICKETS_PER_USER = LIMIT_ID(QUOTA_TICKETS, SCOPE_USER),
        LIMIT_TICKETS_PER_LINK = LIMIT_ID(QUOTA_TICKETS, SCOPE_LINK),
        LIMIT_LINKS = LIMIT_ID(QUOTA_LINKS, SCOPE_TOTAL),
        LIMIT_LINKS_PER_USER = LIMIT_ID(QUOTA_LINKS, SCOPE_USER),
        LIMIT_RETAINED = LIMIT_ID(QUOTA_RETAINED, SCOPE_TOTAL),
        LIMIT_RETAINED_PER_USER = LIMIT_ID(QUOTA_RETAINED, SCOPE_USER),
        LIMIT_RETAINED_PER_LINK = LIMIT_ID(QUOTA_RETAINED, SCOPE_LINK),
        /* Those that are not of a kind in three scopes. */
        LIMIT_WATCHES_PER_LINK = LIMIT_ID(QUOTA_MAX, SCOPE_TOTAL),
        LIMIT_SEND_RATE,
        LIMIT_SEND_RATE_PER_USER,
        LIMIT_COMMAND_RATE_PER_USER,
        LIMIT_PATIENCE,
        LIMIT_MAX,
};

static inline enum limit limit_of(enum quota_kind kind, enum limit_scope scope)
{
        return (enum limit)LIMIT_ID(kind, scope);
}

/* No limit of a user beside its share, no limit of a rate. */
#define LIMIT_OFF UINT64_MAX

struct limits {
        uint64_t of[LIMIT_MAX];
        unsigned lines[LIMIT_MAX]; /* where they stood; 0: nowhere */
};

void limits_init(struct limits *l);
/* Reads a line of [limits], for sections_read(); @data is the struct limits. */
bool limits_on_line(void *data, const struct section_line *line);
/* All lines were read. False, with a line in @ret_error, if they contradict each other: what one
 * link may have is not above what its user may, nor that above what there is. What nobody wrote is
 * no contradiction, unless it makes a limit that somebody wrote one that is never reached. */
bool limits_check(const struct limits *l, const char *file,
                  char ret_error[static SECTIONS_ERROR_SIZE]);
/* "BYTES_PER_LINK" */
const char *limit_name(enum limit limit);

#endif
