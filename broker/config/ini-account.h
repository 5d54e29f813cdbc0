/*
 * ini-account.h - users and groups that a line of the configuration names.
 */
#ifndef BROKER_CONFIG_INI_ACCOUNT_H
#define BROKER_CONFIG_INI_ACCOUNT_H

#include "ini.h"

/*
 * The number that @name, which may be one, stands for. False, with ini_fail() at @key: there is
 * none of this name, or it cannot be found out now.
 */
bool ini_find_user(const struct ini_line *line, struct span key, struct span name,
                   uint32_t *ret_id);
bool ini_find_group(const struct ini_line *line, struct span key, struct span name,
                    uint32_t *ret_id);

#endif
