/*
 * config-file.c - finds, guards, reads and writes the configuration file (RFC 3259, section 12.1).
 *
 * What is checked is the open file, not its name, so nobody can exchange it in between. A new file
 * is written beside its place and moved there, so a reader sees the old one or the new one.
 */
#include "config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* A path in a message is cut off at its front, so that the rest of the message fits. */
#define PATH_SHOWN_MAX 180

static const char *shown(const char *path)
{
        size_t n = strlen(path);

        return n > PATH_SHOWN_MAX ? path + n - PATH_SHOWN_MAX : path;
}

/* Writes "PATH: WHAT" and passes @error on. */
static int fail(char *ret_error, const char *path, const char *what, int error)
{
        snprintf(ret_error, CONFIG_FILE_ERROR_SIZE, "%s: %s", shown(path), what);
        return error;
}

static int fail_errno(char *ret_error, const char *path, const char *what)
{
        int error = errno;

        snprintf(ret_error, CONFIG_FILE_ERROR_SIZE, "%s: %s: %s", shown(path), what,
                 strerror(error));
        return -error;
}

/* ---- where it is --------------------------------------------------------------------------- */

static int home_path(const char *home, char **ret_path)
{
        char *path;

        if (asprintf(&path, "%s/.mbus", home) < 0)
                return -ENOMEM;
        *ret_path = path;
        return 0;
}

static int passwd_path(char **ret_path)
{
        /* Room for any entry that is not a joke. */
        char text[4096];
        struct passwd entry, *found = NULL;

        if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) != 0 || !found)
                return -ENOENT;
        return home_path(found->pw_dir, ret_path);
}

int config_file_path(const char *given, char **ret_path)
{
        const char *home = secure_getenv("HOME");
        char *path;

        if (!given)
                given = secure_getenv("MBUS");
        if (given && given[0]) {
                path = strdup(given);
                if (!path)
                        return -ENOMEM;
                *ret_path = path;
                return 0;
        }
        return home && home[0] ? home_path(home, ret_path) : passwd_path(ret_path);
}

/* ---- reading ------------------------------------------------------------------------------- */

static int fail_size(char *ret_error, const char *path)
{
        return fail(ret_error, path, "is too large for a configuration, name another (MBUS=FILE)",
                    MBUS_E_CONFIG);
}

/* CFG-05: whoever reads or writes this file can read and forge every message of the bus. */
static int check_stat(const char *path, const struct stat *s, char *ret_error)
{
        if (S_ISDIR(s->st_mode))
                return fail(ret_error, path, "is a directory, name the file in it (MBUS=FILE)",
                            MBUS_E_CONFIG);
        if (!S_ISREG(s->st_mode))
                return fail(ret_error, path, "is no regular file, name one (MBUS=FILE)",
                            MBUS_E_CONFIG);
        if (s->st_uid != geteuid() && s->st_uid != 0)
                return fail(ret_error, path,
                            "belongs to another user, who knows its keys; make "
                            "your own with mbus-cli keygen",
                            MBUS_E_CONFIG);
        if (s->st_mode & (S_IRWXG | S_IRWXO)) {
                snprintf(ret_error, CONFIG_FILE_ERROR_SIZE,
                         "%s: other users may read or write it, mend it with: chmod 600 %s",
                         shown(path), shown(path));
                return MBUS_E_CONFIG;
        }
        if (s->st_size > CONFIG_BYTES_MAX)
                return fail_size(ret_error, path);
        return 0;
}

/* One piece of memory, so that growing leaves no copy of the keys behind. */
static int read_text(int fd, const char *path, struct buffer *text, char *ret_error)
{
        char *at = buffer_reserve(text, CONFIG_BYTES_MAX + 1);

        if (!at) {
                errno = ENOMEM;
                return fail_errno(ret_error, path, "cannot be read");
        }
        for (;;) {
                ssize_t n = read(fd, at + text->n, CONFIG_BYTES_MAX + 1 - text->n);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return fail_errno(ret_error, path, "cannot be read");
                text->n += (size_t)n;
                /* It may have grown since its size was checked. */
                if (text->n > CONFIG_BYTES_MAX)
                        return fail_size(ret_error, path);
                if (n == 0)
                        return 0;
        }
}

void config_file_wipe(struct buffer *text)
{
        if (text->at)
                explicit_bzero(text->at, text->size);
        buffer_deinit(text);
}

static int read_open(int fd, const char *path, struct buffer *text, char *ret_error)
{
        struct stat s;
        int r;

        if (fstat(fd, &s) < 0)
                return fail_errno(ret_error, path, "cannot be read");
        r = check_stat(path, &s, ret_error);
        return r ? r : read_text(fd, path, text, ret_error);
}

int config_file_read_text(const char *path, struct buffer *ret_text,
                          char ret_error[static CONFIG_FILE_ERROR_SIZE])
{
        struct buffer text = BUFFER_INIT;
        int fd, r;

        /* O_NONBLOCK: a FIFO in its place is refused, not waited for. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return fail(ret_error, path, "there is no such file, make one with mbus-cli keygen",
                            MBUS_E_UNKNOWN);
        if (fd < 0)
                return fail_errno(ret_error, path, "cannot be opened");
        r = read_open(fd, path, &text, ret_error);
        close(fd);
        if (r)
                config_file_wipe(&text);
        else
                *ret_text = text;
        return r;
}

int config_file_read(const char *path, struct config *ret_config,
                     char ret_error[static CONFIG_FILE_ERROR_SIZE])
{
        struct buffer text;
        int r = config_file_read_text(path, &text, ret_error);

        if (r)
                return r;
        r = config_parse(buffer_span(&text), path, ret_config, ret_error);
        config_file_wipe(&text);
        return r;
}

/* ---- writing ------------------------------------------------------------------------------- */

static int write_all(int fd, struct span text)
{
        while (text.n > 0) {
                ssize_t n = write(fd, text.at, text.n);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -1;
                text = (struct span){ text.at + n, text.n - (size_t)n };
        }
        return fsync(fd);
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

/* link() never replaces a file, rename() always does, a device too. */
static int move(const char *from, const char *path, bool force, char *ret_error)
{
        struct stat s;

        if (force && lstat(path, &s) == 0 && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))
                return fail(ret_error, path, "is no regular file and was left as it is", -EEXIST);
        if (force && rename(from, path) < 0)
                return fail_errno(ret_error, path, "cannot be replaced");
        if (!force && link(from, path) < 0)
                return errno == EEXIST ? fail(ret_error, path,
                                              "exists already and was left as it is", -EEXIST)
                                       : fail_errno(ret_error, path, "cannot be created");
        sync_directory(path);
        return 0;
}

static int write_text(const char *path, struct span text, bool force, char *ret_error)
{
        char *temporary;
        int fd, r;

        if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
                errno = ENOMEM;
                return fail_errno(ret_error, path, "cannot be created");
        }
        /* It has mode 0600 from the start. */
        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0) {
                r = fail_errno(ret_error, path, "cannot be created");
                free(temporary);
                return r;
        }
        r = write_all(fd, text) < 0 ? fail_errno(ret_error, path, "cannot be written") : 0;
        close(fd);
        if (!r)
                r = move(temporary, path, force, ret_error);
        /* After a rename() there is nothing left to remove. */
        if (r || !force)
                unlink(temporary);
        free(temporary);
        return r;
}

int config_file_write(const char *path, const struct config *c, bool force,
                      char ret_error[static CONFIG_FILE_ERROR_SIZE])
{
        struct buffer text = BUFFER_INIT;
        int r;

        if (c->hash_key.n < hash_key_size(c->hash))
                return fail(ret_error, path, "HASHKEY: is too short to be written, make a new one",
                            MBUS_E_CONFIG);
        if (c->cipher_key.n < cipher_key_size(c->cipher))
                return fail(ret_error, path,
                            "ENCRYPTIONKEY: is too short to be written, make a "
                            "new one",
                            MBUS_E_CONFIG);

        config_format(c, &text);
        if (text.failed) {
                errno = ENOMEM;
                r = fail_errno(ret_error, path, "cannot be written");
        } else {
                r = write_text(path, buffer_span(&text), force, ret_error);
        }
        config_file_wipe(&text);
        return r;
}

/* ---- making keys --------------------------------------------------------------------------- */

static int generate_key(struct config_key *key, size_t n)
{
        for (key->n = 0; key->n < n;) {
                ssize_t got = getrandom(key->bytes + key->n, n - key->n, 0);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                key->n += (size_t)got;
        }
        return 0;
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
