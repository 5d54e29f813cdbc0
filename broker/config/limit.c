/*
 * limit.c - the limits that [limits] of the configuration changes, and what they are without it.
 */
#include "limit.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <core/nearly.h>

#include <broker/base/base.h>

#define ROW_OF_KIND(name, kind, scope, value, min, off) [LIMIT_##name] = { #name, value, min, off },
#define ROW_ALONE(name, value, min, off) [LIMIT_##name] = { #name, value, min, off },

/* Of a kind that has no limit of some scope the name is NULL. */
static const struct {
        const char *name;
        uint64_t value;
        uint64_t min;
        const char *off;
} table[LIMIT_MAX] = { LIMITS_OF_KINDS(ROW_OF_KIND) LIMITS_ALONE(ROW_ALONE) };

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
static bool set_limit(struct limits *l, const struct ini_line *line, unsigned i, struct span key,
                      struct span value)
{
        uint64_t number;

        if (!ini_check_once(line, key, l->lines[i]))
                return false;
        if (table[i].off && span_equal_nocase(value, table[i].off))
                number = LIMIT_OFF;
        else if (!parse_number(value, &number) || number < table[i].min)
                return ini_fail(line, key,
                                "\"%.*s\" is no value for it, write a number from %" PRIu64
                                " to %" PRIu64 " (K, M, G: times 1024)%s%s",
                                (int)(value.n < 20 ? value.n : 20), value.at, table[i].min,
                                LIMIT_VALUE_MAX, table[i].off ? ", or " : "",
                                table[i].off ? table[i].off : "");
        assert(number >= table[i].min && (number <= LIMIT_VALUE_MAX || table[i].off));
        l->of[i] = number;
        l->lines[i] = line->number;
        return true;
}

bool limits_on_line(void *data, const struct ini_line *line)
{
        const char *near = NULL;
        struct span key, value;

        if (line->text.n == 0)
                return true;
        if (!ini_split(line, &key, &value))
                return false;
        for (unsigned i = LIMIT_NONE + 1; i < LIMIT_MAX; i++) {
                if (!table[i].name)
                        continue;
                if (span_equal_nocase(key, table[i].name))
                        return set_limit(data, line, i, key, value);
                if (!near && is_nearly(key, table[i].name))
                        near = table[i].name;
        }
        ini_warn_unknown(line, key, near);
        return true;
}

/* The lesser one is never reached if it is above the greater one. */
static bool check_order(const struct limits *l, unsigned lesser, unsigned greater, const char *file,
                        char ret_error[static INI_ERROR_SIZE])
{
        const struct ini_line line = { .file = file,
                                       .number = l->lines[lesser],
                                       .error = ret_error };
        struct span key;

        if (l->lines[lesser] == 0 || l->of[lesser] == LIMIT_OFF || l->of[greater] == LIMIT_OFF ||
            l->of[lesser] <= l->of[greater])
                return true;
        key = span_of(table[lesser].name);
        if (l->lines[greater] > 0)
                return ini_fail(&line, key,
                                "%" PRIu64 " is above %s=%" PRIu64
                                " of line %u, lower it or raise the other",
                                l->of[lesser], table[greater].name, l->of[greater],
                                l->lines[greater]);
        return ini_fail(&line, key,
                        "%" PRIu64 " is above %s, which is %" PRIu64
                        " where no line says otherwise, lower it or write %s=NUMBER",
                        l->of[lesser], table[greater].name, l->of[greater], table[greater].name);
}

bool limits_check(const struct limits *l, const char *file, char ret_error[static INI_ERROR_SIZE])
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
