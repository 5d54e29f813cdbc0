/*
 * cmd-keygen.c - mbus-cli keygen: makes the configuration file that all programs of a bus share.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exits.h"
#include "keygen.h"
#include "text.h"
#include "verb.h"

static int tell(int r, const char *path)
{
        struct stat s;

        if (r == -ENOTSUP || (r == -EEXIST && (lstat(path, &s) < 0 || !S_ISREG(s.st_mode)))) {
                text_error("%s is there and no regular file, which is left alone; name another",
                           path);
                return EXITS_CONFIG;
        }
        if (r == -EEXIST) {
                text_error("%s is there; programs that use its keys would be cut off. "
                           "mbus-cli keygen --force -o %s replaces it",
                           path, path);
                return EXITS_CONFIG;
        }
        if (r < 0) {
                text_error("cannot write %s: %s", path, strerror(-r));
                return EXITS_CONFIG;
        }
        text_error("made %s; copy it to all who are to join the bus, and to nobody else", path);
        return EXITS_OK;
}

/* -o, else -c, else where the library looks. */
static char *choose_path(const struct options *options)
{
        if (options->arg_output)
                return strdup(options->arg_output);
        if (options->arg_config)
                return strdup(options->arg_config);
        return keygen_default_path();
}

static int check(const struct keygen *keygen)
{
        const char *bad = keygen_check(keygen);

        if (!bad)
                return EXITS_OK;
        text_error("%s: %s", bad,
                   strcmp(bad, "--scope") == 0  ? "hostlocal or linklocal"
                   : strcmp(bad, "--hash") == 0 ? "sha1 or md5"
                                                : "aes, none, des, 3des or idea");
        return EXITS_USAGE;
}

static int run(const struct options *options)
{
        struct keygen keygen = { options->arg_scope, options->arg_hash, options->arg_cipher };
        int status = check(&keygen), r;
        char *path;

        if (status)
                return status;
        path = choose_path(options);
        if (!path) {
                text_error("no place for the file: %s", strerror(errno));
                return EXITS_CONFIG;
        }
        if (strcmp(path, "-") == 0) {
                r = keygen_print(&keygen, stdout);
                if (r < 0)
                        text_error("no random numbers: %s", strerror(-r));
                status = r < 0 ? EXITS_FAILED : EXITS_OK;
        } else {
                status =
                        tell(keygen_write(&keygen, path, options_has(options, OPTION_FORCE)), path);
        }
        free(path);
        return status;
}

const struct verb verb_keygen = {
        .name = "keygen",
        .usage = "[-o FILE] [--force] [--scope SCOPE] [--hash ALGO] [--cipher ALGO]",
        .summary = "makes a configuration file with new random keys",
        .notes = "The file is $MBUS, else ~/.mbus, and is for its owner only (0600). All who\n"
                 "share a bus need the same file. Without --force a file that is there stays\n"
                 "(exit 8).\n",
        .options = OPTIONS_BUS | OPTION_BIT(OPTION_OUTPUT) | OPTION_BIT(OPTION_FORCE) |
                   OPTION_BIT(OPTION_SCOPE) | OPTION_BIT(OPTION_HASH) | OPTION_BIT(OPTION_CIPHER),
        .args_max = 0,
        .run = run,
};
