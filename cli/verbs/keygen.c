/*
 * keygen.c - mbus-cli keygen: makes the configuration file that all programs of a bus share.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/text/text.h>

#include "keygen-choice.h"
#include "verbs.h"

static const struct option_info output = { 'o', "output", "FILE",
                                           "write to FILE, - is standard output", NULL };
static const struct option_info force = { 0, "force", NULL, "replace a file that is there", NULL };
static const struct option_info scope = { 0, "scope", "SCOPE",
                                          "hostlocal (the default) or linklocal", NULL };
static const struct option_info hash = { 0, "hash", "ALGO", "sha1 (the default) or md5", NULL };
static const struct option_info cipher = { 0, "cipher", "ALGO",
                                           "aes (the default), none, des, 3des or idea", NULL };
static const struct option_info dialect = { 0, "dialect", "NAME",
                                            "rfc3259 (the default) or ucl, for old programs",
                                            NULL };
static bool is_regular(const char *path)
{
        struct stat s;

        return lstat(path, &s) == 0 && S_ISREG(s.st_mode);
}

static int report_file(int r, const char *path, const struct mbus_config *config)
{
        const char *why = mbus_config_get_error(config);

        if (r == -EEXIST && !is_regular(path)) {
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
        if (r) {
                text_error("%s", *why ? why : mbus_error_name(r));
                return EXITS_CONFIG;
        }
        text_error("made %s; copy it to all who are to join the bus, and to nobody else", path);
        return EXITS_OK;
}

static int check_choices(const struct keygen *keygen)
{
        const char *bad = keygen_check(keygen);

        if (!bad)
                return EXITS_OK;
        text_error("%s: %s", bad,
                   strcmp(bad, "--scope") == 0     ? "hostlocal or linklocal"
                   : strcmp(bad, "--hash") == 0    ? "sha1 or md5"
                   : strcmp(bad, "--dialect") == 0 ? "rfc3259 or ucl"
                                                   : "aes, none, des, 3des or idea");
        return EXITS_USAGE;
}

/* -o, else -c, else where the library looks. */
static int keygen_make_file(const struct options *o, struct mbus_config *config)
{
        const char *path = options_has(o, &output) ? options_text(o, &output)
                                                   : options_text(o, &option_config);
        char *file;
        int status;

        mbus_config_set_file(config, path);
        path = mbus_config_get_file(config);
        if (!path) {
                text_error("there is no home directory to keep .mbus in; name a file with -o");
                return EXITS_CONFIG;
        }
        file = strdup(path);
        if (!file) {
                text_error("%s", strerror(errno));
                return EXITS_FAILED;
        }
        status = report_file(
                mbus_config_generate(config, options_has(o, &force) ? MBUS_GENERATE_REPLACE : 0),
                file, config);
        free(file);
        return status;
}

static int print_text(struct mbus_config *config)
{
        int r = mbus_config_generate(config, MBUS_GENERATE_TEXT);

        if (r) {
                text_error("%s", mbus_config_get_error(config));
                return EXITS_FAILED;
        }
        fputs(mbus_config_get_text(config), stdout);
        return EXITS_OK;
}

static int keygen_run(const struct options *o)
{
        struct keygen keygen = { options_text(o, &scope), options_text(o, &hash),
                                 options_text(o, &cipher), options_text(o, &dialect) };
        const char *file = options_text(o, &output);
        struct mbus_config *config;
        int status = check_choices(&keygen);

        if (status)
                return status;
        if (mbus_config_new(&config) < 0) {
                text_error("%s", strerror(ENOMEM));
                return EXITS_FAILED;
        }
        keygen_apply(&keygen, config);
        if (keygen_is_unreadable(&keygen))
                text_error("old programs cannot read this: they know md5, and des or none");
        status = file && strcmp(file, "-") == 0 ? print_text(config) : keygen_make_file(o, config);
        mbus_config_free(config);
        return status;
}

static const struct option_info *const options[] = { &output, &force,   &scope,        &hash,
                                                     &cipher, &dialect, OPTIONS_COMMON };

const struct verb verb_keygen = {
        .name = "keygen",
        .usage = "[-o FILE] [--force] [--scope SCOPE] [--hash ALGO] [--cipher ALGO] [--dialect "
                 "NAME]",
        .summary = "makes a configuration file with new random keys",
        .notes = "The file is $MBUS, else ~/.mbus, and is for its owner only (0600). All who\n"
                 "share a bus need the same file. Without --force a file that is there stays\n"
                 "(exit 8). With --dialect ucl it is for RAT, VIC and other old programs: their\n"
                 "group, HMAC-MD5-96 and DES, or --cipher none, which is all that libgmbus and\n"
                 "JMbus know.\n",
        .options = options,
        .args_max = 0,
        .run = keygen_run,
};
