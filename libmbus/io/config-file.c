/*
 * config-file.c - finds, guards and reads the configuration file (RFC 3259, section 12.1).
 *
 * What is checked is the open file, not its name, so nobody can exchange it in between.
 */
#include "config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
/* A path in a message is cut off at its front, so that the rest of the message fits. */
#define PATH_SHOWN_MAX 180
/* How often, and how long each time, a file is waited for whose beginning is not there yet. */
#define UNFINISHED_WAITS 10
#define UNFINISHED_WAIT_MS 20

static const char *path_excerpt(const char *path)
{
        size_t n = strlen(path);

        return n > PATH_SHOWN_MAX ? path + n - PATH_SHOWN_MAX : path;
}

/* Writes "PATH: WHAT" and passes @error on. */
static int fail(char *ret_error, const char *path, const char *what, int error)
{
        snprintf(ret_error, CONFIG_FILE_ERROR_SIZE, "%s: %s", path_excerpt(path), what);
        return error;
}

static int fail_errno(char *ret_error, const char *path, const char *what)
{
        int error = errno;

        snprintf(ret_error, CONFIG_FILE_ERROR_SIZE, "%s: %s: %s", path_excerpt(path), what,
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
        struct account_user user;
        int r = account_find_user(NULL, geteuid(), &user);

        if (r)
                return r == MBUS_E_UNKNOWN ? -ENOENT : r;
        r = home_path(user.entry.pw_dir, ret_path);
        free(user.room);
        return r;
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
                         path_excerpt(path), path_excerpt(path));
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

/* Whether it may be one that config_file_write() has not made whole yet. */
static bool is_unfinished(const struct buffer *text)
{
        return text->n == 0 || text->at[0] == '\0';
}

/* Who makes a file where nothing can be renamed has it whole in a moment. */
static int read_whole(int fd, const char *path, struct buffer *text, char *ret_error)
{
        const struct timespec moment = { .tv_nsec = UNFINISHED_WAIT_MS * 1000000L };
        int r = read_text(fd, path, text, ret_error);

        for (unsigned i = 0; r == 0 && is_unfinished(text); i++) {
                if (i == UNFINISHED_WAITS && text->n == 0)
                        return 0;
                if (i == UNFINISHED_WAITS)
                        return fail(ret_error, path,
                                    "was not written to its end; remove it, and make another with "
                                    "mbus-cli keygen",
                                    MBUS_E_CONFIG);
                nanosleep(&moment, NULL);
                text->n = 0;
                r = lseek(fd, 0, SEEK_SET) < 0 ? fail_errno(ret_error, path, "cannot be read")
                                               : read_text(fd, path, text, ret_error);
        }
        return r;
}

static int read_open(int fd, const char *path, struct buffer *text, char *ret_error)
{
        struct stat s;
        int r;

        if (fstat(fd, &s) < 0)
                return fail_errno(ret_error, path, "cannot be read");
        r = check_stat(path, &s, ret_error);
        return r ? r : read_whole(fd, path, text, ret_error);
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
