/*
 * ini-account.c - see ini-account.h.
 */
#include "ini-account.h"

#include <stdlib.h>
#include <string.h>

#include <core/error.h>
#include <io/account.h>

#define NAME_SIZE 256

/* Nobody is called so. */
static bool is_number(struct span name)
{
        for (size_t i = 0; i < name.n; i++)
                if (!is_digit(name.at[i]))
                        return false;
        return name.n > 0;
}

static bool find_account(const struct ini_line *line, struct span key, struct span name,
                         bool is_group, uint32_t *ret_id)
{
        const char *kind = is_group ? "group" : "user";
        struct account_group group;
        struct account_user user;
        char text[NAME_SIZE];
        uint64_t number;
        int r;

        if (span_to_uint(name, UINT32_MAX - 1, &number)) {
                *ret_id = (uint32_t)number;
                return true;
        }
        if (is_number(name))
                return ini_fail(line, key, "%.*s is no number of a %s, they end at %u",
                                (int)(name.n < 40 ? name.n : 40), name.at, kind, UINT32_MAX - 1);
        if (name.n == 0 || name.n >= sizeof(text))
                return ini_fail(line, key, "a name is missing or too long, write that of a %s",
                                kind);
        memcpy(text, name.at, name.n);
        text[name.n] = '\0';
        r = is_group ? account_find_group(text, 0, &group) : account_find_user(text, 0, &user);
        if (r == MBUS_E_UNKNOWN)
                return ini_fail(line, key,
                                "there is no %s \"%.64s\", make one, write a number, or "
                                "remove it",
                                kind, text);
        if (r)
                return ini_fail(line, key,
                                "the %s \"%.64s\" cannot be looked up: %s; mend that, or write "
                                "its number",
                                kind, text, account_error(r));
        *ret_id = is_group ? group.entry.gr_gid : user.entry.pw_uid;
        free(is_group ? group.room : user.room);
        return true;
}

bool ini_find_user(const struct ini_line *line, struct span key, struct span name, uint32_t *ret_id)
{
        return find_account(line, key, name, false, ret_id);
}

bool ini_find_group(const struct ini_line *line, struct span key, struct span name,
                    uint32_t *ret_id)
{
        return find_account(line, key, name, true, ret_id);
}
