/*
 * account.h - the entries of users and groups, which may be large, and looking them up, which may
 * fail.
 *
 * A group of some thousand members has an entry of 100 KByte, so memory grows until it fits. And a
 * look-up that fails, because a server does not answer or there are no descriptors, has not found
 * out that there is nobody: the two are told apart.
 */
#ifndef MBUS_IO_ACCOUNT_H
#define MBUS_IO_ACCOUNT_H

#include <grp.h>
#include <pwd.h>
#include <stddef.h>

/* The largest entry that is looked at: half a million members. */
#define ACCOUNT_BYTES_MAX (16u << 20)

/* An entry; it looks into `room`, which is to be freed. */
struct account_user {
        struct passwd entry;
        char *room;
};

struct account_group {
        struct group entry;
        char *room;
};

/* Each finds the entry by @name, or, if that is NULL, by the number. 0; MBUS_E_UNKNOWN: there is
 * none; -ERANGE: it is larger than ACCOUNT_BYTES_MAX; -ENOMEM or another -errno: nobody could
 * tell. */
int account_find_user(const char *name, uid_t uid, struct account_user *ret_user);
int account_find_group(const char *name, gid_t gid, struct account_group *ret_group);

/* What a negative return value of these means, for people. */
const char *account_error(int error);

#endif
