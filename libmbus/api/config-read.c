/*
 * config-read.c - the configuration that an application has named: a text, a file, or the usual
 * file.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <io/account.h>
#include <io/config-file.h>

int config_read(const struct mbus_config *given, struct config *ret_config,
                char ret_error[static BUS_ERROR_SIZE])
{
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        char *path;
        int r;

        if (given->text) {
                char text_error[256] = "";

                r = config_parse(span_of(given->text), "configuration", ret_config, text_error);
                snprintf(ret_error, BUS_ERROR_SIZE, "%s", text_error);
                return r;
        }
        r = config_file_path(given->file, &path);
        if (r == -ENOMEM)
                return r;
        if (r != 0 && r != -ENOENT) {
                snprintf(ret_error, BUS_ERROR_SIZE,
                         "the home directory for .mbus cannot be looked up: %s; set MBUS to a "
                         "configuration file",
                         account_error(r));
                return MBUS_E_CONFIG;
        }
        if (r != 0) {
                snprintf(ret_error, BUS_ERROR_SIZE,
                         "there is no home directory for .mbus: set MBUS to a configuration file, "
                         "which mbus-cli keygen -o FILE makes");
                return MBUS_E_CONFIG;
        }
        r = config_file_read(path, ret_config, error);
        free(path);
        snprintf(ret_error, BUS_ERROR_SIZE, "%s", r == 0 ? "" : error);
        return r == 0 || r == -ENOMEM ? r : MBUS_E_CONFIG;
}
