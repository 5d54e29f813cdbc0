/*
 * own-file.c - see own-file.h.
 */
#include "own-file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directory that @path names a file in, opened as a place only. -errno. */
static int open_directory(const char *path, const char *slash)
{
        char *directory;
        int fd;

        if (!slash)
                directory = strdup(".");
        else
                directory = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
        if (!directory)
                return -ENOMEM;
        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                fd = -errno;
        free(directory);
        return fd;
}

int own_file_note(struct own_file *f, const char *path)
{
        const char *slash = strrchr(path, '/');
        struct own_file fresh = OWN_FILE_INIT;
        struct stat s;
        int r = 0;

        fresh.directory = open_directory(path, slash);
        if (fresh.directory < 0)
                return fresh.directory;
        fresh.name = strdup(slash ? slash + 1 : path);
        if (!fresh.name)
                r = -ENOMEM;
        else if (fstatat(fresh.directory, fresh.name, &s, AT_SYMLINK_NOFOLLOW) < 0)
                r = -errno;
        if (r < 0) {
                own_file_forget(&fresh);
                return r;
        }
        fresh.device = s.st_dev;
        fresh.inode = s.st_ino;
        own_file_forget(f);
        *f = fresh;
        return 0;
}

static bool is_it(const struct own_file *f, int directory, const char *name)
{
        struct stat s;

        assert(f->directory >= 0 && f->name);
        return fstatat(directory, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && s.st_dev == f->device &&
               s.st_ino == f->inode;
}

bool own_file_is_at(const struct own_file *f, const char *path)
{
        return f->directory >= 0 && is_it(f, AT_FDCWD, path);
}

void own_file_remove(struct own_file *f)
{
        if (f->directory >= 0 && is_it(f, f->directory, f->name))
                unlinkat(f->directory, f->name, 0);
        own_file_forget(f);
}

void own_file_forget(struct own_file *f)
{
        assert(f->directory >= 0 || !f->name);
        if (f->directory >= 0)
                close(f->directory);
        free(f->name);
        *f = OWN_FILE_INIT;
}
