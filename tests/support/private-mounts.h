/*
 * private-mounts.h - mounts of a process's own, of which nothing is seen outside.
 *
 * A new mount namespace still shares what is mounted later with the old one where the system's mounts are
 * shared, as systemd has them, so all of it is made private first. That can be said of mount points only:
 * in a chroot whose root is none (where packages are built) the root that it is part of must be told.
 */
#ifndef MBUS_TESTS_PRIVATE_MOUNTS_H
#define MBUS_TESTS_PRIVATE_MOUNTS_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

/* Deeper than anybody's chroot. */
#define PRIVATE_MOUNTS_DEPTH 100

/* From the root of a chroot to that of the namespace: who works outside of his root is not held by it. */
static inline int leave_chroot(void)
{
        if (chdir("/") < 0 || chroot("etc") < 0)
                return -errno;
        for (int i = 0; i < PRIVATE_MOUNTS_DEPTH; i++)
                if (chdir("..") < 0)
                        return -errno;
        return chroot(".") < 0 ? -errno : 0;
}

static inline int make_private(void)
{
        return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

static inline int make_private_around(int root, int here)
{
        int r = leave_chroot();

        if (r == 0)
                r = make_private();
        if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(here) < 0)
                return -errno;
        return r;
}

/* 0 or -errno; -EPERM if this user may not. */
static inline int private_mounts(void)
{
        int r, root, here;

        if (unshare(CLONE_NEWNS) < 0)
                return -errno;
        r = make_private();
        if (r != -EINVAL)
                return r;
        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = root < 0 || here < 0 ? -errno : make_private_around(root, here);
        close(root);
        close(here);
        return r;
}

#endif
