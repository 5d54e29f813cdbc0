/*
 * nobody.h - the numbers that stand for whoever has none here.
 *
 * In a user namespace a process, a file or a group whose id is not mapped is shown with the
 * overflow id (/proc/sys/kernel/overflowuid and overflowgid, 65534 unless somebody changed it). All
 * strangers look alike then, and like a user who really has that number. So where not all ids are
 * mapped that number is nobody: never the owner of anything, and no user to grant something to.
 * Where all are, as on every host outside of containers, it is an ordinary user ("nobody").
 *
 * A namespace may have mapped the number, as those for containers do; who bears it is as ambiguous
 * as without, because the kernel shows both with it, so that counts for nothing.
 */
#ifndef MBUS_IO_NOBODY_H
#define MBUS_IO_NOBODY_H

#include <stdbool.h>
#include <sys/types.h>

struct nobody {
        bool has_uid; /* not all are mapped: */
        uid_t uid;
        bool has_gid;
        gid_t gid;
};

/* Reads what this process's namespace has; a map that cannot be read is taken for one with gaps. */
void nobody_read(struct nobody *ret_nobody);

static inline bool nobody_is_uid(const struct nobody *n, uid_t uid)
{
        return n->has_uid && uid == n->uid;
}

static inline bool nobody_is_gid(const struct nobody *n, gid_t gid)
{
        return n->has_gid && gid == n->gid;
}

struct stat;
/*
 * Whether what @s is of, at @path, is this user's own. If both have the overflow id, it is if he
 * may write it and its mode lets nobody else: the kernel knows the true ids.
 */
bool nobody_is_own(const char *path, const struct stat *s);

#endif
