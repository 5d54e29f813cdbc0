/*
 * nobody.c - see nobody.h.
 */
#include "nobody.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OVERFLOW_DEFAULT 65534
/* Every id but (uid_t)-1, which is none. */
#define IDS_ALL UINT32_MAX

static uint32_t read_overflow(const char *path)
{
        FILE *file = fopen(path, "re");
        uint32_t id = OVERFLOW_DEFAULT, read;

        if (file && fscanf(file, "%" SCNu32, &read) == 1)
                id = read;
        if (file)
                fclose(file);
        return id;
}

/* Lines of a map are: first id in here, first id out there, how many. They do not overlap. */
static bool has_gaps(const char *path)
{
        FILE *file = fopen(path, "re");
        uint64_t all = 0, n;

        if (!file)
                return true;
        while (fscanf(file, "%*u %*u %" SCNu64, &n) == 1)
                all += n;
        fclose(file);
        return all < IDS_ALL;
}

void nobody_read(struct nobody *ret_nobody)
{
        *ret_nobody = (struct nobody){
                .has_uid = has_gaps("/proc/self/uid_map"),
                .uid = read_overflow("/proc/sys/kernel/overflowuid"),
                .has_gid = has_gaps("/proc/self/gid_map"),
                .gid = read_overflow("/proc/sys/kernel/overflowgid"),
        };
}

bool nobody_is_own(const char *path, const struct stat *s)
{
        struct nobody nobody;

        if (s->st_uid != geteuid())
                return false;
        nobody_read(&nobody);
        if (!nobody_is_uid(&nobody, s->st_uid))
                return true;
        return !(s->st_mode & (S_IWGRP | S_IWOTH)) &&
               faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}
