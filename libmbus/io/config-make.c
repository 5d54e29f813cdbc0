/*
 * config-make.c - new configuration files with random keys (RFC 3259, sections 11 and 12.1).
 *
 * A file is written beside its place and renamed to it, never over another unless that is asked
 * for: renameat2(2). Some file systems (NFS, several of FUSE) and old kernels cannot do that. There
 * it is made under its final name by O_EXCL, which everything can, with a zero octet in place of
 * its first one, that of "[MBUS]". That octet is written last, when all else is on the disk: no
 * beginning of a file can be read as a whole one, even if its writer was killed.
 */
#include "config-make.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptor.h"
#include "entropy.h"

#define PATH_SHOWN_MAX 180

/* What is being written. */
struct making {
        const char *path;
        struct span text;
        bool force;
        char *ret_error;
};

static int fail(const struct making *m, const char *what, int error)
{
        size_t n = strlen(m->path);
        bool system = error < 0 && error != -EEXIST;

        snprintf(m->ret_error, CONFIG_FILE_ERROR_SIZE, "%s: %s%s%s",
                 n > PATH_SHOWN_MAX ? m->path + n - PATH_SHOWN_MAX : m->path, what,
                 system ? ": " : "", system ? strerror(-error) : "");
        return error;
}

static int write_all(int fd, struct span text, off_t at)
{
        while (text.n > 0) {
                ssize_t n = pwrite(fd, text.at, text.n, at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                text = (struct span){ text.at + n, text.n - (size_t)n };
                at += n;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

/* Makes the new name last through a crash. A file system that cannot do it has lost nothing. */
static void sync_directory(const char *path)
{
        const char *slash = strrchr(path, '/');
        char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        int fd;

        if (!directory)
                return;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
                fsync(fd);
                close(fd);
        }
        free(directory);
}

/* Removes @path if it is the file that @fd is: somebody may have put another there. */
static void remove_own(const char *path, int fd)
{
        struct stat ours, there;

        if (fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
            ours.st_ino == there.st_ino)
                unlink(path);
}

/* Mode 0600 whatever the umask is, which takes bits away from what open() is asked for. */
static int make_private(int fd)
{
        return fchmod(fd, S_IRUSR | S_IWUSR) < 0 ? -errno : 0;
}

static int already_there(const struct making *m)
{
        struct stat s;

        return fail(m,
                    lstat(m->path, &s) == 0 && !S_ISREG(s.st_mode)
                            ? "is no regular file and was left as it is"
                            : "exists already and was left as it is",
                    -EEXIST);
}

/* What the application prints must not get between the keys. @path was made, and goes if that
 * fails. */
static int keep_apart(int fd, const char *path)
{
        int apart = descriptor_apart(fd);

        if (fd >= 0 && apart < 0) {
                int error = errno;

                unlink(path);
                errno = error;
        }
        return apart;
}

/* The way that every file system has. The first octet makes it whole. */
static int write_in_place(const struct making *m)
{
        static const char nothing = '\0';
        struct span rest = { m->text.at + 1, m->text.n - 1 };
        int fd = open(m->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600), r;

        if (fd < 0 && errno == EEXIST)
                return already_there(m);
        fd = keep_apart(fd, m->path);
        if (fd < 0)
                return fail(m, "cannot be created", -errno);
        r = make_private(fd);
        if (!r)
                r = write_all(fd, (struct span){ &nothing, 1 }, 0);
        if (!r)
                r = write_all(fd, rest, 1);
        if (!r)
                r = write_all(fd, (struct span){ m->text.at, 1 }, 0);
        if (r) {
                fail(m, "cannot be written", r);
                remove_own(m->path, fd);
        }
        close(fd);
        return r;
}

static int rename_new(const char *from, const char *to)
{
        return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

/* rename(2) would put a file in the place of a device, too. */
static int replace(const struct making *m, const char *temporary)
{
        struct stat s;

        if (lstat(m->path, &s) == 0 && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))
                return already_there(m);
        return rename(temporary, m->path) < 0 ? fail(m, "cannot be replaced", -errno) : 0;
}

static int move(const struct making *m, const char *temporary)
{
        if (m->force)
                return replace(m, temporary);
        if (rename_new(temporary, m->path) == 0)
                return 0;
        /* Why it failed does not matter: the other way fails, too, where none is possible. */
        return errno == EEXIST ? already_there(m) : write_in_place(m);
}

static int write_beside(const struct making *m, int fd, const char *temporary)
{
        int r = make_private(fd);

        if (!r)
                r = write_all(fd, m->text, 0);
        return r ? fail(m, "cannot be written", r) : move(m, temporary);
}

static int write_text(const struct making *m)
{
        char *temporary;
        int fd, r;

        if (asprintf(&temporary, "%s.XXXXXX", m->path) < 0)
                return fail(m, "cannot be created", -ENOMEM);
        fd = keep_apart(mkostemp(temporary, O_CLOEXEC), temporary);
        if (fd < 0) {
                r = fail(m, "cannot be created", -errno);
                free(temporary);
                return r;
        }
        r = write_beside(m, fd, temporary);
        /* What was renamed is not there any more. */
        remove_own(temporary, fd);
        close(fd);
        free(temporary);
        if (!r)
                sync_directory(m->path);
        return r;
}

int config_file_write(const char *path, const struct config *c, bool force,
                      char ret_error[static CONFIG_FILE_ERROR_SIZE])
{
        struct buffer text = BUFFER_INIT;
        struct making m = { .path = path, .force = force, .ret_error = ret_error };
        int r;

        if (c->hash_key.n < hash_key_size(c->hash))
                return fail(&m, "HASHKEY: is too short to be written, make a new one",
                            MBUS_E_CONFIG);
        if (c->cipher_key.n < cipher_key_size(c->cipher))
                return fail(&m, "ENCRYPTIONKEY: is too short to be written, make a new one",
                            MBUS_E_CONFIG);

        config_format(c, &text);
        m.text = buffer_span(&text);
        r = text.failed ? fail(&m, "cannot be written", -ENOMEM) : write_text(&m);
        config_file_wipe(&text);
        return r;
}

/* ---- making keys --------------------------------------------------------------------------- */

static int generate_key(struct config_key *key, size_t n)
{
        key->n = n;
        return entropy_fill(key->bytes, n);
}

/* The lowest bit of each octet of a DES key makes its number of ones odd; UCL programs insist. */
static void set_odd_parity(struct config_key *key)
{
        for (size_t i = 0; i < key->n; i++) {
                unsigned upper = key->bytes[i] & 0xfeu;

                key->bytes[i] = (uint8_t)(upper | !__builtin_parity(upper));
        }
}

int config_generate(struct config *c)
{
        int r;

        r = generate_key(&c->hash_key, hash_key_size(c->hash));
        if (!r)
                r = generate_key(&c->cipher_key, cipher_key_size(c->cipher));
        if (!r && (c->cipher == CIPHER_DES || c->cipher == CIPHER_3DES))
                set_odd_parity(&c->cipher_key);
        return r;
}
