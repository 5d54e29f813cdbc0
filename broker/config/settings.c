/*
 * settings.c - the configuration file of the broker: which it is, and all that stands in it.
 */
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <io/account.h>
#include <io/config-make.h>

#include <broker/base/base.h>

#include "twins.h"

static bool is_system_file_wanted(const struct options *o)
{
        const char *mbus = secure_getenv("MBUS");

        return !o->config_file && !(mbus && mbus[0]) && geteuid() == 0 &&
               (access(SETTINGS_SYSTEM_FILE, F_OK) == 0 || errno != ENOENT);
}

/* Without a configuration there is nobody on this bus yet whose keys it would have to hold. 0,
 * -EEXIST or another error, with a line for the log. */
static int make_config(const char *path, char ret_error[static CONFIG_FILE_ERROR_SIZE])
{
        struct config config = CONFIG_INIT;
        int r;

        config.hash = HASH_SHA1;
        config.cipher = CIPHER_AES;
        r = config_generate(&config);
        if (r < 0)
                snprintf(ret_error, CONFIG_FILE_ERROR_SIZE, "there are no random numbers: %s",
                         strerror(-r));
        else
                r = config_file_write(path, &config, false, ret_error);
        if (r == 0)
                log_info("%s: made, with random keys (HMAC-SHA1-96, AES); every entity of the bus "
                         "needs it",
                         path);
        return r;
}

/* @makes: a file that is missing is made. */
static int read_text(const char *path, bool makes, struct buffer *ret_text)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "", made[CONFIG_FILE_ERROR_SIZE] = "";
        int r = config_file_read_text(path, ret_text, error);

        if (r == MBUS_E_UNKNOWN && makes) {
                r = make_config(path, made);
                /* If somebody was faster his file is the one. */
                if (r == 0 || r == -EEXIST)
                        r = config_file_read_text(path, ret_text, error);
        }
        if (r)
                log_error("%s", made[0] && r != MBUS_E_CONFIG ? made : error);
        return r ? EXIT_CONFIG : 0;
}

static int parse_settings(struct options *o, struct span text, const char *path,
                          struct config *ret_config)
{
        char error[CONFIG_FILE_ERROR_SIZE];

        if (config_parse(text, path, ret_config, error)) {
                log_error("%s", error);
                return EXIT_CONFIG;
        }
        for (unsigned i = 0; i < ret_config->n_warnings; i++)
                log_warning("%s", ret_config->warnings[i]);
        assert(!o->policy && !o->buses);
        o->policy = policy_new(geteuid());
        o->buses = bus_configs_new();
        if (!o->policy || !o->buses)
                return EXIT_SYSTEM;
        if (options_read_sections(o, text, path, error) && limits_check(&o->limits, path, error) &&
            bus_configs_check(o->buses, path, error) &&
            twins_check(ret_config, o->lines.mbus, o->buses, path, error))
                return 0;
        log_error("%s", error);
        return EXIT_CONFIG;
}

static int load_file(struct options *o, const char *path, bool makes, struct config *ret_config)
{
        struct buffer text;
        int r = read_text(path, makes, &text);

        if (r)
                return r;
        r = parse_settings(o, buffer_span(&text), path, ret_config);
        config_file_wipe(&text);
        return r;
}

int settings_load(struct options *o, struct config *ret_config, char **ret_path)
{
        const char *given = is_system_file_wanted(o) ? SETTINGS_SYSTEM_FILE : o->config_file;
        int r = config_file_path(given, ret_path);

        if (r < 0 && r != -ENOENT) {
                log_error(
                        "the home directory to keep .mbus in cannot be looked up: %s; name a file "
                        "with --config",
                        account_error(r));
                return EXIT_CONFIG;
        }
        if (r < 0) {
                log_error("there is no home directory to keep .mbus in; name a file with --config");
                return EXIT_CONFIG;
        }
        return load_file(o, *ret_path, true, ret_config);
}

int settings_reload(struct options *o, const char *path, struct config *ret_config)
{
        return load_file(o, path, false, ret_config);
}

void settings_deinit(struct settings *s)
{
        policy_free(s->options.policy);
        bus_configs_free(s->options.buses);
        explicit_bzero(&s->mbus, sizeof(s->mbus));
        free(s->path);
}
