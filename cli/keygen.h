/*
 * keygen.h - makes configuration files with random keys (RFC 3259, section 12.1).
 */
#ifndef CLI_KEYGEN_H
#define CLI_KEYGEN_H

#include <stdbool.h>
#include <stdio.h>

/* Names as on the command line, NULL for the default. */
struct keygen {
        const char *scope;
        const char *hash;
        const char *cipher;
};

/* NULL, or the option that names something unknown. */
const char *keygen_check(const struct keygen *keygen);

/* Writes a configuration. 0 or -errno: no random numbers. Errors of @file are left in it. */
int keygen_print(const struct keygen *keygen, FILE *file);

/* Writes one into a new file with mode 0600, all of it or none. Without @force -EEXIST if there is
 * one. 0 or -errno. */
int keygen_write(const struct keygen *keygen, const char *path, bool force);

/* The file that the library reads: $MBUS, else ~/.mbus; malloc()ed. NULL with errno if there is no
 * home or no memory. */
char *keygen_default_path(void);

#endif
