/*
 * config-make.h - new configuration files with random keys (RFC 3259, sections 11 and 12.1).
 *
 * All who make keys make them here: mbus_config_generate(), and so mbus-cli, and the broker. There
 * is never a moment at which others can read such a file, or half of it is taken for the whole, or
 * keys that somebody else has made meanwhile are lost.
 */
#ifndef MBUS_IO_CONFIG_MAKE_H
#define MBUS_IO_CONFIG_MAKE_H

#include "config-file.h"

/*
 * Writes @c to @path, mode 0600, whole or not at all. -EEXIST if there is a file and @force is not
 * set, or something that is no regular file; MBUS_E_CONFIG if a key of @c is shorter than its
 * algorithm wants it (11.3), -errno; *@ret_error is then one line that says so.
 */
int config_file_write(const char *path, const struct config *c, bool force,
                      char ret_error[static CONFIG_FILE_ERROR_SIZE]);

/* Gives @c random keys for the algorithms that it names, of their native lengths. 0 or -errno. */
int config_generate(struct config *c);

#endif
