/*
 * stranger.h - tests about other users: whether this process can be one of them.
 *
 * Root can. The root of a user namespace that has but one number, which is what in-namespace makes
 * for an ordinary user, cannot.
 */
#ifndef MBUS_TESTS_STRANGER_H
#define MBUS_TESTS_STRANGER_H

#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Not 65534, which in a user namespace is nobody (io/nobody.h). */
#define STRANGER 65533

/* A stranger cannot reach what was built in somebody's home, so the broker is copied to where he can,
 * into the directory that in-namespace removes. To be called by root as a stranger. */
static inline void lend_broker(void)
{
        const char *broker = getenv("BROKER"), *folder = getenv("TMPDIR");
        bool reachable = !broker || faccessat(AT_FDCWD, broker, X_OK, AT_EACCESS) == 0;
        char copy[256], command[1024];

        if (seteuid(0) < 0 || reachable || !folder)
                return;
        snprintf(copy, sizeof(copy), "%s/lent-mbus-broker", folder);
        snprintf(command, sizeof(command), "cp -L '%s' '%s' && chmod 755 '%s'", broker, copy, copy);
        if (system(command) == 0)
                setenv("BROKER", copy, 1);
}

/* Says so if it cannot. */
static inline bool can_be_a_stranger(void)
{
        gid_t group = STRANGER;
        bool good = setgroups(1, &group) == 0 && setgroups(0, NULL) == 0 &&
                    setegid(STRANGER) == 0 && setegid(0) == 0 && seteuid(STRANGER) == 0;

        if (good)
                lend_broker();
        if (seteuid(0) == 0 && good)
                return true;
        puts("not allowed: being another user takes root; a user namespace with one number has no "
             "other");
        return false;
}

/* Whether a user namespace can be made: not in a chroot, nor where the system forbids it. Says so if not. */
static inline bool can_have_user_namespace(void)
{
        if (system("unshare --user true 2>/dev/null") == 0)
                return true;
        puts("not allowed: a user namespace, which there is none of in a chroot, either");
        return false;
}

#endif
