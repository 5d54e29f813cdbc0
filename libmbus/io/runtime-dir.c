/*
 * runtime-dir.c - see runtime-dir.h.
 */
#include "runtime-dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nobody.h"

#define PATH_SHOWN_MAX 120

static const char *fail(char *ret_error, const char *directory, const char *what)
{
        snprintf(ret_error, RUNTIME_DIR_ERROR_SIZE, "XDG_RUNTIME_DIR=%.*s: %s", PATH_SHOWN_MAX,
                 directory, what);
        return NULL;
}

const char *runtime_dir_get(char ret_error[static RUNTIME_DIR_ERROR_SIZE])
{
        const char *directory = geteuid() == 0 ? NULL : secure_getenv("XDG_RUNTIME_DIR");
        char what[64];
        struct stat s;

        ret_error[0] = '\0';
        if (!directory || !directory[0])
                return NULL;
        if (directory[0] != '/')
                return fail(ret_error, directory, "it is not an absolute path");
        if (stat(directory, &s) < 0)
                return fail(ret_error, directory, strerror(errno));
        if (!S_ISDIR(s.st_mode))
                return fail(ret_error, directory, strerror(ENOTDIR));
        if (!nobody_is_own(directory, &s)) {
                snprintf(what, sizeof(what), "it belongs to uid %u, and not to this user (%u)",
                         (unsigned)s.st_uid, (unsigned)geteuid());
                return fail(ret_error, directory, what);
        }
        /* Many systems give each user a group of his own, and let it write what he makes. */
        if ((s.st_mode & S_IWOTH) || ((s.st_mode & S_IWGRP) && s.st_gid != getegid()))
                return fail(ret_error, directory, "others can write it");
        return directory;
}
