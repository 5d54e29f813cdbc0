/*
 * stranger.h - tests about other users: whether this process can be one of them.
 *
 * Root can. The root of a user namespace that has but one number, which is what in-namespace makes
 * for an ordinary user, cannot.
 */
#ifndef MBUS_TESTS_STRANGER_H
#define MBUS_TESTS_STRANGER_H

#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* Not 65534, which in a user namespace is nobody (io/nobody.h). */
#define STRANGER 65533

/* Says so if it cannot. */
static inline bool can_be_a_stranger(void)
{
        gid_t group = STRANGER;
        bool good = setgroups(1, &group) == 0 && setgroups(0, NULL) == 0 &&
                    setegid(STRANGER) == 0 && setegid(0) == 0 && seteuid(STRANGER) == 0;

        if (seteuid(0) == 0 && good)
                return true;
        puts("skipped: being another user takes root; a user namespace with one number has no "
             "other");
        return false;
}

#endif
