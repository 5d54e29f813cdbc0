/*
 * directory.c - see directory.h.
 */
#include "directory.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit.h"
#include "log.h"

/* Room for the entry of a user or a group; one with more members is nobody's own. */
#define ENTRY_SIZE 4096

static int fail(const char *path, int error)
{
        log_error("%s: its directory cannot be used: %s", path, strerror(error));
        return EXIT_NO_BUS;
}

static bool is_own_group(gid_t gid)
{
        char user_entry[ENTRY_SIZE], group_entry[ENTRY_SIZE];
        struct passwd user, *found_user = NULL;
        struct group group, *found_group = NULL;

        if (gid != getegid() ||
            getpwuid_r(geteuid(), &user, user_entry, sizeof(user_entry), &found_user) != 0 ||
            getgrgid_r(gid, &group, group_entry, sizeof(group_entry), &found_group) != 0 ||
            !found_user || !found_group || user.pw_gid != gid ||
            strcmp(group.gr_name, user.pw_name) != 0)
                return false;
        for (char **member = group.gr_mem; *member; member++)
                if (strcmp(*member, user.pw_name) != 0)
                        return false;
        return true;
}

static bool is_everybodys(const struct stat *s)
{
        return (s->st_mode & S_IWOTH) && !(s->st_mode & S_ISVTX);
}

static int check_mode(const char *path, const char *directory, const struct stat *s)
{
        if (is_everybodys(s)) {
                log_error("%s: everybody can replace the socket; mend it with: chmod o-w %s", path,
                          directory);
                return EXIT_NO_BUS;
        }
        if ((s->st_mode & S_IWGRP) && !(s->st_mode & S_ISVTX) && !is_own_group(s->st_gid)) {
                log_error("%s: members of group %u can replace the socket; mend it with: chmod g-w "
                          "%s",
                          path, (unsigned)s->st_gid, directory);
                return EXIT_NO_BUS;
        }
        return 0;
}

/* Whoever can write a directory above can move the one below away. @real is cut. */
static int check_above(const char *path, char *real)
{
        struct stat s;
        char *slash;

        while ((slash = strrchr(real, '/')) && strcmp(real, "/") != 0) {
                slash[slash == real ? 1 : 0] = '\0';
                if (stat(real, &s) < 0)
                        return fail(path, errno);
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
                return fail(path, errno);
        if (!S_ISDIR(s.st_mode))
                return fail(path, ENOTDIR);
        if (s.st_uid != geteuid() && s.st_uid != 0) {
                log_error("%s: its directory belongs to uid %u, who could replace the socket; name "
                          "another with --socket",
                          path, (unsigned)s.st_uid);
                return EXIT_NO_BUS;
        }
        r = check_mode(path, directory, &s);
        if (r)
                return r;
        real = realpath(directory, NULL);
        r = real ? check_above(path, real) : fail(path, errno);
        free(real);
        return r;
}
