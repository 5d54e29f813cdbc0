/*
 * limit.c - the limits that [limits] of the configuration changes, and what they are without it.
 */
#include "limit.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <core/nearly.h>

#include <broker/base/base.h>

/* The keys of [limits]; a value is at least `min`. Of a kind that has no limit of some scope the
 * name is NULL. */
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
                l->of[i] = table[i].name ? table[i].value : LIMIT_OFF;
}

const char *limit_name(enum limit limit)
{
        assert(table[limit].name);
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
                if (!table[i].name)
                        continue;
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
        struct span key;

        if (l->lines[lesser] == 0 || l->of[lesser] == LIMIT_OFF || l->of[greater] == LIMIT_OFF ||
            l->of[lesser] <= l->of[greater])
                return true;
        key = span_of(table[lesser].name);
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
        for (enum quota_kind kind = 0; kind < QUOTA_MAX; kind++) {
                unsigned total = limit_of(kind, SCOPE_TOTAL), user = limit_of(kind, SCOPE_USER);
                unsigned link = limit_of(kind, SCOPE_LINK);

                if (!check_order(l, link, user, file, ret_error) ||
                    !check_order(l, link, total, file, ret_error) ||
                    !check_order(l, user, total, file, ret_error))
                        return false;
        }
        return check_order(l, LIMIT_SEND_RATE, LIMIT_SEND_RATE_PER_USER, file, ret_error);
}
