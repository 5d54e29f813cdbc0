/*
 * keygen.c - configuration files with random keys (RFC 3259, sections 11 and 12.1).
 *
 * Keys have the native length of their algorithm, those of DES and 3DES odd parity, because old
 * programs insist on it. A file appears complete and readable by its owner only, or not at all: it
 * is written beside its place and linked there.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "keygen.h"

#define KEY_MAX 24

struct algorithm {
        const char *option; /* as on the command line */
        const char *name;   /* as in the file */
        size_t n;           /* octets of a key */
        bool parity;
};

static const struct algorithm hashes[] = {
        { "sha1", "HMAC-SHA1-96", 20, false },
        { "md5", "HMAC-MD5-96", 16, false },
        { 0 },
};

static const struct algorithm ciphers[] = {
        { "aes", "AES", 16, false },  { "none", "NOENCR", 0, false }, { "des", "DES", 8, true },
        { "3des", "3DES", 24, true }, { "idea", "IDEA", 16, false },  { 0 },
};

static const struct algorithm scopes[] = {
        { "hostlocal", "HOSTLOCAL", 0, false },
        { "linklocal", "LINKLOCAL", 0, false },
        { 0 },
};

/* The first is the default. */
static const struct algorithm *find(const struct algorithm *table, const char *option)
{
        if (!option)
                return table;
        for (; table->option; table++)
                if (strcmp(table->option, option) == 0)
                        return table;
        return NULL;
}

const char *keygen_check(const struct keygen *keygen)
{
        return !find(scopes, keygen->scope)     ? "--scope"
               : !find(hashes, keygen->hash)    ? "--hash"
               : !find(ciphers, keygen->cipher) ? "--cipher"
                                                : NULL;
}

/* The lowest bit of each octet makes the number of ones odd. */
static void set_odd_parity(unsigned char *key, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                unsigned ones = 0;

                for (unsigned bit = 1; bit < 8; bit++)
                        ones += key[i] >> bit & 1;
                key[i] = (unsigned char)((key[i] & 0xfe) | !(ones & 1));
        }
}

/* KEY=(ALGORITHM,base64); no encryption has an empty key, but the comma. */
static int print_key(FILE *file, const char *entry, const struct algorithm *algorithm)
{
        unsigned char key[KEY_MAX];

        if (algorithm->n && getentropy(key, algorithm->n) < 0)
                return -errno;
        if (algorithm->parity)
                set_odd_parity(key, algorithm->n);
        fprintf(file, "%s=(%s,", entry, algorithm->name);
        base64_print(file, key, algorithm->n);
        fputs(")\n", file);
        return 0;
}

int keygen_print(const struct keygen *keygen, FILE *file)
{
        int r;

        fputs("[MBUS]\nCONFIG_VERSION=1\n", file);
        r = print_key(file, "HASHKEY", find(hashes, keygen->hash));
        if (r == 0)
                r = print_key(file, "ENCRYPTIONKEY", find(ciphers, keygen->cipher));
        if (r == 0)
                fprintf(file, "SCOPE=%s\n", find(scopes, keygen->scope)->name);
        return r;
}

/* Writes all into the open descriptor @fd and closes it. */
static int write_fd(const struct keygen *keygen, int fd)
{
        FILE *file = fdopen(fd, "w");
        int r;

        if (!file) {
                r = -errno;
                close(fd);
                return r;
        }
        r = fchmod(fd, S_IRUSR | S_IWUSR) < 0 ? -errno : keygen_print(keygen, file);
        if (r == 0 && (fflush(file) == EOF || fsync(fd) < 0))
                r = -errno;
        if (fclose(file) == EOF && r == 0)
                r = -errno;
        return r;
}

/* rename(2) would put a file in the place of a device. */
static bool may_be_replaced(const char *path)
{
        struct stat s;

        return lstat(path, &s) < 0 || S_ISREG(s.st_mode);
}

/* Without @force link(2) is used, because it fails if @path is there, and rename(2) does not. Where
 * a file system has no links, a look before the rename must do. */
static int put_in_place(const char *temporary, const char *path, bool force)
{
        if (!force && link(temporary, path) == 0) {
                unlink(temporary);
                return 0;
        }
        if (!force && (errno == EEXIST || access(path, F_OK) == 0))
                return -EEXIST;
        if (!may_be_replaced(path))
                return -ENOTSUP;
        return rename(temporary, path) < 0 ? -errno : 0;
}

int keygen_write(const struct keygen *keygen, const char *path, bool force)
{
        static const char suffix[] = ".XXXXXX";
        size_t n = strlen(path);
        char *temporary = malloc(n + sizeof(suffix));
        int fd, r;

        if (!temporary)
                return -ENOMEM;
        memcpy(temporary, path, n);
        memcpy(temporary + n, suffix, sizeof(suffix));
        fd = mkstemp(temporary);
        r = fd < 0 ? -errno : write_fd(keygen, fd);
        if (r == 0)
                r = put_in_place(temporary, path, force);
        if (r < 0 && fd >= 0)
                unlink(temporary);
        free(temporary);
        return r;
}

static char *join(const char *directory, const char *name)
{
        size_t n = strlen(directory), name_n = strlen(name);
        char *path = malloc(n + name_n + 2);

        if (!path)
                return NULL;
        memcpy(path, directory, n);
        path[n] = '/';
        memcpy(path + n + 1, name, name_n + 1);
        return path;
}

char *keygen_default_path(void)
{
        const char *mbus = getenv("MBUS"), *home = getenv("HOME");
        const struct passwd *passwd;

        if (mbus && *mbus)
                return strdup(mbus);
        if (!home || !*home) {
                errno = ENOENT;
                passwd = getpwuid(getuid());
                home = passwd ? passwd->pw_dir : NULL;
        }
        return home ? join(home, ".mbus") : NULL;
}
