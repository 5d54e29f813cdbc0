/*
 * directory.c - see directory.h.
 */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <io/account.h>
#include <io/nobody.h>

#include "exit.h"
#include "log.h"

static int fail_directory(const char *path, int error)
{
        log_error("%s: its directory cannot be used: %s", path, strerror(error));
        return EXIT_NO_BUS;
}

/* Whether @user is all that there is of @group. */
static bool is_private(const struct group *group, const struct passwd *user)
{
        if (user->pw_gid != group->gr_gid || strcmp(group->gr_name, user->pw_name) != 0)
                return false;
        for (char **member = group->gr_mem; *member; member++)
                if (strcmp(*member, user->pw_name) != 0)
                        return false;
        return true;
}

/* 1 or 0, or -errno: who is in the group cannot be found out. */
static int is_own_group(gid_t gid)
{
        struct account_group group;
        struct account_user user;
        struct nobody nobody;
        int r;

        nobody_read(&nobody);
        if (gid != getegid() || nobody_is_gid(&nobody, gid))
                return 0;
        r = account_find_user(NULL, geteuid(), &user);
        if (r)
                return r < 0 ? r : 0;
        r = account_find_group(NULL, gid, &group);
        if (r == 0) {
                r = is_private(&group.entry, &user.entry);
                free(group.room);
        } else if (r > 0) {
                r = 0;
        }
        free(user.room);
        return r;
}

static bool is_everybodys(const struct stat *s)
{
        return (s->st_mode & S_IWOTH) && !(s->st_mode & S_ISVTX);
}

static int check_mode(const char *path, const char *directory, const struct stat *s)
{
        int own;

        if (is_everybodys(s)) {
                log_error("%s: everybody can replace the socket; mend it with: chmod o-w %s", path,
                          directory);
                return EXIT_NO_BUS;
        }
        if (!(s->st_mode & S_IWGRP) || (s->st_mode & S_ISVTX))
                return 0;
        own = is_own_group(s->st_gid);
        if (own == 1)
                return 0;
        log_error("%s: members of group %u can replace the socket%s%s; mend it with: chmod g-w %s",
                  path, (unsigned)s->st_gid,
                  own < 0 ? ", and who they are cannot be looked up: " : "",
                  own < 0 ? account_error(own) : "", directory);
        return EXIT_NO_BUS;
}

/* Whoever can write a directory above can move the one below away. @real is cut. */
static int check_above(const char *path, char *real)
{
        struct stat s;
        char *slash;

        while ((slash = strrchr(real, '/')) && strcmp(real, "/") != 0) {
                slash[slash == real ? 1 : 0] = '\0';
                if (stat(real, &s) < 0)
                        return fail_directory(path, errno);
                if (!is_everybodys(&s))
                        continue;
                log_error("%s: everybody can replace its directory in %s; mend it with: chmod o-w "
                          "%s, or +t as /tmp has it",
                          path, real, real);
                return EXIT_NO_BUS;
        }
        return 0;
}

int directory_check(const char *path, const char *directory)
{
        struct stat s;
        char *real;
        int r;

        if (stat(directory, &s) < 0)
                return fail_directory(path, errno);
        if (!S_ISDIR(s.st_mode))
                return fail_directory(path, ENOTDIR);
        if (s.st_uid != 0 && !nobody_is_own(directory, &s)) {
                log_error("%s: its directory belongs to uid %u, who could replace the socket; name "
                          "another with --socket",
                          path, (unsigned)s.st_uid);
                return EXIT_NO_BUS;
        }
        /* What a start with an odd umask has left, for one. */
        if (s.st_uid == geteuid() && faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0) {
                log_error("%s: its directory cannot be entered or written; mend it with: chmod "
                          "u+rwx %s",
                          path, directory);
                return EXIT_NO_BUS;
        }
        r = check_mode(path, directory, &s);
        if (r)
                return r;
        real = realpath(directory, NULL);
        r = real ? check_above(path, real) : fail_directory(path, errno);
        free(real);
        return r;
}
